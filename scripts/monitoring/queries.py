"""What the dashboards and the alert rules ask Prometheus, one entry a query, for everything that checks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from scripts.config.settings import Settings
from scripts.core.paths import ROOT
from scripts.desired.monitoring import rules

DASHBOARDS = ROOT / "monitoring" / "dashboards"


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


def load_queries() -> list[Query]:
    """Return every query of every panel of every dashboard, in the order of the dashboards."""
    return [query for path in sorted(DASHBOARDS.glob("*.yaml")) for query in _queries_of(path)]


def load_alerts(settings: Settings) -> dict[str, str]:
    """Return the expression of each alert by its name."""
    return {rule["alert"]: rule["expr"] for group in rules(settings)["groups"] for rule in group["rules"]}


def _queries_of(path: Path) -> Iterator[Query]:
    source = yaml.safe_load(path.read_text(encoding="utf-8"))
    for row in source["rows"]:
        for panel in row["panels"]:
            for query in panel["queries"]:
                yield Query(source["uid"], panel["title"], query["legend"], query["expr"].strip(), query.get("optional", ""))
