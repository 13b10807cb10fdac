"""A real Prometheus scrapes the real services under a little traffic, and recordings of what needs a cluster; every query returns data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from scripts.config.settings import load_settings
from scripts.desired.alert_rules import alerts
from scripts.monitoring.queries import Query, load_queries
from tests.monitoring import processes
from tests.monitoring.expositions import families, recorded
from tests.monitoring.machine import ROOT, written_rules

pytestmark = pytest.mark.monitoring

NAMESPACE = "todo-chatbot"
RATE_INTERVAL = "1m"
ROUNDS = 5
ROUND_SECONDS = 2  # two scrapes
SLOW_SECONDS = 1  # the threshold of AppLatencyHigh
SERVICES = {"backend": "backend-1", "frontend": "frontend-1"}
# Recordings of what needs a cluster, by the job that Prometheus gives it there.
FROM_CLUSTER = {"cadvisor": "kubelet", "kube-state-metrics": "kube-state-metrics", "postgres-exporter": "todo-chatbot-postgres"}
QUERIES = [query for query in load_queries(load_settings()) if not query.optional or "pg_" in query.expr]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The URLs of the real backend and frontend."""
    folder = tmp_path_factory.mktemp("services")
    with (
        processes.postgres() as database_url,
        processes.backend(folder, database_url) as backend,
        processes.frontend(folder, backend) as frontend,
    ):
        yield {"backend": backend, "frontend": frontend}


@dataclass(frozen=True)
class Watched:
    """A Prometheus that has scraped everything while there was traffic, and how long the slowest request took that alerts count."""

    prometheus: processes.Prometheus
    slowest: float


@pytest.fixture(scope="module")
def watched(services: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("prometheus")
    with processes.expositions(recorded()) as pages:
        jobs = [service_job(name, url) for name, url in services.items()] + [recording_job(name, pages) for name in FROM_CLUSTER]
        use(services, "before Prometheus")  # the first requests to a process are slow, and are no traffic that anybody judges by
        with processes.prometheus(folder, jobs, written_rules(folder)) as prometheus:
            yield Watched(prometheus, make_traffic(services))


@pytest.fixture(scope="module")
def server(watched: Watched) -> processes.Prometheus:
    return watched.prometheus


def service_job(name: str, url: str) -> dict[str, Any]:
    """The scrape of a service, with the labels that discovery in the cluster gives it."""
    labels = {"namespace": NAMESPACE, "pod": SERVICES[name], "service": f"todo-chatbot-{name}"}
    target = {"targets": [url.removeprefix("http://")], "labels": labels}
    return {"job_name": f"todo-chatbot-{name}", "static_configs": [target]}


def recording_job(name: str, address: str) -> dict[str, Any]:
    """The scrape of a recording; its labels win, as the chart's ServiceMonitors say, and its old timestamps count for nothing."""
    job: dict[str, Any] = {
        "job_name": FROM_CLUSTER[name],
        "metrics_path": f"/{name}",
        "honor_labels": True,
        "honor_timestamps": False,
        "static_configs": [{"targets": [address]}],
    }
    if name == "cadvisor":
        values = yaml.safe_load((ROOT / "monitoring" / "values.yaml").read_text())
        rules = values["kubelet"]["serviceMonitor"]["cAdvisorMetricRelabelings"]
        job["metric_relabel_configs"] = [
            {"action": rule["action"], "source_labels": rule["sourceLabels"], "regex": rule["regex"]} for rule in rules
        ]
    if name == "postgres-exporter":
        job["static_configs"][0]["labels"] = {"namespace": NAMESPACE, "pod": "postgres-0"}
    return job


def make_traffic(services: dict[str, str]) -> float:
    """Use the app for longer than a few scrapes; return the seconds of the slowest request, chat left out."""
    slowest = 0.0
    for number in range(ROUNDS):
        started = time.monotonic()
        slowest = max(slowest, use(services, str(number)))
        time.sleep(max(0.0, ROUND_SECONDS - (time.monotonic() - started)))
    time.sleep(2 * ROUND_SECONDS)
    return slowest


def use(services: dict[str, str], title: str) -> float:
    """Use the app once as people do, mistakes included; return the seconds of the slowest request, chat left out."""
    page, api = services["frontend"], services["backend"]
    times = [
        seconds_of(200, "GET", f"{page}/"),
        seconds_of(201, "POST", f"{page}/api/todos", {"title": title}),
        seconds_of(200, "GET", f"{page}/api/todos"),
        seconds_of(404, "GET", f"{api}/api/todos/00000000-0000-0000-0000-000000000000"),
    ]
    seconds_of(200, "POST", f"{page}/api/chat", {"message": f"add {title}"})
    return max(times)


def seconds_of(wanted: int, method: str, url: str, body: object = None) -> float:
    """Send a request, check its status, and return how long it took."""
    started = time.monotonic()
    status, text = processes.http(method, url, body)
    assert status == wanted, text
    return time.monotonic() - started


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: f"{q.dashboard}: {q.panel}: {q.legend}")
def test_query_of_a_panel_returns_data(server: processes.Prometheus, query: Query) -> None:
    expr = query.resolved(NAMESPACE, RATE_INTERVAL)
    assert server.values(expr), f"nothing for {expr}"


def test_a_query_for_a_metric_that_nothing_exposes_returns_nothing(server: processes.Prometheus) -> None:
    """The control of the test above."""
    assert not server.values('sum(rate(no_such_metric_total{namespace="todo-chatbot"}[1m]))')


def test_every_target_is_up(server: processes.Prometheus) -> None:
    """A scrape has a second; on a busy machine one may miss it, and the next is in time."""

    def down() -> list[str]:
        return [f"{t['labels']['job']}: {t['lastError']}" for t in server.get("targets")["activeTargets"] if t["health"] != "up"]

    processes.until_none(down)


def test_every_rule_is_loaded_and_can_be_evaluated(server: processes.Prometheus) -> None:
    rules = [rule for group in server.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == set(alerts(load_settings()))
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


def test_nothing_alerts_on_a_healthy_app(watched: Watched) -> None:
    """Not even as pending. The recorded node's disk is full; and where the machine made a request slow, the alert that says so is right."""
    excused = {"AppDiskNearlyFull", *(["AppLatencyHigh"] if watched.slowest > SLOW_SECONDS else [])}

    def alerting() -> set[str]:
        return {series["metric"]["alertname"] for series in watched.prometheus.get("query", query="ALERTS")["result"]} - excused

    processes.until_none(alerting)


def test_adapters_rule_finds_requests_in_flight_of_each_pod(server: processes.Prometheus) -> None:
    """The templates of the rule filled as prometheus-adapter fills them when an autoscaler asks for pods."""
    values = yaml.safe_load((ROOT / "monitoring" / "adapter-values.yaml").read_text())
    (rule,) = values["rules"]["custom"]
    found = server.get("series", **{"match[]": rule["seriesQuery"]})
    assert {series["pod"] for series in found} == set(SERVICES.values())
    fills = {
        "<<.Series>>": "http_requests_in_flight",
        "<<.LabelMatchers>>": f'namespace="{NAMESPACE}",pod=~"{"|".join(SERVICES.values())}"',
        "<<.GroupBy>>": "pod",
    }
    expr = rule["metricsQuery"]
    for template, text in fills.items():
        assert template in expr
        expr = expr.replace(template, text)
    assert {series["metric"]["pod"] for series in server.get("query", query=expr)["result"]} == set(SERVICES.values())


@pytest.mark.parametrize("name", SERVICES)
def test_service_exposes_what_its_recording_says(services: dict[str, str], name: str) -> None:
    """A metric that a service drops or renames shows here, before a dashboard is empty."""
    _, live = processes.http("GET", f"{services[name]}/metrics")
    ours = ("http_", "todo_")
    promised = {family for family in families({name: recorded()[name]}) if family.startswith(ours)}
    exposed = {family for family in families({name: live}) if family.startswith(ours)}
    assert promised
    assert promised == exposed
