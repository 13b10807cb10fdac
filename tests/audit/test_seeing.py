"""What is looked at, and that a part which cannot be seen is left out with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.audit.facts import CHART, CLUSTER, DOCKER, Asked, Attempt, Daemon, Facts, Objects, Repository, Unseen
from scripts.audit.seeing import cluster, docker, everything, monitoring
from scripts.config.settings import load_settings
from scripts.core.errors import MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.kubernetes.service_client import Answer
from tests.audit import planted
from tests.doubles import revision
from tests.projects import project_on

pytestmark = pytest.mark.unit

INSIDE = "Uid:\t10001\t10001\t10001\t10001\nwrite EROFS\n"
RENDERED = "kind: Deployment\nmetadata: {name: app}\n---\n---\nkind: Service\nmetadata: {name: app}\n"


def ask(service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
    return Answer(200, "x 1\n")


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Facts]:
    """Look at everything of a project on an engine that a test planted; Docker has no image, and the checkout is a planted one."""
    monkeypatch.setattr(everything.repository, "see", lambda: Repository(ROOT, planted.COMMANDS, 2, 9))
    monkeypatch.setattr(everything.helm, "render", lambda *_: RENDERED)
    monkeypatch.setattr(everything.search, "in_files", lambda _: iter(["3 files"]))
    client = SimpleNamespace(info=lambda: {"OperatingSystem": "Debian", "ServerVersion": "29"})
    monkeypatch.setattr(everything, "docker_client", lambda: client)
    monkeypatch.setattr(everything.Images, "read", lambda self, references: self.not_searched.extend(references) or [])

    def look(engine: Any, **env: str) -> Facts:
        project = project_on(engine, load_settings(), POSTGRES_PASSWORD="a-long-password", GRAFANA_ADMIN_PASSWORD="another-one", **env)
        project._images = []
        return everything.see(project, lambda _: None)

    return look


def test_without_an_app_the_chart_is_rendered_and_nothing_runs(see: Callable[..., Facts]) -> None:
    seen = see(SimpleNamespace(name="minikube", deployment=None, deployed=lambda: False, silent=lambda: ""))
    assert isinstance(seen.objects, Objects)
    assert (seen.objects.on, [each["kind"] for each in seen.objects.items]) == (CHART, ["Deployment", "Service"])
    for part in (seen.live, seen.revisions, seen.monitored):
        assert part == Unseen("the app does not run: invoke up")
    assert seen.daemon == Daemon("Debian", "29")
    assert isinstance(seen.images, Unseen)
    assert not isinstance(seen.search, Unseen)
    assert seen.search.places == ("3 files",)
    assert seen.search.keys == 3
    assert seen.databases == []


def test_a_cluster_that_does_not_answer_is_said_not_to(see: Callable[..., Facts]) -> None:
    seen = see(SimpleNamespace(name="minikube", deployment=None, deployed=lambda: False, silent=lambda: "connection refused"))
    assert seen.live == Unseen("the cluster does not answer: connection refused")


def test_where_no_engine_can_work_the_rest_is_seen(see: Callable[..., Facts], monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object) -> None:
        raise MissingError("no engine can work", "install one", ["docker is down"])

    monkeypatch.setattr(everything.Project, "engine", property(none))
    seen = see(None, DATABASE_URL="postgresql://u:password@ep-1.neon.tech/db?sslmode=require")
    assert seen.live == Unseen("no engine can work; docker is down")
    assert seen.databases == ["ep-1.neon.tech"]
    assert seen.repository.commits == 2


def test_the_docker_engine_is_looked_into(see: Callable[..., Facts], monkeypatch: pytest.MonkeyPatch) -> None:
    container = SimpleNamespace(exec_run=lambda argv: SimpleNamespace(output=INSIDE.encode()), logs=lambda tail: b"one\n")
    monkeypatch.setattr(docker, "docker_client", lambda: SimpleNamespace(containers=SimpleNamespace(get=lambda _: container)))
    pods = [
        SimpleNamespace(service="backend", name="app-backend", ready=True, image="app:h1"),
        SimpleNamespace(ready=False, image="x", name="y"),
    ]
    engine = SimpleNamespace(name="docker", deployment=None, deployed=lambda: True, pods=lambda: pods, open_client=lambda: nullcontext(ask))
    seen = see(engine)
    assert not isinstance(seen.live, Unseen)
    assert (seen.live.on, seen.live.logged) == (DOCKER, {"app-backend": True})
    assert seen.live.containers[0].write == "EROFS"
    assert Asked("backend", "/health", 200) in seen.live.asked
    assert not isinstance(seen.search, Unseen)
    assert seen.search.not_searched[:2] == ("app:h1", "x")
    assert "2 logs" in seen.search.places


class Kubectl:
    """A cluster of planted objects, whose containers tell what a test wants."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods, self.namespace, self.release = pods, "app", "app"

    def get(self, kind: str, name: str = "", *, selector: str = "", timeout: float = 0) -> list[Any]:
        return {"pods": list(self.pods), "namespace": [planted.namespace("restricted")]}.get(kind, [])

    def kubectl(self, *argv: str, **_: Any) -> SimpleNamespace:
        tried = "".join(f"connect {where} shut\n" for where in argv if where.startswith("10."))
        return SimpleNamespace(stdout={"exec": INSIDE + tried, "logs": "one\n"}[argv[0]])


def pod(service: str, address: str, phase: str = "Running") -> dict[str, Any]:
    states = [{"name": service, "state": {"running": {}}}, {"name": "beside", "state": {"waiting": {}}}]
    made = planted.of("Pod", service, f"{service}-1")
    spec = {"containers": [{"name": service, "image": f"{service}:h1"}, {"name": "beside", "image": "x"}]}
    return {**made, "spec": spec, "status": {"phase": phase, "podIP": address, "containerStatuses": states}}


def test_a_cluster_is_looked_into(see: Callable[..., Facts], monkeypatch: pytest.MonkeyPatch) -> None:
    there = Kubectl(pod("backend", "10.0.0.1"), pod("frontend", "10.0.0.2"), pod("test", "10.0.0.3", "Succeeded"))
    deployment = SimpleNamespace(cluster=there, open_client=lambda: nullcontext(ask))
    monkeypatch.setattr(everything.helm, "history", lambda _: [revision(1, "deployed", "")])
    monkeypatch.setattr(everything.monitoring, "see", lambda _: Unseen("it is off"))
    pods = [SimpleNamespace(image="app:h1")]
    seen = see(SimpleNamespace(name="kube_context", deployment=deployment, deployed=lambda: True, pods=lambda: pods))
    assert isinstance(seen.objects, Objects)
    assert (seen.objects.on, len(seen.objects.pods())) == (CLUSTER, 2)
    assert not isinstance(seen.live, Unseen)
    assert [each.name for each in seen.live.containers] == ["backend-1/backend", "frontend-1/frontend"]
    tried = [Attempt("backend", "frontend", allowed=False, opened=False), Attempt("frontend", "backend", allowed=True, opened=False)]
    assert seen.live.attempts == tried
    assert seen.revisions == [revision(1, "deployed", "")]
    assert not isinstance(seen.search, Unseen)
    assert "0 Helm records" in seen.search.places


def test_what_a_search_cannot_read_is_named(see: Callable[..., Facts], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> Iterator[str]:
        yield "1 log"
        raise TaskError("the logs cannot be read")

    monkeypatch.setattr(everything.search, "in_files", refused)
    seen = see(SimpleNamespace(name="minikube", deployment=None, deployed=lambda: False, silent=lambda: ""))
    assert not isinstance(seen.search, Unseen)
    assert seen.search.not_searched[-1] == "the logs cannot be read"


def test_prometheus_tells_of_targets_and_of_silent_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = [{"health": "up", "labels": {"job": "a"}}, {"health": "down", "labels": {"job": "b", "pod": "p"}}]
    prometheus: Any = SimpleNamespace(get=lambda *_, **__: {"data": {"activeTargets": targets}})
    monkeypatch.setattr(monitoring, "count_series", lambda _, expr: 0 if "memory" in expr else 1)
    seen = monitoring._ask(prometheus, load_settings())
    assert (seen.up, seen.down) == (1, ["b p is down"])
    assert 0 < len(seen.silent) < seen.queries
    assert all(line.endswith("shows nothing") for line in seen.silent)


def test_the_objects_of_a_namespace_hold_no_secret() -> None:
    assert "secret" not in cluster.KINDS
