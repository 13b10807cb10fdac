"""What containers hold while a shared value changes, and what goes only after the others are replaced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from scripts.config.settings import load_settings
from scripts.core.decision import Decision
from scripts.core.errors import TaskError
from scripts.core.redaction import redact
from scripts.engines.docker import engine as docker_engine
from scripts.engines.docker.containers import Containers
from scripts.engines.docker.engine import DockerEngine
from scripts.engines.docker.pod_spec import Plan
from tests.doubles import Step

pytestmark = pytest.mark.unit


class World:
    """Containers by workload, and what stood there when a new one was made."""

    def __init__(self, *there: Any, breaks: bool = False) -> None:
        self.there = {each.name: each for each in there}
        self.breaks = breaks
        self.labels: dict[str, str] = {}
        self.beside: list[set[str]] = []
        for each in there:
            each.remove = lambda force, each=each: self.there.pop(each.name)

    def by_workload(self) -> dict[str, Any]:
        return dict(self.there)

    by_service = by_workload

    def every(self) -> list[Any]:
        return list(self.there.values())

    def restore(self) -> None:
        pass

    def replace(self, pod: Any, *_: object) -> None:
        self.beside.append(set(self.there))
        if self.breaks:
            raise TaskError("it cannot start", "")


def container(name: str, *environment: str, port: bool = False, secrets: str = "", status: str = "running") -> Any:
    attributes = {"Config": {"Env": list(environment)}, "HostConfig": {"PortBindings": {"80/tcp": []} if port else {}}}
    labels = {"todo.service": name, "todo.secrets": secrets, "todo.spec": "old"}
    return SimpleNamespace(name=name, labels=labels, attrs=attributes, status=status)


def engine_over(world: World) -> DockerEngine:
    engine = DockerEngine(load_settings())
    engine._containers = cast("Containers", world)
    return engine


def test_what_the_containers_hold_is_read_from_their_environment_and_known_to_the_redactor() -> None:
    backend = container("backend", "PATH=/bin", "API_TOKEN=marked-old", "API_TOKEN_ALSO=marked=new")
    found = engine_over(World(backend)).running([])
    assert found
    assert found.secrets == {"backend": {"API_TOKEN": "marked-old", "API_TOKEN_ALSO": "marked=new"}}
    assert "marked=new" not in redact("marked=new")
    assert engine_over(World()).running([]) is None
    assert engine_over(World(backend, container("frontend", status="restarting"))).running([]) is None


@pytest.mark.parametrize("breaks", [False, True])
def test_the_database_goes_after_the_others_are_replaced_and_a_publisher_before(breaks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_engine, "remove_sources", lambda *_: None)
    monkeypatch.setattr(DockerEngine, "decide_start", lambda *_: Decision("the network is there"))
    world = World(container("backend"), container("postgres"), container("old-page", port=True), breaks=breaks)
    pod = SimpleNamespace(workload="backend", digest="new", container=SimpleNamespace(sources={}))
    wanted = cast("Plan", SimpleNamespace(pods=[pod]))
    if breaks:
        with pytest.raises(TaskError, match="cannot start"):
            engine_over(world)._bring(wanted, [], "", Step())
    else:
        engine_over(world)._bring(wanted, [], "", Step())
    assert world.beside == [{"backend", "postgres"}]
    assert set(world.there) == ({"backend", "postgres"} if breaks else {"backend"})


def test_a_container_with_a_withdrawn_secret_is_named() -> None:
    world = World(container("backend", secrets="todo-backend-1"), container("frontend"))
    secret = SimpleNamespace(name="todo-backend-2")
    assert engine_over(world).withdraw([cast("Any", secret)], []) == ["backend"]
    secret.name = "todo-backend-1"
    assert engine_over(world).withdraw([cast("Any", secret)], []) == []
