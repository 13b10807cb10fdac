"""Requests through the API server: a `kubectl proxy` that answers on its socket stands in for the real one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import TaskError
from scripts.core.shell import Result
from scripts.kubernetes import connection, service_proxy
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis import observation
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from tests.programs import on_path

pytestmark = pytest.mark.runner

KUBECTL = f"""#!{sys.executable} -I
import http.server, socketserver, sys
options = dict(word.split("=", 1) for word in sys.argv if word.startswith("--") and "=" in word)
ANSWERS = {{
    "/api/v1/namespaces/todo/pods/todo-1:8000/proxy/ready": (503, '{{"status": "unavailable",\\n "reason": "starting"}}'),
    "/api/v1/namespaces/todo/pods/todo-1/proxy/health": (200, "fine too"),
    "/api/v1/namespaces/todo/services/todo-backend:http/proxy/health": (200, "fine"),
}}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.path.startswith(options["--accept-paths"].removeprefix("^"))
        status, body = ANSWERS.get(self.path, (404, "no such path")) if allowed else (403, "Forbidden")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())
    def address_string(self):
        return "socket"
    def log_message(self, *_):
        pass

class Server(socketserver.UnixStreamServer):
    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("socket", 0)

with Server(options["--unix-socket"], Handler) as server:
    print("Starting to serve on " + options["--unix-socket"], flush=True)
    server.serve_forever()
"""
CLUSTER = Cluster("any", "todo", "todo")


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    on_path(tmp_path / "programs", monkeypatch)
    program = tmp_path / "programs" / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    return program


def pod(name: str = "todo-1", ready: bool = False) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/ready", "port": "http"}}
    container = {"name": "backend", "readinessProbe": probe, "ports": [{"name": "http", "containerPort": 8000}]}
    status = {"name": "backend", "ready": ready, "state": {"running": {}}}
    owner = [{"uid": "set", "kind": "StatefulSet", "name": "todo"}]
    metadata = {"name": name, "ownerReferences": owner}
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}, "status": {"containerStatuses": [status]}}


class Only(Cluster):
    """A cluster of nothing beside what a quick snapshot has shown."""

    def kubectl(self, *_argv: str, **_: Any) -> Result:
        return Result(0, '{"items": []}', "", 0.0)


def answers(*pods: dict[str, Any]) -> dict[str, str]:
    workload = {"kind": "StatefulSet", "metadata": {"name": "todo", "uid": "set"}, "spec": {}, "status": {}}
    quick = Snapshot("todo", "todo", observation.datetime.now(observation.UTC), workloads=[workload], pods=pods)
    return dict(observation.with_details(Only("any", "todo", "todo"), quick).answers)


def test_a_service_answers_with_its_own_status_and_body(kubectl: Path) -> None:
    with service_proxy.open_client(CLUSTER) as ask:
        assert (ask("backend", "GET", "/health").status, ask("backend", "GET", "/health").body) == (200, "fine")
        assert ask("backend", "GET", "/health", pod="todo-1").body == "fine too"
        assert ask("backend", "GET", "/other").status == 404


def test_the_answer_of_a_failing_readiness_probe_is_evidence(kubectl: Path) -> None:
    assert answers(pod(), pod("todo-2", ready=True)) == {"todo-1/backend": '503 {"status": "unavailable", "reason": "starting"}'}


def test_a_proxy_that_does_not_start_costs_the_diagnosis_its_evidence_alone(kubectl: Path) -> None:
    kubectl.write_text("#!/bin/sh\necho no such context >&2\nexit 1\n")
    assert answers(pod()) == {}
    with pytest.raises(TaskError, match="does not start") as caught, service_proxy.open_client(CLUSTER):
        pass
    assert caught.value.evidence == ("no such context",)


def test_nothing_is_asked_where_every_container_is_ready(kubectl: Path) -> None:
    kubectl.unlink()
    assert answers(pod(ready=True)) == {}


@pytest.mark.parametrize(("folder", "place"), [("/tmp/x", None), ("/private/" + "long/" * 20, "/tmp"), ("/" + "é" * 45, "/tmp")])
def test_a_socket_has_a_path_that_a_system_takes(folder: str, place: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.tempfile, "gettempdir", lambda: folder)
    assert connection._short_folder() == place
