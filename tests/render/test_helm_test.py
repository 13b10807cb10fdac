"""The pod of `helm test`: what it asks, and that it fails when an answer is wrong. Its program runs here against a real HTTP server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.render.chart import CHART, OTHER, Object, of_kind, pods, render

pytestmark = pytest.mark.render

ANSWERS: dict[str, tuple[int, str]] = {
    "/health": (200, '{"status": "ok"}'),
    "/busy": (503, '{"status": "unavailable", "reason": "the database does not answer"}'),
    "/page": (200, "<title>Todo Chatbot</title>"),
    "/healthy": (200, "healthy"),
    "/moved": (302, "elsewhere"),
}


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        code, body = ANSWERS.get(self.path, (404, "not here"))
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/nowhere")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server with ANSWERS."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()


def the_pod(objects: list[Object]) -> Object:
    (found,) = of_kind(objects, "Pod")
    return found


def run(checks: list[dict[str, Any]], seconds: float = 0) -> subprocess.CompletedProcess[str]:
    """Run the program as the pod does: its text behind -c."""
    (container,) = the_pod(render())["spec"]["containers"]
    program, flag, text = container["command"]
    assert (program, flag) == ("python3", "-c")
    return subprocess.run(
        [sys.executable, "-c", text, json.dumps(checks), str(seconds)], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_passes_when_every_answer_is_right(url: str) -> None:
    checks = [{"url": url + path} for path in ("/health", "/healthy", "/moved")]
    done = run([*checks, {"url": f"{url}/page", "contains": "Todo"}, {"host": "127.0.0.1", "port": int(url.rsplit(":", 1)[1])}])
    asked = [url + path for path in ("/health", "/healthy", "/moved", "/page")]
    assert done.stdout.splitlines() == [f"ok {each}" for each in [*asked, url.removeprefix("http://")]]
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("path", "wanted", "message"),
    [
        ("/busy", {}, 'HTTP 503: {"status": "unavailable", "reason": "the database does not answer"}'),
        ("/moved", {"contains": "elsewhere"}, "HTTP 302: elsewhere"),
        ("/page", {"contains": "Backlog"}, "no 'Backlog' in: <title>"),
        ("/nowhere", {"contains": "Todo"}, "HTTP 404"),
    ],
)
def test_it_fails_and_says_why(url: str, path: str, wanted: dict[str, str], message: str) -> None:
    done = run([{"url": url + path, **wanted}, {"url": f"{url}/health"}])
    first, second = done.stdout.splitlines()
    assert first.startswith(f"FAILED {url}{path}: {message}")
    assert second == f"ok {url}/health"
    assert done.returncode == 1


def test_it_fails_where_nothing_listens() -> None:
    done = run([{"url": "http://127.0.0.1:9/health"}, {"host": "127.0.0.1", "port": 9}])
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == ["FAILED http://127.0.0.1:9/health", "FAILED 127.0.0.1:9"]
    assert done.stdout.count("Connection refused") == 2
    assert done.returncode == 1


def test_it_waits_for_a_service_that_gets_ready_later(url: str) -> None:
    ANSWERS["/later"] = (503, "not yet")
    threading.Timer(0.5, lambda: ANSWERS.update({"/later": (200, '{"status": "ok"}')})).start()
    done = run([{"url": f"{url}/later"}], seconds=20)
    assert done.returncode == 0, done.stdout


def test_the_pod_asks_every_service_for_its_probes_and_pages(minimal: list[Object]) -> None:
    (container,) = the_pod(minimal)["spec"]["containers"]
    checks, seconds = container["args"]
    asked = {check.pop("url"): check for check in json.loads(checks)}
    backend, frontend = "http://todo-chatbot-backend:8000", "http://todo-chatbot-frontend:3000"
    assert asked == {
        f"{backend}/health": {},
        f"{backend}/ready": {},
        f"{backend}/ready?deep=1": {"contains": ""},
        f"{frontend}/health": {},
        f"{frontend}/ready": {},
        f"{frontend}/": {"contains": "Todo"},
        f"{frontend}/api/todos?limit=1": {"contains": "items"},
    }
    assert 0 < float(seconds) < the_pod(minimal)["spec"]["activeDeadlineSeconds"]


def test_the_pod_reuses_an_image_that_is_there_and_ends(minimal: list[Object]) -> None:
    pod = the_pod(minimal)
    images = {c["image"] for owner, p in pods(minimal) if owner.startswith("Deployment/") for c in p["spec"]["containers"]}
    assert {c["image"] for c in pod["spec"]["containers"]} <= images
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"


def test_the_program_stands_in_the_pod_as_it_stands_in_the_file(minimal: list[Object]) -> None:
    (container,) = the_pod(minimal)["spec"]["containers"]
    assert container["command"][2] == (CHART / "files" / "check_services.py").read_text()


def test_what_has_no_path_is_asked_for_a_connection_and_what_has_no_port_for_nothing() -> None:
    (container,) = the_pod(render({"test": {"imageOf": "api"}}, base=OTHER))["spec"]["containers"]
    assert json.loads(container["args"][0]) == [
        {"url": "http://todo-chatbot-api:5000/api/health"},
        {"host": "todo-chatbot-cache", "port": 6379},
        {"url": "http://todo-chatbot-page:8080/"},
    ]


@pytest.mark.parametrize("test", [{"enabled": False}, {"imageOf": ""}])
def test_a_chart_without_the_test_has_no_test_pod(test: dict[str, Any]) -> None:
    objects = render({"test": test})
    assert of_kind(objects, "Pod") == []
    assert [o["metadata"]["name"] for o in objects if "test" in o["metadata"]["name"]] == []
