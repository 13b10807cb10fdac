"""What the dashboards ask Prometheus, one entry a query, for everything that checks them."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.config.settings import Settings
from scripts.desired.dashboard_sources import sources


@dataclass(frozen=True)
class Query:
    """One query of one panel."""

    dashboard: str
    """The dashboard's uid."""
    panel: str
    legend: str
    expr: str
    """As it stands in the dashboard, with Grafana's variables."""
    optional: str = ""
    """Why it may return nothing on a healthy system; empty where it must return something."""

    def resolved(self, namespace: str, rate_interval: str) -> str:
        """Return the expression as Prometheus gets it: Grafana's variables replaced, on one line."""
        expr = self.expr.replace("$__rate_interval", rate_interval).replace("$namespace", namespace)
        return " ".join(expr.split())


def load_queries(settings: Settings) -> list[Query]:
    """Return every query of every panel of every dashboard, in the order of the dashboards. Raises InputError."""
    return [
        Query(source["uid"], panel["title"], query["legend"], query["expr"].strip(), query.get("optional", ""))
        for source in sources(settings).values()
        for row in source["rows"]
        for panel in row["panels"]
        for query in panel["queries"]
    ]


def uids(settings: Settings) -> list[str]:
    """Return the uid of each dashboard. Raises InputError."""
    return [source["uid"] for source in sources(settings).values()]
