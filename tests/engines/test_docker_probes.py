"""A probe that is a connection, asked of a port as Docker publishes it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest

from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.engines.docker import engine as docker_engine
from scripts.engines.docker.engine import DockerEngine
from scripts.engines.docker.pod_spec import PodPlan, Probe
from scripts.engines.docker.probes import _ask, await_probe, diagnose, just_restarted
from scripts.kubernetes.diagnosis.cause import Diagnosis
from tests.doubles import Step

pytestmark = pytest.mark.unit


@contextmanager
def port(*, hangs_up: bool) -> Iterator[int]:
    """A port that accepts one connection, and hangs up at once or waits for the other side."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                if not hangs_up:
                    connection.recv(1)

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_connection_counts_when_it_stays(hangs_up: bool) -> None:
    with port(hangs_up=hangs_up) as number:
        well, said = _ask(None, Probe(), number)
    assert well is not hangs_up
    assert said == ("the connection is closed at once" if hangs_up else "connected")


class Container:
    """A container in a state, as docker-py shows it."""

    def __init__(self, status: str, *, restarts: int = 0, **state: object) -> None:
        self.status = status
        self.attrs = {"RestartCount": restarts, "State": {"Status": "exited", **state}}

    def reload(self) -> None:
        """It stays as it is."""

    def logs(self, tail: int) -> bytes:
        return f"the last {tail} lines".encode()


def pod(*probes: Probe) -> PodPlan:
    container = SimpleNamespace(startup=None, readiness=probes[0] if probes else None, memory=2**28)
    return cast("PodPlan", SimpleNamespace(workload="todo-backend", service="backend", container=container))


@pytest.mark.parametrize(
    ("container", "code", "cause"),
    [
        (None, "not-rolled-out", "todo-backend has no container"),
        (Container("exited", ExitCode=137), "ended-by-itself", "its container is exited, with exit code 137"),
        (Container("running", ExitCode=0), "readiness-failing", "does not become ready: its port says Connection refused"),
        (Container("restarting", restarts=4, ExitCode=1), "crash-on-start", "ends with exit code 1 soon after its start"),
        (Container("running", restarts=4, Status="running"), "crash-on-start", "has ended 4 times, and does not become ready"),
        (Container("restarting", restarts=4, OOMKilled=True), "out-of-memory", "used more than its memory limit (256 MiB)"),
    ],
)
def test_a_workload_that_is_not_ready_is_diagnosed(container: Container | None, code: str, cause: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    found = diagnose(pod(Probe()), container, number)
    assert found
    assert found.code == code
    assert cause in found.cause
    assert found.action
    assert found.evidence == (() if container is None else ("the last 15 lines",))


@pytest.mark.parametrize(("restarts", "seconds", "just"), [(0, 1, False), (10, 3, True), (10, 60, False)])
def test_what_was_restarted_a_moment_ago_has_not_shown_that_it_stays(restarts: int, seconds: int, just: bool) -> None:
    started = datetime.now(UTC) - timedelta(seconds=seconds)
    assert just_restarted(Container("running", restarts=restarts, StartedAt=f"{started:%Y-%m-%dT%H:%M:%S}.123456789Z")) is just


def test_a_service_that_is_not_ready_follows_from_one_that_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = DockerEngine(load_settings("docker"))
    pods = [SimpleNamespace(workload=f"todo-{name}", service=name) for name in ("frontend", "backend", "postgres")]
    codes = {"frontend": "readiness-failing", "backend": "crash-on-start"}
    monkeypatch.setattr(engine, "_supposed_pods", lambda: pods)
    monkeypatch.setattr(engine, "_containers", Mock())
    monkeypatch.setattr(
        docker_engine,
        "diagnose",
        lambda pod, *_: Diagnosis(codes[pod.service], pod.workload, "not ready", (), "look") if pod.service in codes else None,
    )
    assert [(each.workload, each.follows_from) for each in engine.diagnose()] == [("todo-backend", ""), ("todo-frontend", "todo-backend")]
    assert [pod.service for pod in engine._callees_first(cast("Any", pods))] == ["postgres", "backend", "frontend"]


def test_a_workload_that_is_ready_has_no_diagnosis() -> None:
    with port(hangs_up=False) as number:
        assert diagnose(pod(Probe()), Container("running"), number) is None
    assert diagnose(pod(), Container("running"), 0) is None


def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    assert _ask(None, Probe(), number) == (False, "Connection refused")


class Restarting(Container):
    """One that Docker starts again at each look, until it runs for good."""

    def __init__(self, *, before: int, more: int) -> None:
        super().__init__("restarting", restarts=before, ExitCode=1)
        self.left = more

    def reload(self) -> None:
        """Go on."""
        self.status = "restarting" if self.left else "running"
        self.attrs["RestartCount"] += bool(self.left)
        self.left = max(0, self.left - 1)


def test_restarts_for_want_of_a_database_count_only_from_when_it_is_waited_for() -> None:
    with port(hangs_up=False) as number:
        assert await_probe(pod(), Restarting(before=9, more=2), number, Probe(), time.monotonic() + 20, Step())
    with pytest.raises(TaskError, match="ends with exit code 1 soon after its start"):
        await_probe(pod(), Restarting(before=0, more=99), 1, Probe(), time.monotonic() + 20, Step())


def test_the_last_lines_of_a_container_that_ended_are_told_as_logs_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b'{"level": "info", "message": "request", "path": "/todos", "status": 500}\n\nTraceback\n'
    container = Container("exited", ExitCode=1)
    monkeypatch.setattr(container, "logs", lambda tail: lines)
    found = diagnose(cast("PodPlan", SimpleNamespace(workload="api")), container, 0)
    assert found
    assert found.evidence == ("info request path=/todos status=500", "Traceback")
