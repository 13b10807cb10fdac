"""The logs of a release's pods, as the API server gives them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.core.errors import InputError
from scripts.kubernetes import api_proxy, pod_logs
from scripts.kubernetes.cluster import Cluster
from scripts.logs.line import LogQuery

pytestmark = pytest.mark.unit


def pod(name: str, service: str, restarts: int = 0, **state: Any) -> dict[str, Any]:
    containers = [{"name": service, "restartCount": restarts, "state": state or {"running": {}}}]
    init = [{"name": "migrate", "restartCount": 0, "state": {"terminated": {}}}] if service == "api" else []
    labels = {"app.kubernetes.io/component": service}
    status = {"initContainerStatuses": init, "containerStatuses": containers}
    return {"metadata": {"name": name, "uid": name, "labels": labels}, "status": status}


@dataclass
class Server:
    """An API server that keeps what it is asked for, and has two lines of each container."""

    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def __call__(self, _timeout: float) -> Connection:
        return Connection(self)


@dataclass
class Connection:
    """One of a thread of its own."""

    server: Server
    container: str = ""

    def request(self, _method: str, path: str) -> None:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        self.container = query["container"][0]
        self.server.asked.append((parts.path, query))

    def getresponse(self) -> Any:
        text = f"2026-01-01T00:00:02Z second of {self.container}\n2026-01-01T00:00:01Z first of {self.container}\n"
        stream = io.BytesIO(text.encode())
        return SimpleNamespace(status=200, readline=stream.readline, read=stream.read)

    def close(self) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()

    @contextlib.contextmanager
    def serving(*_: object) -> Iterator[Server]:
        yield made

    pods = [pod("a", "api"), pod("b", "api", restarts=2), pod("c", "page"), pod("d", "page", waiting={"reason": "ErrImagePull"})]
    monkeypatch.setattr(api_proxy, "serving", serving)
    monkeypatch.setattr(Cluster, "get", lambda *_, **__: pods)
    return made


def read(query: LogQuery) -> list[str]:
    return [f"{line.pod}/{line.container} {line.text}" for line in pod_logs.read(Cluster("told", "todo", "todo"), query)]


def test_the_lines_of_all_containers_that_have_run_are_in_the_order_of_their_times(server: Server) -> None:
    found = read(LogQuery())
    assert len(found) == 10  # a and b with their init containers, and c; d has not run
    assert all("first of" in line for line in found[:5])
    assert {path for path, _ in server.asked} == {f"/api/v1/namespaces/todo/pods/{name}/log" for name in "abc"}


def test_what_is_asked_for_is_what_the_query_says(server: Server) -> None:
    read(LogQuery(frozenset(["page"]), lines=5, since_seconds=60))
    ((path, query),) = server.asked
    assert path.endswith("/c/log")
    assert (query["tailLines"], query["sinceSeconds"], query["timestamps"]) == (["5"], ["60"], ["true"])
    assert "follow" not in query


def test_only_what_was_started_again_has_a_run_before(server: Server) -> None:
    assert {line.partition(" ")[0] for line in read(LogQuery(previous=True))} == {"b/api"}
    assert [query["previous"] for _, query in server.asked] == [["true"]]


@pytest.mark.usefixtures("server")
def test_a_service_without_a_pod_is_told_with_those_that_have_one() -> None:
    with pytest.raises(InputError, match="no pod of `ap`") as error:
        read(LogQuery(frozenset(["ap"])))
    assert error.value.action == "one of: api, page"
