"""What the engines on Kubernetes share, as far as no cluster is needed."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.config.settings import KubeContext, load_settings
from scripts.core.paths import ROOT
from scripts.desired.images import BaseImage, Image
from scripts.engines import kube_context, kubernetes
from scripts.engines.kube_context import KubeContextEngine
from scripts.engines.kubernetes import KubernetesEngine
from scripts.images.archive import full_name
from scripts.images.prune import Use
from scripts.kubernetes import deployment, own_namespace, pods, remembered
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.nodes import load
from tests.doubles import revision
from tests.programs import Reply, on_path

pytestmark = pytest.mark.unit

HELM_GET_VALUES = ("helm", "--kube-context", "any", "--namespace", "todo", "get", "values", "todo")
IN_THEIRS = ("kubectl", "--context", "theirs", "--namespace", "todo-chatbot")
KUBECTL_GET_NODES = (*IN_THEIRS, "get", "nodes", "--ignore-not-found", "--output", "json")


class Node:
    """A node that tells what is removed from it."""

    node = "one"

    def __init__(self, *references: str) -> None:
        self.there = {full_name(reference): reference for reference in references}

    def images(self) -> dict[str, str]:
        return self.there

    def remove(self, names: Collection[str]) -> None:
        self.there = {name: ident for name, ident in self.there.items() if name not in names}


RELEASES = [revision(1, "superseded", "first"), revision(2, "superseded", "second"), revision(3, "deployed", "third")]
EVERY_POD = ("kubectl", "--context", "any", "--namespace", "todo", "get", "pods", "--all-namespaces", "--output", f"jsonpath={pods.IMAGES}")


@pytest.mark.parametrize(
    ("elsewhere", "everything", "left"),
    [
        (Reply("other busybox:1\n"), False, {"todo-backend:h4", "todo-backend:h9"}),
        (Reply("other busybox:1\n"), True, {"todo-backend:h4"}),
        (Reply("other todo-backend:h1 busybox:1\ntodo todo-backend:h9\n"), True, {"todo-backend:h1", "todo-backend:h4"}),
        (Reply(stderr="Error from server (Forbidden)", code=1), True, {"todo-backend:h1", "todo-backend:h4", "todo-backend:h9"}),
    ],
    ids=["only what this release has had", "everything", "another release runs it", "others' pods may not be seen"],
)
def test_after_a_rollout_old_images_go_but_for_a_rollback_and_other_releases(
    elsewhere: Reply, everything: bool, left: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = on_path(tmp_path, monkeypatch)
    monkeypatch.setattr(deployment.helm, "history", lambda _: RELEASES)
    monkeypatch.setattr(remembered, "healthy", lambda _: ["first", "second", "third"])
    monkeypatch.setattr(own_namespace.OwnNamespace, "secret_names", lambda _: set())
    for number in (1, 2, 3):
        values = {"services": {"backend": {"image": {"repository": "r:5000/todo-backend", "tag": f"h{number}"}}}}
        if number == 1:
            values["services"]["backend"]["image"]["repository"] = "todo-backend"
        programs.tell((*HELM_GET_VALUES, "--revision", str(number), "--output", "json"), Reply(json.dumps(values)))
    programs.tell(EVERY_POD, elsewhere)
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(kubernetes.prune, "superfluous", lambda *arguments: asked.append(arguments) or [])
    node = Node("todo-backend:h1", "todo-backend:h4", "todo-backend:h9", "todo-other:h1")
    engine = KubernetesEngine(load_settings(), Cluster("any", "todo", "todo"))
    monkeypatch.setattr(engine, "transports", lambda: [node])
    images = [Image("backend", "todo-backend", "h4", ROOT, Path(), BaseImage("", "", ()))]

    for each in engine.superfluous([], images, everything=everything):
        each.remove()

    kept = frozenset({"r:5000/todo-backend:h2", "r:5000/todo-backend:h3"})
    assert asked == [(engine._settings, images, Use(kept, None if everything else kept | {"todo-backend:h1"}))]
    assert node.there.keys() == {full_name(name) for name in left | {"todo-other:h1"}}


@pytest.mark.parametrize(
    ("there", "found", "codes"),
    [
        (["todo-backend:h3"], [], []),
        (["todo-backend:h2"], [], ["image-cleared"]),
        (["todo-backend:h2"], ["image-not-on-node"], ["image-not-on-node"]),
    ],
    ids=["there", "gone", "and a pod suffers from it already"],
)
def test_an_image_that_was_cleared_from_a_node_is_told_before_a_pod_needs_it(
    there: list[str], found: list[str], codes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = KubernetesEngine(load_settings(), Cluster("any", "todo", "todo"))
    images = frozenset({"todo-backend:h3", "busybox:1"})
    monkeypatch.setattr(deployment.Deployment, "images", lambda _: images)
    monkeypatch.setattr(deployment.Deployment, "diagnose", lambda _: [Diagnosis(code, "", "", (), "") for code in found])
    monkeypatch.setattr(engine, "transports", lambda: [Node(*there)])
    assert [each.code for each in engine.diagnose()] == codes


def test_images_of_two_services_that_are_one_on_a_node_are_told_before_a_pod_starts_the_wrong_one(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = KubernetesEngine(load_settings(), Cluster("any", "todo", "todo"))
    node = Node("todo-backend:h3", "todo-frontend:h3")
    node.there = dict.fromkeys(node.there, "one")
    monkeypatch.setattr(deployment.Deployment, "images", lambda _: frozenset({"todo-backend:h3", "todo-frontend:h3"}))
    monkeypatch.setattr(deployment.Deployment, "diagnose", lambda _: [])
    monkeypatch.setattr(engine, "transports", lambda: [node])
    monkeypatch.setattr(load, "_ids_here", set)
    found = engine.diagnose()
    assert [(each.code, each.workload) for each in found] == [("image-cleared", "todo-backend"), ("image-cleared", "todo-frontend")]
    monkeypatch.setattr(load, "_ids_here", lambda _: {"one"})
    assert engine.diagnose() == [], "they are one here, too"


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
    told = "".join(map(str, engine._mixed()))
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
    assert named("own").startswith("the kubeconfig has no context own")


@pytest.mark.parametrize(
    ("server", "proxy", "added"),
    [
        ("https://192.168.64.3:6443", "HTTPS_PROXY", "192.168.64.3"),
        ("https://10.1.2.3:6443", "all_proxy", "10.1.2.3"),
        ("https://kube.internal:6443", "https_proxy", "kube.internal"),
        ("https://[fd00::5]:6443", "HTTPS_PROXY", "fd00::5"),
        ("https://192.168.64.3:6443 http://its-own.example:1", "HTTPS_PROXY", ""),
        ("https://api.example.com", "HTTPS_PROXY", ""),
        ("nonsense://[", "HTTPS_PROXY", ""),
        ("https://192.168.64.3:6443", "", ""),
    ],
)
def test_a_server_in_this_network_is_asked_directly(
    server: str, proxy: str, added: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost")
    if proxy:
        monkeypatch.setenv(proxy, "http://proxy.example:3128")
    programs = on_path(tmp_path, monkeypatch)
    path = "jsonpath={.clusters[0].cluster.server} {.clusters[0].cluster.proxy-url}"
    programs.tell(("kubectl", "config", "view", "--minify", "--context", "theirs", "--output", path), Reply(server))
    kube_context._directly.cache_clear()
    engine = KubeContextEngine(load_settings().model_copy(update={"kube_context": KubeContext(context="theirs")}))
    kube_context._directly.cache_clear()
    expected = f"localhost,{added}"
    assert engine.cluster.environment == ({"NO_PROXY": expected, "no_proxy": expected} if added else {})


@pytest.mark.parametrize(
    ("there", "scaling", "warned"), [("", None, True), ("", {"enabled": False}, False), ('{"kind": "APIService"}', None, False)]
)
def test_a_cluster_without_metrics_is_told_before_autoscalers_stay_blind(
    there: str, scaling: object, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = on_path(tmp_path, monkeypatch)
    programs.tell(("kubectl", "config", "get-contexts", "--output", "name"), Reply("theirs\n"))
    info = {"kubeletVersion": "v1.35.1"}
    programs.tell(KUBECTL_GET_NODES, Reply(json.dumps({"items": [{"status": {"nodeInfo": info}}]})))
    api = ("get", "apiservice", "v1beta1.metrics.k8s.io", "--ignore-not-found", "--output", "json")
    programs.tell((*IN_THEIRS, *api), Reply(there))
    loaded = load_settings()
    chart = loaded.chart.model_copy(update={"values": {"serviceDefaults": {"autoscaling": scaling}}})
    warnings: list[str] = []
    step = SimpleNamespace(progress=lambda _: None, warn=warnings.append)
    engine = KubeContextEngine(loaded.model_copy(update={"kube_context": KubeContext(context="theirs"), "chart": chart}))
    assert engine.decide_start(step).carry_out(step).detail == "theirs, v1.35.1, 1 node"
    assert [("no metrics-server" in each, "kubelet-insecure-tls" in each) for each in warnings] == ([(True, True)] if warned else [])
