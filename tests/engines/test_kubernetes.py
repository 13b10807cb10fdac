"""What the engines on Kubernetes share, as far as no cluster is needed."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from scripts.config.settings import KubeContext, load_settings
from scripts.core.paths import ROOT
from scripts.desired.images import BaseImage, Image
from scripts.engines import kubernetes
from scripts.engines.kube_context import KubeContextEngine
from scripts.engines.kubernetes import KubernetesEngine
from scripts.images.archive import full_name
from scripts.kubernetes import deployment
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.helm import Revision
from tests.programs import Reply, on_path

pytestmark = pytest.mark.unit

HELM_GET_VALUES = ("helm", "--kube-context", "any", "--namespace", "todo", "get", "values", "todo")
IN_THEIRS = ("kubectl", "--context", "theirs", "--namespace", "todo-chatbot")
KUBECTL_GET_NODES = (*IN_THEIRS, "get", "nodes", "--ignore-not-found", "--output", "json")


class Node:
    """A node that tells what is removed from it."""

    node = "one"

    def __init__(self, *references: str) -> None:
        self.there = {full_name(reference) for reference in references}

    def images(self) -> set[str]:
        return self.there

    def remove(self, names: Collection[str]) -> None:
        self.there = self.there.difference(names)


def test_after_a_rollout_local_images_go_like_those_of_nodes_but_for_a_rollback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = on_path(tmp_path, monkeypatch)
    revisions = [Revision(1, "superseded", "first"), Revision(2, "superseded", "second"), Revision(3, "deployed", "third")]
    monkeypatch.setattr(deployment.helm, "history", lambda _: revisions)
    monkeypatch.setattr(deployment.Deployment, "_healthy_fingerprints", lambda _: ["first", "second", "third"])
    monkeypatch.setattr(deployment.Deployment, "_secret_names", lambda _: set())
    for number in (2, 3):
        values = {"services": {"backend": {"image": {"repository": "r:5000/todo-backend", "tag": f"h{number}"}}}}
        programs.tell((*HELM_GET_VALUES, "--revision", str(number), "--output", "json"), Reply(json.dumps(values)))
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(kubernetes, "prune", lambda *arguments: asked.append(arguments))
    node = Node("todo-backend:h1", "todo-backend:h4", "todo-other:h1")
    engine = KubernetesEngine(load_settings(), Cluster("any", "todo", "todo"))
    monkeypatch.setattr(engine, "transports", lambda: [node])
    images = [Image("backend", "todo-backend", "h4", ROOT, Path(), BaseImage("", "", ()))]

    engine.prune([], images)

    assert asked == [(engine._settings, images, {"r:5000/todo-backend:h2", "r:5000/todo-backend:h3"})]
    assert node.there == {full_name("todo-backend:h4"), full_name("todo-other:h1")}


def nodes(*platforms: str) -> Reply:
    named = (platform.split("/") for platform in platforms)
    infos = [{"operatingSystem": system, "architecture": architecture} for system, architecture in named]
    return Reply(json.dumps({"items": [{"status": {"nodeInfo": info}} for info in infos]}))


@pytest.mark.parametrize(
    ("platforms", "values", "platform", "mixed"),
    [
        (["linux/arm64"], {}, "linux/arm64", False),
        (["linux/amd64", "linux/amd64", "windows/amd64"], {}, "linux/amd64", False),
        (["linux/arm64", "linux/amd64"], {}, "linux/amd64", True),
        (["linux/arm64", "linux/amd64"], {"serviceDefaults": {"nodeSelector": {"kubernetes.io/arch": "arm64"}}}, "linux/arm64", False),
        (["linux/arm64", "linux/amd64"], {"serviceDefaults": None}, "linux/amd64", True),
        (["linux/arm64"], {"serviceDefaults": {"nodeSelector": ["kubernetes.io/arch"]}}, "linux/arm64", False),
    ],
)
def test_images_are_for_the_nodes_of_a_cluster_that_is_there_already(
    platforms: list[str], values: dict[str, object], platform: str, mixed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = on_path(tmp_path, monkeypatch)
    programs.tell(("kubectl", "config", "get-contexts", "--output", "name"), Reply("theirs\n"))
    programs.tell(KUBECTL_GET_NODES, nodes(*platforms))
    loaded = load_settings()
    update = {"kube_context": KubeContext(context="theirs"), "chart": loaded.chart.model_copy(update={"values": values})}
    engine = KubeContextEngine(loaded.model_copy(update=update))
    assert engine.platform() == platform
    told = "".join(engine._mixed())
    assert ("the nodes are linux/amd64 and linux/arm64" in told and "nodeSelector: {kubernetes.io/arch: amd64}" in told) == mixed


def test_images_are_for_the_daemons_platform_where_the_cluster_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = on_path(tmp_path, monkeypatch)
    programs.tell(("kubectl", "config", "get-contexts", "--output", "name"), Reply("theirs\n"))
    loaded = load_settings().model_copy(update={"kube_context": KubeContext(context="theirs")})
    assert KubeContextEngine(loaded).platform() == ""
    assert KubeContextEngine(load_settings()).platform() == ""


def test_a_context_may_have_a_blank_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = on_path(tmp_path, monkeypatch)
    programs.tell(("kubectl", "config", "get-contexts", "--output", "name"), Reply("one\nmy own cluster\n"))

    def named(context: str) -> str:
        return KubeContextEngine(load_settings().model_copy(update={"kube_context": KubeContext(context=context)}))._not_named()

    assert named("my own cluster") == ""
    assert named("own") == "the kubeconfig has no context own"
