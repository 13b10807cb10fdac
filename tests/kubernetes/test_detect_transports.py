"""How images get into a cluster that is there already: what the cluster says comes from a fake kubectl, the containers are real."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.config.settings import KubeContext, Settings, load_settings
from scripts.core import shell
from scripts.core.errors import InputError
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import BaseImage, Image
from scripts.engines.kube_context import KubeContextEngine
from scripts.kubernetes.helm import references_in
from scripts.kubernetes.nodes import detect, registry
from scripts.kubernetes.nodes.transports import ContainerdNode, DockerdNode, LocalDaemonNode, NerdctlNode
from scripts.machine import docker_client as machine
from tests.doubles import Step
from tests.kubernetes import small_registry
from tests.programs import Programs, Reply, on_path

pytestmark = pytest.mark.engine

CONTEXTS = ("kubectl", "config", "get-contexts", "--output", "name")
NODES = ("kubectl", "--context", "theirs", "--namespace", "todo-chatbot", "get", "nodes", "--ignore-not-found", "--output", "json")
PODS = (
    *("kubectl", "--context", "theirs", "--namespace", "todo-chatbot", "get", "pods", "--all-namespaces", "--field-selector"),
    *("spec.nodeName=here,status.phase=Running", "--output", "jsonpath={.items[*].metadata.uid}"),
)
VERSION = ("kubectl", "--context", "theirs", "--namespace", "todo-chatbot", "version", "--output", "json", "--request-timeout=5s")


PLATFORM = {"operatingSystem": "linux", "architecture": "amd64"}


@pytest.fixture
def programs(docker_client: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    fakes = on_path(tmp_path / "bin", monkeypatch)
    yield fakes
    fakes.check()


def engine_with(**kube_context: str) -> KubeContextEngine:
    wanted = KubeContext(**{"context": "theirs", **kube_context})
    settings: Settings = load_settings().model_copy(update={"kube_context": wanted, "namespace": "todo-chatbot", "release": "todo-chatbot"})
    return KubeContextEngine(settings)


def node(name: str, provider: str = "", runtime: str = "containerd://2.1.3", boot: str = "another-machine") -> dict[str, object]:
    info = {"containerRuntimeVersion": runtime, "bootID": boot, "kubeletVersion": "v1.36.2"} | PLATFORM
    spec = {"providerID": provider} if provider else {}
    return {"kind": "Node", "metadata": {"name": name}, "spec": spec, "status": {"nodeInfo": info}}


def nodes(*items: dict[str, object]) -> Reply:
    return Reply(json.dumps({"kind": "List", "items": items}))


@pytest.fixture
def container(docker_client: object) -> Iterator[object]:
    """Makes containers that stand where kind, k3d or Minikube would have put a node; they are never started."""
    made, tag = [], f"todo-transports-test:{uuid.uuid4().hex[:8]}"
    image = io.BytesIO()
    with tarfile.open(fileobj=image, mode="w") as context:
        dockerfile = b'FROM scratch\nCOPY Dockerfile /\nCMD ["/none"]\n'
        info = tarfile.TarInfo("Dockerfile")
        info.size = len(dockerfile)
        context.addfile(info, io.BytesIO(dockerfile))
    image.seek(0)
    machine.docker_client().images.build(fileobj=image, custom_context=True, tag=tag, rm=True)

    def make(name: str, **labels: str) -> None:
        made.append(
            machine.docker_client().containers.create(tag, name=name, labels={key.replace("__", "."): v for key, v in labels.items()})
        )

    yield make
    for each in made:
        each.remove(force=True)
    machine.docker_client().images.remove(tag)


@pytest.mark.parametrize(
    ("labels", "provider"),
    [
        ({"io.x-k8s.kind.cluster": "dev"}, "kind://docker/dev/{name}"),
        ({"app": "k3d", "k3d.cluster": "dev"}, "k3s://{name}"),
        ({"name.minikube.sigs.k8s.io": "dev"}, ""),
    ],
    ids=["kind", "k3d", "minikube"],
)
def test_a_node_that_is_a_container_here_is_found_by_itself(
    programs: Programs, container: object, labels: dict[str, str], provider: str
) -> None:
    name = f"transports-{uuid.uuid4().hex[:8]}"
    container(name, **labels)
    programs.tell(NODES, nodes(node(name, provider.format(name=name))))
    assert engine_with().transports() == [ContainerdNode(name, ("docker", "exec", "-i", name, "ctr"))]


def test_every_node_of_a_cluster_gets_its_own_road(programs: Programs, container: object) -> None:
    names = [f"transports-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        container(name, **{"io.x-k8s.kind.cluster": "dev"})
    programs.tell(NODES, nodes(*(node(name) for name in names)))
    assert [transport.node for transport in engine_with(images="kind").transports()] == names


def test_a_minikube_with_the_docker_runtime_is_filled_through_its_own_docker(programs: Programs, container: object) -> None:
    name = f"transports-{uuid.uuid4().hex[:8]}"
    container(name, **{"name.minikube.sigs.k8s.io": "dev"})
    programs.tell(NODES, nodes(node(name, runtime="docker://28.2.2")))
    assert engine_with().transports() == [DockerdNode(name, ("docker", "exec", "-i", name, "docker"))]


def test_a_stranger_that_is_named_like_a_node_is_not_taken_for_it(programs: Programs, container: object) -> None:
    name = f"transports-{uuid.uuid4().hex[:8]}"
    container(name, purpose="something else")
    programs.tell(NODES, nodes(node(name)))
    with pytest.raises(InputError, match=f"no known way to load images into node {name}"):
        engine_with().transports()


@pytest.mark.parametrize(
    ("daemon", "name", "runtime"),
    [
        ("docker-desktop", "docker-desktop", "docker://28.2.2"),
        ("docker-desktop", "desktop-control-plane", "containerd://2.1.3"),
        ("docker-desktop", "desktop-worker2", "containerd://2.1.3"),
        ("orbstack", "orbstack", "docker://28.2.2"),
        ("lima-rancher-desktop", "lima-rancher-desktop", "docker://27.3.1"),
        ("colima", "colima", "docker://28.4.0"),
        ("Colima-Work", "colima-work", "docker://28.4.0"),
    ],
)
def test_a_desktops_node_shares_the_local_images(
    daemon: str, name: str, runtime: str, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine.docker_client(), "info", lambda: {"Name": daemon})
    programs.tell(NODES, nodes(node(name, runtime=runtime)))
    assert engine_with().transports() == [LocalDaemonNode(name)]


@pytest.mark.parametrize(
    ("daemon", "name", "runtime"),
    [
        ("laptop", "docker-desktop", "docker://28.2.2"),
        ("laptop", "desktop-control-plane", "containerd://2.1.3"),
        ("lima-rancher-desktop", "lima-rancher-desktop", "containerd://2.1.3"),
        ("docker-desktop", "desktop-of-mine", "containerd://2.1.3"),
    ],
)
def test_a_node_that_only_is_called_like_a_desktops_shares_nothing(
    daemon: str, name: str, runtime: str, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine.docker_client(), "info", lambda: {"Name": daemon})
    programs.tell(NODES, nodes(node(name, runtime=runtime)))
    with pytest.raises(InputError, match="no known way"):
        engine_with().transports()


PS = ("nerdctl", "--namespace", "k8s.io", "ps", "--quiet", "--filter", "label=io.kubernetes.pod.uid=uid-1")


@pytest.mark.parametrize("boot", ["another-machine", detect.BOOT_ID.read_text().strip()], ids=["lima", "wsl"])
def test_a_containerd_that_nerdctl_speaks_to_is_filled_through_it(programs: Programs, boot: str) -> None:
    programs.tell(NODES, nodes(node("here", boot=boot)))
    programs.tell(PODS, Reply("uid-1 uid-2"))
    programs.tell(PS, Reply("0123456789ab\n"))
    assert engine_with().transports() == [NerdctlNode("here")]


def test_a_nerdctl_of_another_containerd_is_not_taken(programs: Programs) -> None:
    programs.tell(NODES, nodes(node("here")))
    programs.tell(PODS, Reply("uid-1"))
    programs.tell(PS, Reply())
    with pytest.raises(InputError, match="no known way to load images into node here") as error:
        engine_with().transports()
    assert "~/.rd/bin" in error.value.action


def test_what_nerdctl_loads_is_the_whole_archive(programs: Programs) -> None:
    programs.tell(("nerdctl", "--namespace", "k8s.io", "load"), Reply("Loaded image: todo-backend:h1\n"))
    programs.tell(
        ("nerdctl", "--namespace", "k8s.io", "image", "ls", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"), Reply("todo-backend:h1 1f\n")
    )
    NerdctlNode("here").send([b"an ", b"archive"])
    assert NerdctlNode("here").images() == {"docker.io/library/todo-backend:h1": "1f"}
    assert [ask["stdin"] for ask in programs.asked() if "load" in ask["argv"]] == [len(b"an archive")]


def test_a_node_that_is_out_of_reach_is_refused_with_what_was_seen_and_the_settings_to_choose_from(programs: Programs) -> None:
    programs.tell(NODES, nodes(node("ip-10-0-0-7", "aws:///eu-central-1a/i-0123")))
    with pytest.raises(InputError) as refusal:
        engine_with().transports()
    assert "no known way to load images into node ip-10-0-0-7 of theirs" in refusal.value.cause
    assert "kube_context.images and .registry" in refusal.value.action
    assert "aws:///eu-central-1a/i-0123" in refusal.value.evidence[0]


@pytest.fixture
def this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two sockets at the usual places: the container engine's own, and the node's."""
    boot = tmp_path / "boot_id"
    boot.write_text("this-boot\n")
    sockets = [str(tmp_path / "engine.sock"), str(tmp_path / "node.sock")]
    for path in sockets:
        Path(path).touch()
    monkeypatch.setattr(detect, "BOOT_ID", boot)
    monkeypatch.setattr(detect, "SOCKETS", (str(tmp_path / "none.sock"), *sockets))
    return sockets


def containers(socket: str, uid: str) -> tuple[str, ...]:
    label = f'labels."io.kubernetes.pod.uid"=={uid}'
    return ("ctr", "--address", socket, "--namespace", "k8s.io", "containers", "ls", "--quiet", label)


def test_on_this_machine_the_containerd_is_taken_that_runs_a_pod_of_the_node(programs: Programs, this_machine: list[str]) -> None:
    programs.tell(NODES, nodes(node("here", boot="this-boot")))
    programs.tell(PODS, Reply("uid-1 uid-2"))
    programs.tell(containers(this_machine[0], "uid-1"), Reply(""))
    programs.tell(containers(this_machine[1], "uid-1"), Reply("4f1c\n"))
    assert engine_with().transports() == [ContainerdNode("here", ("ctr", "--address", this_machine[1]))]


def test_with_no_pod_to_ask_for_kubernetes_own_namespace_is_the_sign(programs: Programs, this_machine: list[str]) -> None:
    programs.tell(NODES, nodes(node("here", boot="this-boot")))
    programs.tell(PODS, Reply(""))
    programs.tell(("ctr", "--address", this_machine[0], "namespaces", "ls", "--quiet"), Reply("moby\n"))
    programs.tell(("ctr", "--address", this_machine[1], "namespaces", "ls", "--quiet"), Reply("default\nk8s.io\n"))
    assert engine_with().transports() == [ContainerdNode("here", ("ctr", "--address", this_machine[1]))]


def test_of_several_nodes_on_this_machine_each_is_found_by_its_own_pod(programs: Programs, this_machine: list[str], tmp_path: Path) -> None:
    programs.tell(NODES, nodes(node("here", boot="this-boot")))
    programs.tell(PODS, Reply("uid-1"))
    programs.tell(containers(this_machine[0], "uid-1"), Reply(""))
    programs.tell(containers(this_machine[1], "uid-1"), Reply("4f1c\n"))
    found = engine_with(containerd_socket=str(tmp_path / "*.sock")).transports()
    assert found == [ContainerdNode("here", ("ctr", "--address", this_machine[1]))]


def test_a_node_without_a_pod_is_not_mixed_up_with_another(programs: Programs, this_machine: list[str]) -> None:
    programs.tell(NODES, nodes(node("here", boot="this-boot")))
    programs.tell(PODS, Reply(""))
    for socket in this_machine:
        programs.tell(("ctr", "--address", socket, "namespaces", "ls", "--quiet"), Reply("k8s.io\n"))
    with pytest.raises(InputError, match="here runs no pod yet that would tell which containerd is its own"):
        engine_with().transports()


def test_sockets_that_do_not_serve_are_named_with_their_reasons(programs: Programs, this_machine: list[str]) -> None:
    denied = Reply(stderr="ctr: failed to dial: permission denied\n", code=1)
    programs.tell(NODES, nodes(node("here", boot="this-boot")))
    programs.tell(PODS, Reply("uid-1"))
    programs.tell(containers(this_machine[0], "uid-1"), Reply(""))
    programs.tell(containers(this_machine[1], "uid-1"), denied)
    with pytest.raises(InputError) as refusal:
        engine_with().transports()
    text = str(refusal.value)
    assert f"{this_machine[0]}: runs no pod of here" in text
    assert f"{this_machine[1]}: ctr: failed to dial: permission denied" in text
    assert "kube_context.containerd_socket" in text


def test_with_no_context_named_nothing_is_asked(programs: Programs) -> None:
    engine = engine_with(context="")
    assert engine.unusable() == "no context is named under kube_context in invoke.yaml"
    assert not engine.deployed()
    assert programs.asked() == []


def test_a_context_that_the_kubeconfig_lacks_is_refused(programs: Programs) -> None:
    programs.tell(CONTEXTS, Reply("minikube\nproduction\nof theirs\n"))
    assert engine_with().unusable() == "the kubeconfig has no context theirs (did you mean `of theirs`?)"
    assert "fix kube_context.context" in str(engine_with().preflight()[0])


def test_a_cluster_that_does_not_answer_is_told_in_kubectls_words(programs: Programs) -> None:
    refused = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\n"
    programs.tell(CONTEXTS, Reply("theirs\n"))
    programs.tell(VERSION, Reply(stderr=refused, code=1))
    assert engine_with().unusable() == refused.strip()


def built(tag: str, content: bytes) -> Image:
    dockerfile = b"FROM scratch\nCOPY base /base\nCOPY top /top\n"
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, data in {"Dockerfile": dockerfile, "base": b"base" * 100_000, "top": content}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    context.seek(0)
    machine.docker_client().images.build(fileobj=context, custom_context=True, tag=f"todo-registry-test:{tag}", rm=True)
    return Image("backend", "todo-registry-test", tag, Path(), Path(), BaseImage("", "", ()))


def test_a_registry_gets_what_it_lacks_and_is_asked_afterwards(docker_client: object) -> None:
    names = [f"h{uuid.uuid4().hex[:8]}" for _ in range(2)]
    first, second = (built(name, name.encode()) for name in names)
    try:
        with small_registry.running() as server:
            assert registry.ImageRegistry(server.address).decide_push([first]).carry_out(Step()).kind == "changed"
            assert ("todo-registry-test", first.tag) in server.manifests
            assert registry.ImageRegistry(server.address).decide_push([first]).carry_out(Step()).kind == "unchanged"
            before = server.received
            assert registry.ImageRegistry(server.address).decide_push([first, second]).carry_out(Step()).kind == "changed"
            assert 0 < server.received - before < 5_000, "only the layer that changed"
            for image in (first, second):
                shell.run(["docker", "image", "rm", f"{server.address}/{image.reference}"], timeout=30)
    finally:
        for image in (first, second):
            machine.docker_client().images.remove(image.reference, force=True)


class Known(registry.ImageRegistry):
    """A registry that has the backend."""

    def _digest(self, reference: str) -> str:
        return "sha256:1234" if reference == "todo-backend:h1" else ""


def test_with_a_registry_every_image_is_named_as_it_has_it_by_digest_and_before_a_push_by_tag() -> None:
    image, to_come = {"repository": "todo-backend", "tag": "h1"}, {"repository": "todo-postgres", "tag": "h2"}
    values = {"services": {"backend": {"image": image}}, "postgres": {"enabled": True, "image": to_come}, "monitoring": {"enabled": False}}
    release = Known("registry.example.com/team").named(HelmRelease("r", "n", Path(), values))
    assert release.values["services"]["backend"]["image"] == {
        "repository": "registry.example.com/team/todo-backend",
        "digest": "sha256:1234",
    }
    assert release.values["postgres"]["image"] == {"repository": "registry.example.com/team/todo-postgres", "tag": "h2"}
    assert values["services"]["backend"]["image"]["repository"] == "todo-backend"
    assert Known("registry.example.com/team").named(release) == release, "what a stage keeps of the release before is named already"


def test_the_nodes_log_in_beside_what_the_settings_name() -> None:
    values = {"serviceDefaults": {"imagePullSecrets": [{"name": "theirs"}], "port": 1}}
    named = Known("r.example").named(HelmRelease("r", "n", Path(), values), ["r-image-pull-0123456789"]).values
    assert named["serviceDefaults"] == {"imagePullSecrets": [{"name": "theirs"}, {"name": "r-image-pull-0123456789"}], "port": 1}
    assert named["postgres"]["imagePullSecrets"] == [{"name": "r-image-pull-0123456789"}]
    assert references_in(named).secrets == {"r-image-pull-0123456789"}, "theirs is not ours to keep or to miss"


def test_a_kubeconfig_that_cannot_be_read_is_told_in_kubectls_words(programs: Programs) -> None:
    programs.tell(CONTEXTS, Reply(stderr='error: error loading config file "/etc/passwd": no kind\n', code=1))
    assert engine_with().unusable() == 'error loading config file "/etc/passwd": no kind'
