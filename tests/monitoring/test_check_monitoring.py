"""The check of a live monitoring, against a real Prometheus: what it accepts, and that it names what is missing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import check_monitoring
from scripts.check_monitoring import Api, SilentError
from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.desired import monitoring
from scripts.desired.alert_rules import alerts
from scripts.kubernetes.cluster import Cluster
from scripts.monitoring.queries import Query
from tests.doubles import Step
from tests.monitoring import processes
from tests.monitoring.machine import written_rules
from tests.projects import project_in

pytestmark = pytest.mark.monitoring

UIDS = ("todo-chatbot", "todo-chatbot-cluster")
PAGE = 'requests_total{namespace="todo-chatbot"} 1\nnothing_yet NaN\n'


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_monitoring, "SECONDS", 4)
    monkeypatch.setattr(check_monitoring, "PAUSE_SECONDS", 0.5)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The check's view of a Prometheus with one target that is up and one that is down."""
    with processes.expositions({"metrics": PAGE}) as address:
        jobs = [
            {"job_name": "todo-chatbot-backend", "static_configs": [{"targets": [address]}]},
            {"job_name": "todo-chatbot-frontend", "static_configs": [{"targets": [f"127.0.0.1:{processes.free_port()}"]}]},
        ]
        with processes.prometheus(tmp_path_factory.mktemp("prometheus"), jobs, written_rules(tmp_path_factory.mktemp("rules"))) as server:
            processes.until(lambda: len(server.values("up")) == 3)
            yield Api("Prometheus", int(server.url.rpartition(":")[2]))


def settings() -> Any:
    return SimpleNamespace(namespace="todo-chatbot")


def queries(monkeypatch: pytest.MonkeyPatch, **by_panel: tuple[str, str]) -> None:
    """Let the dashboards consist of these panels: the expression, and why it may be empty."""
    found = [Query("todo-chatbot", panel, "", expr, optional) for panel, (expr, optional) in by_panel.items()]
    monkeypatch.setattr(check_monitoring, "load_queries", lambda settings: found)


def test_a_panel_that_returns_nothing_is_named(prometheus: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    queries(monkeypatch, full=("up", ""), silent=("no_such_metric", ""))
    with pytest.raises(TaskError) as caught:
        check_monitoring.await_panels(prometheus, settings(), lambda: None, Step())
    assert caught.value.evidence == ("todo-chatbot: silent (): nothing",)


def test_a_value_that_is_no_number_is_no_data(prometheus: Api) -> None:
    assert check_monitoring.count_series(prometheus, "nothing_yet") == 0
    assert check_monitoring.count_series(prometheus, "count(nothing_yet)") == 1


def test_a_panel_that_may_be_empty_is_shown_with_the_reason(prometheus: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    queries(monkeypatch, full=('requests_total{namespace="$namespace"}', ""), maybe=("no_such_metric", "no exporter here"))
    answered = check_monitoring.await_panels(prometheus, settings(), lambda: None, Step())
    assert [row[3] for row in check_monitoring.rows(answered)] == ["1", "0: no exporter here"]


def test_traffic_comes_before_each_round_of_questions(prometheus: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    queries(monkeypatch, silent=("no_such_metric", ""))
    made: list[None] = []
    with pytest.raises(TaskError):
        check_monitoring.await_panels(prometheus, settings(), lambda: made.append(None), Step())
    assert len(made) > 1


def test_a_target_that_is_down_and_a_service_without_a_target_are_named(prometheus: Api) -> None:
    with pytest.raises(TaskError) as caught:
        check_monitoring.await_targets(prometheus, {f"todo-chatbot-{name}" for name in ("backend", "frontend", "worker")}, Step())
    told = "\n".join(caught.value.evidence)
    assert "todo-chatbot-worker: no target" in told
    assert "todo-chatbot-frontend : " in told
    assert "connection refused" in told
    assert "todo-chatbot-backend" not in told


@pytest.mark.parametrize(
    ("sources", "own"), [(["backend", "postgres", "postgres-exporter"], {"todo-chatbot-postgres"}), (["backend"], set())]
)
def test_the_database_is_a_wanted_job_where_it_has_an_exporter(sources: list[str], own: set[str]) -> None:
    project: Any = SimpleNamespace(
        settings=SimpleNamespace(
            release="todo-chatbot", services={"backend": SimpleNamespace(metrics="/metrics"), "jobs": SimpleNamespace(metrics=None)}
        ),
        sources=sources,
    )
    assert check_monitoring.wanted_jobs(project) == {"todo-chatbot-backend", "kubelet", "kube-state-metrics"} | own


def test_loaded_rules_pass_and_one_that_is_missing_is_named(prometheus: Api) -> None:
    check_monitoring.await_rules(prometheus, alerts(load_settings()), Step())
    with pytest.raises(TaskError) as caught:
        check_monitoring.await_rules(prometheus, ["AppTargetDown", "TodoNew"], Step())
    assert caught.value.evidence == ("TodoNew: not loaded",)


def test_a_prometheus_that_does_not_answer_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_monitoring, "PAUSE_SECONDS", 0.01)
    silence = SilentError("Prometheus does not answer at /api", "", ["refused"])
    looks = iter([silence, ["a target is down"], silence, []])

    def problems() -> list[str]:
        found = next(looks, silence)
        if isinstance(found, SilentError):
            raise found
        return found

    check_monitoring._until_none("targets are not up", problems, Step())
    monkeypatch.setattr(check_monitoring, "SECONDS", 0)
    with pytest.raises(SilentError, match="Prometheus does not answer at /api, for 0 s"):
        check_monitoring._until_none("targets are not up", problems, Step())


def test_a_prometheus_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(TaskError, match="Prometheus does not answer at /api/v1/query"):
        check_monitoring.count_series(Api("Prometheus", processes.free_port()), "up")


class Grafana(BaseHTTPRequestHandler):
    """As much of Grafana's HTTP API as the check asks, in the shapes of its API reference; no Grafana can be had here."""

    found = ("todo-chatbot", "todo-chatbot-cluster")
    provisioned = True

    def do_GET(self) -> None:
        answers: dict[str, Any] = {
            "/api/search": [{"uid": uid, "type": "dash-db"} for uid in self.found],
            "/api/datasources": [{"uid": "prometheus", "type": "prometheus"}],
            **{f"/api/dashboards/uid/{uid}": {"meta": {"provisioned": self.provisioned}} for uid in self.found},
        }
        allowed = self.headers.get("Authorization") == "Basic YWRtaW46c2VjcmV0"
        body = json.dumps(answers[self.path.partition("?")[0]] if allowed else {"message": "Invalid username or password"})
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def grafana_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Grafana) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
        server.server_close()


def test_dashboards_from_files_pass(grafana_port: int) -> None:
    check_monitoring.await_dashboards(Api("Grafana", grafana_port, ("admin", "secret")), UIDS, Step())


def test_a_dashboard_that_grafana_lacks_is_named(grafana_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grafana, "found", ("todo-chatbot",))
    with pytest.raises(TaskError) as caught:
        check_monitoring.await_dashboards(Api("Grafana", grafana_port, ("admin", "secret")), UIDS, Step())
    assert caught.value.evidence == ("todo-chatbot-cluster: not in Grafana",)


def test_a_dashboard_that_somebody_imported_by_hand_is_named(grafana_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grafana, "provisioned", False)
    with pytest.raises(TaskError) as caught:
        check_monitoring.await_dashboards(Api("Grafana", grafana_port, ("admin", "secret")), UIDS, Step())
    assert caught.value.evidence[0] == "todo-chatbot: not provisioned from a file"


@pytest.mark.parametrize(("grafana", "asked"), [("{}", True), ("{enabled: false}", False)])
def test_grafana_is_asked_unless_it_is_off_which_is_said(
    grafana: str, asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(f"grafana: {grafana}\n")
    loaded = load_settings()
    loaded = loaded.model_copy(update={"monitoring": loaded.monitoring.model_copy(update={"values": str(values)})})
    forwarded: list[str] = []

    @contextlib.contextmanager
    def forward(_: Cluster, target: str, *__: int) -> Iterator[int]:
        forwarded.append(target)
        yield 1

    monkeypatch.setattr(check_monitoring, "forward", forward)
    for name, answer in {"targets": 5, "rules": None, "dashboards": None, "panels": []}.items():
        monkeypatch.setattr(check_monitoring, f"await_{name}", lambda *_, answer=answer: answer)
    project = project_in(Cluster("told", "todo-chatbot", "todo-chatbot"), loaded, **{monitoring.PASSWORD_KEY: "secret"})
    outcome = check_monitoring.main(project, Step())
    assert ("service/monitoring-grafana" in forwarded) == asked
    assert (f"; Grafana is off: grafana.enabled in {values}" in outcome.detail) != asked


def test_a_wrong_password_is_said_and_not_shown(grafana_port: int) -> None:
    with pytest.raises(TaskError, match="Grafana answers 401") as caught:
        check_monitoring.await_dashboards(Api("Grafana", grafana_port, ("admin", "wrong-one")), UIDS, Step())
    assert "wrong-one" not in str(caught.value)
