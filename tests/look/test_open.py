"""Opening the app, Grafana or Prometheus: what is forwarded, what is printed, and that no password is unless asked for."""

from __future__ import annotations

import contextlib
import io
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.config.settings import load_settings
from scripts.core import shell
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Report
from scripts.desired import monitoring
from scripts.kubernetes.cluster import Cluster
from scripts.look import open as open_command
from tests.core.test_screen import Terminal
from tests.projects import project_in, project_on

pytestmark = pytest.mark.monitoring

PASSWORD = "a-marked-password"


@pytest.fixture
def forwarded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int, int]]:
    """Each port forward: namespace, Service, its port, the wanted local port. It leads to 12345 and ends at once."""
    made: list[tuple[str, str, int, int]] = []

    @contextlib.contextmanager
    def forward(cluster: Cluster, target: str, port: int, local_port: int) -> Iterator[int]:
        made.append((cluster.namespace, target, port, local_port))
        yield 12345

    monkeypatch.setattr(open_command, "forward", forward)
    monkeypatch.setattr(shell, "stopping", lambda: True)
    return made


def project() -> Any:
    made = project_in(Cluster("told", "todo-chatbot", "todo-chatbot"), load_settings(), **{monitoring.PASSWORD_KEY: PASSWORD})
    made.engine.deployed = lambda: True  # type: ignore[method-assign]
    return made


def on_docker(*, deployed: bool) -> Any:
    return project_on(SimpleNamespace(name="docker", deployment=None, deployed=lambda: deployed, silent=lambda: ""), load_settings())


def opened(what: str, made: Any = None, **options: bool) -> str:
    """What is printed, on either stream, while `what` is opened."""
    output = io.StringIO()
    open_command.open_forward(made or project(), what, Report(stdout=output, stderr=output), browser=False, **options)
    return output.getvalue()


@pytest.mark.parametrize(
    ("what", "forward"),
    [
        ("app", ("todo-chatbot", "service/todo-chatbot-frontend", 3000, 3000)),
        ("backend", ("todo-chatbot", "service/todo-chatbot-backend", 8000, 8000)),
        ("grafana", ("monitoring", "service/monitoring-grafana", 80, 0)),
        ("prometheus", ("monitoring", "service/monitoring-prometheus", 9090, 0)),
    ],
)
def test_each_is_forwarded_from_its_own_namespace(what: str, forward: tuple[str, str, int, int], forwarded: list[Any]) -> None:
    assert "http://localhost:12345" in opened(what)
    assert forwarded == [forward]


@pytest.mark.parametrize(("values", "prefix"), [("", "monitoring"), ("grafana: {}\n", "observability")], ids=["ours", "that name nothing"])
def test_monitoring_under_another_release_is_where_its_values_name_it(
    values: str, prefix: str, forwarded: list[Any], tmp_path: Path
) -> None:
    made, file = project(), tmp_path / "values.yaml"
    file.write_text(values)
    changes = {"release": "observability", "namespace": "watching"} | ({"values": str(file)} if values else {})
    made.settings = made.settings.model_copy(update={"monitoring": made.settings.monitoring.model_copy(update=changes)})
    for what in ("grafana", "prometheus"):
        opened(what, made)
    assert [(each[0], each[1]) for each in forwarded] == [("watching", f"service/{prefix}-{part}") for part in ("grafana", "prometheus")]


def test_grafana_says_how_to_sign_in_and_keeps_the_password(forwarded: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    told = opened("grafana")
    assert "`admin`" in told
    assert "GRAFANA_ADMIN_PASSWORD in .env" in told
    assert PASSWORD not in told + "".join(capsys.readouterr())


def test_grafana_that_is_off_is_said_so(forwarded: list[Any], tmp_path: Path) -> None:
    made = project()
    values = tmp_path / "values.yaml"
    values.write_text("grafana: {enabled: false}\n")
    made.settings = made.settings.model_copy(update={"monitoring": made.settings.monitoring.model_copy(update={"values": str(values)})})
    with pytest.raises(InputError, match="Grafana is off: "):
        opened("grafana", made)
    assert not forwarded


def test_the_password_is_printed_when_asked_for(forwarded: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    opened("grafana", show_password=True)
    assert capsys.readouterr().out == f"{PASSWORD}\n"


@pytest.mark.parametrize("what", ["app", "prometheus"])
def test_what_needs_no_password_prints_none(what: str, forwarded: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert PASSWORD not in opened(what, show_password=True) + "".join(capsys.readouterr())


def test_something_else_is_refused_with_the_choices(forwarded: list[Any]) -> None:
    with pytest.raises(InputError) as caught:
        opened("kibana")
    assert caught.value.action == "it is one of: app, backend, frontend, grafana, prometheus"
    assert forwarded == []


@pytest.mark.parametrize("what", ["grafana", "prometheus"])
def test_without_a_kubernetes_there_is_no_monitoring_to_open(what: str, forwarded: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    made = on_docker(deployed=True)
    with pytest.raises(InputError, match="the docker engine has no monitoring"):
        opened(what, made, show_password=True)
    assert PASSWORD not in capsys.readouterr().out


def test_on_the_docker_engine_a_service_is_where_its_port_is(forwarded: list[Any]) -> None:
    assert opened("frontend", on_docker(deployed=True)) == "http://localhost:3000\n"
    assert forwarded == []


def test_a_service_without_a_page_says_where_it_answers(forwarded: list[Any]) -> None:
    said = "todo-chatbot-backend has no page at /; it answers at /health, /ready, /metrics, /ready?deep=1"
    assert opened("backend", on_docker(deployed=True)).splitlines() == ["http://localhost:8000", said]
    assert said in opened("backend")
    assert "no page" not in opened("app") + opened("grafana")


@pytest.mark.parametrize("there", [True, False])
def test_a_browser_that_cannot_be_started_is_said(*, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, asked = Terminal(), []
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(webbrowser, "open", lambda url: (asked.append(url), there)[1])
    open_command.open_forward(on_docker(deployed=True), "frontend", Report(stdout=screen, stderr=screen))
    assert asked == ["http://localhost:3000"]
    assert ("no browser could be started here" in screen.getvalue()) != there


def test_an_app_that_is_not_installed_has_no_address(forwarded: list[Any]) -> None:
    with pytest.raises(TaskError, match="todo-chatbot is not installed"):
        opened("app", on_docker(deployed=False))


def test_where_no_service_is_public_it_says_which_setting_makes_one(forwarded: list[Any]) -> None:
    made = project()
    hidden = {name: service.model_copy(update={"public": False}) for name, service in made.settings.services.items()}
    made.settings = made.settings.model_copy(update={"services": hidden})
    with pytest.raises(InputError, match="no service is public"):
        opened("app", made)
    opened("prometheus", made)
