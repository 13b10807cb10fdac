"""Prove that the monitoring shows data: targets up, rules loaded, dashboards in Grafana, and an answer to every query of every panel."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import requests

from scripts.command import run_alone
from scripts.config.service_problems import DATABASE
from scripts.config.services import local_path
from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, passed
from scripts.core.waiting import OverdueError, until
from scripts.desired import monitoring
from scripts.desired.alert_rules import alerts
from scripts.desired.images import EXPORTER
from scripts.desired.service_values import service_name
from scripts.engines.protocol import Engine
from scripts.kubernetes.port_forward import forward
from scripts.monitoring.queries import Query, load_queries, uids
from scripts.project import Project
from scripts.traffic import app_proof

SECONDS = 240
"""The operator reloads, Prometheus scrapes twice, and a rate has its window: some two minutes on an idle machine."""
PAUSE_SECONDS = 5.0
HTTP_SECONDS = 10
RATE_INTERVAL = "2m"
PROMETHEUS_PORT, GRAFANA_PORT = 9090, 80


@dataclass(frozen=True)
class Answered:
    """How many series a query returned."""

    query: Query
    series: int


class SilentError(TaskError):
    """Nobody answered, as while a program starts again or a port forward is made again."""

    code = "service-silent"


class Api:
    """An HTTP API that answers JSON, on a local port."""

    def __init__(self, name: str, port: int, auth: tuple[str, str] | None = None) -> None:
        self._name = name
        self._url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy on the way to this machine's own port
        self._session.auth = auth

    def get(self, path: str, **parameters: str) -> Any:
        """Return the decoded answer. Raises SilentError when there is none, TaskError for a status other than 200."""
        try:
            answer = self._session.get(f"{self._url}{path}", params=parameters, timeout=HTTP_SECONDS)
            content = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise SilentError(f"{self._name} does not answer at {path}", "invoke status", [str(error)]) from None
        if answer.status_code != requests.codes.ok:
            raise TaskError(
                f"{self._name} answers {answer.status_code} at {path}", "invoke status", [answer.text[:300]], code="service-silent"
            )
        return content


def main(project: Project, step: StepReport) -> Outcome:
    """Check all of it, after a little traffic, and print each query with its number of series.

    Raises TaskError that names each panel without data, each target that is down and each rule that is not loaded.
    """
    engine, settings = project.engine, project.settings
    cluster = project.monitoring_deployment().cluster
    no_grafana, loaded, dashboards = monitoring.grafana_is_off(settings), alerts(settings), uids(settings)
    with ExitStack() as forwards:

        def port_of(part: str, port: int) -> int:
            return forwards.enter_context(forward(cluster, f"service/{monitoring.object_name(settings, part)}", port))

        prometheus = Api("Prometheus", port_of("prometheus", PROMETHEUS_PORT))
        jobs = await_targets(prometheus, wanted_jobs(project), step)
        await_rules(prometheus, loaded, step)
        if not no_grafana:
            sign_in = ("admin", project.env.get(monitoring.PASSWORD_KEY))
            await_dashboards(Api("Grafana", port_of("grafana", GRAFANA_PORT), sign_in), dashboards, step)
        answered = await_panels(prometheus, settings, lambda: make_traffic(engine, settings), step)
    show(answered, step)
    empty = sum(1 for answer in answered if not answer.series)
    without = (f", {empty} of them empty as they may be" if empty else "") + (f"; {no_grafana}" if no_grafana else "")
    return passed(f"{jobs} jobs up, {len(loaded)} alerts loaded, {len(answered)} queries of {len(dashboards)} dashboards answered{without}")


def wanted_jobs(project: Project) -> set[str]:
    """Return the jobs that must have targets: the cluster's own, each service with metrics, and the bundled Postgres where it runs."""
    measured = [name for name, service in project.settings.services.items() if service.metrics]
    names = [*measured, *([DATABASE] if EXPORTER in project.sources else [])]
    return {service_name(project.settings.release, name) for name in names} | {"kubelet", "kube-state-metrics"}


def await_targets(prometheus: Api, wanted: set[str], step: StepReport) -> int:
    """Wait until every wanted job has targets and all targets are up; return the number of jobs."""

    def problems() -> list[str]:
        targets = prometheus.get("/api/v1/targets", state="active")["data"]["activeTargets"]
        missing = wanted - {target["labels"]["job"] for target in targets}
        down = [
            f"{t['labels']['job']} {t['labels'].get('pod', '')}: {t['lastError'] or t['health']}" for t in targets if t["health"] != "up"
        ]
        return [f"{job}: no target" for job in sorted(missing)] + down

    _until_none("targets are not up", problems, step)
    return len({target["labels"]["job"] for target in prometheus.get("/api/v1/targets", state="active")["data"]["activeTargets"]})


def await_rules(prometheus: Api, wanted: Collection[str], step: StepReport) -> None:
    """Wait until every alert rule of ours is loaded and can be evaluated."""

    def problems() -> list[str]:
        groups = prometheus.get("/api/v1/rules", type="alert")["data"]["groups"]
        rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
        missing = [f"{name}: not loaded" for name in wanted if name not in rules]
        return missing + [f"{name}: {rule.get('lastError') or rule['health']}" for name, rule in rules.items() if rule["health"] != "ok"]

    _until_none("alert rules are not in Prometheus", problems, step)


def await_dashboards(grafana: Api, dashboards: Collection[str], step: StepReport) -> None:
    """Wait until Grafana has each dashboard from its files, and the data source that they use."""

    def problems() -> list[str]:
        found = {item["uid"] for item in grafana.get("/api/search", type="dash-db")}
        missing = [f"{uid}: not in Grafana" for uid in dashboards if uid not in found]
        by_hand = [
            f"{uid}: not provisioned from a file"
            for uid in dashboards
            if uid in found and not grafana.get(f"/api/dashboards/uid/{uid}")["meta"]["provisioned"]
        ]
        sources = {source["uid"] for source in grafana.get("/api/datasources")}
        return missing + by_hand + ([] if "prometheus" in sources else ["data source prometheus: not in Grafana"])

    _until_none("dashboards are not in Grafana", problems, step)


def await_panels(prometheus: Api, settings: Settings, traffic: Callable[[], None], step: StepReport) -> list[Answered]:
    """Make traffic and ask every query of every panel, until all return data that must; return what each returned."""
    answered: list[Answered] = []

    def problems() -> list[str]:
        traffic()
        answered[:] = [
            Answered(query, count_series(prometheus, query.resolved(settings.namespace, RATE_INTERVAL))) for query in load_queries(settings)
        ]
        return [
            f"{a.query.dashboard}: {a.query.panel} ({a.query.legend}): nothing" for a in answered if not a.series and not a.query.optional
        ]

    _until_none("panels return nothing", problems, step)
    return answered


def count_series(prometheus: Api, expr: str) -> int:
    """Return how many series an expression has now, those left out whose value is not a number."""
    result = prometheus.get("/api/v1/query", query=expr)["data"]["result"]
    return sum(1 for series in result if series["value"][1] != "NaN")


def make_traffic(engine: Engine, settings: Settings) -> None:
    """Use the app a little, as a person would: its pages, and its own proof of one real use."""
    with engine.open_client() as ask:
        for name, service in settings.services.items():
            for path in service.asked_pages:
                ask(name, "GET", path)
        if settings.smoke:
            app_proof.prove(local_path(settings.smoke), ask)


def show(answered: list[Answered], step: StepReport) -> None:
    """Print the table of what was asked."""
    step.table(("dashboard", "panel", "query", "series"), rows(answered), "panels")


def rows(answered: list[Answered]) -> list[tuple[str, str, str, str]]:
    """Return the table of what was asked: dashboard, panel, query, and the number of series or why there may be none."""
    return [(a.query.dashboard, a.query.panel, a.query.legend, str(a.series) if a.series else f"0: {a.query.optional}") for a in answered]


def _until_none(what: str, problems: Callable[[], list[str]], step: StepReport) -> None:
    """Ask for problems until there are none. Raises TaskError that lists those that are left at the time limit."""
    found: list[str] = []

    def solved() -> bool:
        found[:] = problems()
        if found:
            step.progress(f"{len(found)} {what}: {found[0]}")
        return not found

    try:
        until(solved, seconds=SECONDS, pause=PAUSE_SECONDS, what=what, tolerate=lambda error: isinstance(error, SilentError))
    except OverdueError as error:
        if error.evidence:
            cause, *evidence = error.evidence
            raise SilentError(f"{cause}, for {SECONDS} s", "invoke status", evidence) from None
        cause = f"{len(found)} {what} after {SECONDS} s"
        raise TaskError(cause, "invoke open prometheus; docs/runbook.md", found, code="monitoring-incomplete") from None


if __name__ == "__main__":
    run_alone(main)
