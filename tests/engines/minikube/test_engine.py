"""The Minikube engine against a program that answers as the real one does, and refuses every command line that it was not told."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.config.settings import Settings, load_settings
from scripts.core.errors import InputError, TaskError
from scripts.desired.helm_release import HelmRelease
from scripts.engines.kubernetes import KubernetesEngine
from scripts.engines.minikube import checks, engine, first_start
from scripts.engines.minikube.engine import NODE_NETWORKS, MinikubeEngine
from scripts.engines.minikube.profile import start_argv
from scripts.images.archive import full_name
from scripts.kubernetes.nodes import load
from scripts.kubernetes.nodes.transports import ContainerdNode, DockerdNode
from tests.doubles import Step
from tests.programs import ANY, Programs, Reply, on_path, recorded

pytestmark = pytest.mark.unit

PLATFORM = "linux/amd64"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")
PROFILES = ("minikube", "profile", "list", "--light", "--output", "json")
STATUS = ("minikube", "status", "--profile", "todo", "--output", "json")
NODE = {"Name": "todo", "Host": "Running", "Kubelet": "Running", "APIServer": "Running", "Kubeconfig": "Configured", "Worker": False}
RUNNING = Reply(json.dumps(NODE))
STOPPED = Reply(json.dumps({**NODE, "Host": "Stopped", "Kubelet": "Stopped", "APIServer": "Stopped", "Kubeconfig": "Stopped"}), code=7)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    monkeypatch.setattr(engine, "KUBECONFIG", tmp_path / "state" / "kubeconfig")
    monkeypatch.setattr(first_start, "NOTE", tmp_path / "state" / "minikube-first-start")
    monkeypatch.setenv("MINIKUBE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    docker = SimpleNamespace(
        images=SimpleNamespace(list=lambda: [SimpleNamespace(tags=["kicbase:1"])])
    )  # one that runs, with a node's image
    monkeypatch.setattr(checks, "docker_client", lambda: docker)
    for name in ("SSL_CERT_FILE", *PROXIES):
        monkeypatch.delenv(name, raising=False)
    fakes = on_path(tmp_path / "bin", monkeypatch)
    yield fakes
    fakes.check()


@pytest.fixture
def settings() -> Settings:
    wanted = load_settings().minikube.model_copy(
        update={"driver": "docker", "runtime": "containerd", "addons": ("metrics-server",), "cpus": 4, "memory_mib": 6144}
    )
    return load_settings().model_copy(update={"project": "todo", "minikube": wanted})


def start(settings: Settings) -> tuple[str, ...]:
    return tuple(start_argv("todo", settings.minikube, settings.kubernetes_version))


def profile(settings: Settings, addons: tuple[str, ...] = ("metrics-server",), **changes: object) -> Reply:
    """The profile as these settings make it, beside one of the user's own."""
    wanted = settings.minikube
    kubernetes = {"KubernetesVersion": settings.kubernetes_version, "ContainerRuntime": wanted.runtime, "CNI": wanted.cni}
    config = {"Driver": wanted.driver, "Memory": wanted.memory_mib, "CPUs": wanted.cpus, "DiskSize": wanted.disk_gib * 1024}
    config |= {
        "Addons": dict.fromkeys(addons, True),
        "KubernetesConfig": kubernetes,
        "Nodes": [{"Name": "", "IP": "192.168.49.2"}],
        **changes,
    }
    valid = [{"Name": name, "Status": "Skipped", "Config": config} for name in ("minikube", "todo")]
    return Reply(json.dumps({"invalid": [], "valid": valid}))


NO_PROFILES = Reply('{"invalid":[],"valid":[]}')


def event(kind: str, **data: str) -> str:
    return json.dumps({"specversion": "1.0", "type": f"io.k8s.sigs.minikube.{kind}", "data": data}) + "\n"


def test_a_cluster_that_runs_as_configured_is_not_started_again(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    outcome = MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert outcome.kind == "unchanged"
    assert settings.kubernetes_version in outcome.detail


def test_a_first_start_shows_minikubes_own_steps_and_is_verified(programs: Programs, settings: Settings, step: Step) -> None:
    said = event("step", currentstep="3", totalsteps="19", message="Starting the node") + "* a line that is no JSON\n"
    said += event("warning", message="Docker is slow") + event("error", message="harmless words on stderr")
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply(said))
    programs.tell(STATUS, RUNNING)
    assert MinikubeEngine(settings).decide_start(step).carry_out(step).kind == "changed"
    assert "Starting the node (3/19)" in step.heard
    assert step.warned == ["Docker is slow"]


def test_a_start_that_says_it_is_done_and_is_not_is_a_failure(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply(event("step", currentstep="19", totalsteps="19", message="Done!")))
    programs.tell(STATUS, STOPPED)
    with pytest.raises(TaskError, match="profile todo is stopped"):
        MinikubeEngine(settings).decide_start(step).carry_out(step)


def test_the_users_kubeconfig_and_context_are_left_alone(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply())
    programs.tell(STATUS, RUNNING)
    MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert "--keep-context" in start(settings)
    assert {call["environment"]["KUBECONFIG"] for call in programs.asked("minikube")} == {str(engine.KUBECONFIG)}
    argv = MinikubeEngine(settings).cluster.kubectl_argv("get", "pods")
    assert argv[:5] == ["kubectl", "--kubeconfig", str(engine.KUBECONFIG), "--context", "todo"]


def test_a_failure_gives_minikubes_reason_and_its_advice(programs: Programs, settings: Settings, step: Step) -> None:
    fatal = {"message": "Requested 4 CPUs, 2 there", "exitcode": "29", "name": "RSRC_INSUFFICIENT_CORES", "advice": "Ask for fewer"}
    said = event("error", message="noise") + event("error", **fatal) + event("error", message="more noise")
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply(said, code=29))
    with pytest.raises(TaskError) as failure:
        MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert failure.value.cause == "Minikube did not start: Requested 4 CPUs, 2 there (RSRC_INSUFFICIENT_CORES)"
    assert failure.value.action == "Ask for fewer"
    assert failure.value.evidence == ("noise", "more noise")


@pytest.mark.parametrize(
    ("status", "command", "done"),
    [
        (STOPPED, "start", "started"),
        (Reply(json.dumps({**NODE, "Kubelet": "Stopped", "APIServer": "Paused"}), code=2), "unpause", "unpaused"),
        (Reply(json.dumps({**NODE, "Kubeconfig": "Misconfigured"}), code=4), "update-context", "kubeconfig fixed"),
    ],
    ids=["stopped", "paused", "not in our kubeconfig"],
)
def test_a_profile_that_does_not_run_gets_what_it_needs(
    programs: Programs, settings: Settings, step: Step, status: Reply, command: str, done: str
) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, status, RUNNING)
    programs.tell(start(settings) if command == "start" else ("minikube", command, "--profile", "todo"))
    outcome = MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert (outcome.kind, done in outcome.detail) == ("changed", True)


def test_a_paused_profile_that_our_kubeconfig_does_not_know_gets_both(programs: Programs, settings: Settings, step: Step) -> None:
    paused = {**NODE, "Kubelet": "Stopped", "APIServer": "Paused", "Kubeconfig": "Misconfigured"}
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, Reply(json.dumps(paused), code=6), Reply(json.dumps({**NODE, "Kubeconfig": "Misconfigured"}), code=4), RUNNING)
    for command in ("unpause", "update-context"):
        programs.tell(("minikube", command, "--profile", "todo"))
    outcome = MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert outcome.detail.endswith(": unpaused, kubeconfig fixed")


@pytest.mark.parametrize("nodes", [1, 3])
def test_of_several_nodes_the_database_gets_the_one_that_makes_volumes(
    settings: Settings, step: Step, monkeypatch: pytest.MonkeyPatch, nodes: int
) -> None:
    installed: list[HelmRelease] = []
    monkeypatch.setattr(KubernetesEngine, "decide_install", lambda engine, release, secrets, step: installed.append(release))
    several = settings.model_copy(update={"minikube": settings.minikube.model_copy(update={"nodes": nodes})})
    wanted = HelmRelease("todo", "todo", Path(), {"postgres": {"enabled": True, "nodeSelector": {"disk": "fast"}}})
    MinikubeEngine(several).decide_install(wanted, [], step)
    first = {"minikube.k8s.io/primary": "true"} if nodes > 1 else {}
    assert installed[0].values == {"postgres": {"enabled": True, "nodeSelector": {**first, "disk": "fast"}}}


@pytest.mark.parametrize("status", [Reply("null"), Reply("null", code=7)], ids=["before 1.38", "from 1.38 on"])
def test_a_node_that_was_removed_is_told_at_once(programs: Programs, settings: Settings, step: Step, status: Reply) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, status)
    with pytest.raises(TaskError, match="removed behind Minikube's back, and with it the cluster and its data") as failure:
        MinikubeEngine(settings).decide_start(step)
    assert failure.value.action == "invoke down --cluster, then invoke up makes a new one"


NAMESPACES = ("get", "namespaces", "--ignore-not-found", "--output", "json")
PODS = ("get", "pods", "--ignore-not-found", "--output", "json")
DELETE = ("minikube", "delete", "--profile", "todo")


def in_cluster(settings: Settings, argv: tuple[str, ...], namespace: str = "") -> tuple[str, ...]:
    return ("kubectl", "--kubeconfig", str(engine.KUBECONFIG), "--context", "todo", "--namespace", namespace or settings.namespace, *argv)


def named(*names: str) -> Reply:
    return Reply(json.dumps({"items": [{"metadata": {"name": name}} for name in names]}))


def test_an_interrupted_first_start_is_noted_until_one_ends(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply("killed", code=137), Reply())
    programs.tell(STATUS, RUNNING)
    ours = MinikubeEngine(settings)
    with pytest.raises(TaskError):
        ours.decide_start(step).carry_out(step)
    assert first_start.NOTE.read_text() == "todo"
    ours.decide_start(step).carry_out(step)
    assert not first_start.NOTE.exists()


@pytest.mark.parametrize(
    ("address", "noted", "namespaces"),
    [("", False, None), ("", True, None), ("192.168.49.2", True, named("default", "kube-system")), ("192.168.49.2", True, Reply(code=1))],
    ids=["never had an address", "likewise, and noted", "answers, and nobody uses it", "does not answer"],
)
def test_what_an_interrupted_first_start_left_is_made_again(
    programs: Programs, settings: Settings, step: Step, address: str, noted: bool, namespaces: Reply | None
) -> None:
    programs.tell(PROFILES, profile(settings, Nodes=[{"Name": "", "IP": address}]))
    programs.tell(STATUS, RUNNING)
    programs.tell(DELETE)
    programs.tell(start(settings))
    if noted:
        first_start.begin("todo")
    if namespaces:
        programs.tell(in_cluster(settings, NAMESPACES), namespaces)
        if not namespaces.code:
            programs.tell(in_cluster(settings, PODS, "default"))
    decision = MinikubeEngine(settings).decide_start(step)
    assert [(change.what, change.why) for change in decision.changes] == [
        ("make the profile todo again", "its first start was interrupted")
    ]
    assert decision.carry_out(step).kind == "changed"
    assert not first_start.NOTE.exists()


@pytest.mark.parametrize("status", [RUNNING, STOPPED], ids=["somebody has a namespace in it", "it was stopped, and cannot be looked into"])
def test_an_interrupted_first_start_that_may_hold_something_is_finished_and_never_deleted(
    programs: Programs, settings: Settings, step: Step, status: Reply
) -> None:
    first_start.begin("todo")
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, status, RUNNING)
    if status is RUNNING:
        programs.tell(in_cluster(settings, NAMESPACES), named("default", "kube-system", "mine"))
    programs.tell(start(settings))
    assert MinikubeEngine(settings).decide_start(step).carry_out(step).kind == "changed"


def test_the_note_of_another_project_means_nothing(programs: Programs, settings: Settings, step: Step) -> None:
    first_start.begin("other")
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    assert MinikubeEngine(settings).decide_start(step).changes == ()


def test_the_profile_is_asked_once_a_run_and_again_after_a_change(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    ours = MinikubeEngine(settings)
    ours.preflight()
    ours.decide_start(step).carry_out(step)
    ours.transports()
    assert len([call for call in programs.asked("minikube") if "list" in call["argv"]]) == 2, "before and after the lock was taken"


def test_a_full_disk_is_named_and_nothing_is_tried(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, Reply(json.dumps({**NODE, "Host": "InsufficientStorage"}), code=1))
    with pytest.raises(TaskError, match="no disk space"):
        MinikubeEngine(settings).decide_start(step).carry_out(step)


def test_an_older_kubernetes_is_upgraded_in_place(programs: Programs, settings: Settings, step: Step) -> None:
    older = {"KubernetesVersion": "v1.30.0", "ContainerRuntime": "containerd", "CNI": settings.minikube.cni}
    programs.tell(PROFILES, profile(settings, KubernetesConfig=older))
    programs.tell(STATUS, RUNNING)
    programs.tell(start(settings), Reply())
    assert MinikubeEngine(settings).decide_start(step).carry_out(step).kind == "changed"


def test_only_the_addons_that_the_profile_lacks_are_enabled(programs: Programs, settings: Settings, step: Step) -> None:
    wanted = settings.minikube.model_copy(update={"addons": ("metrics-server", "ingress")})
    settings = settings.model_copy(update={"minikube": wanted})
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    programs.tell(("minikube", "addons", "enable", "ingress", "--profile", "todo"))
    assert "addon ingress" in MinikubeEngine(settings).decide_start(step).carry_out(step).detail


def test_drift_is_told_with_what_to_do_before_anything_changes(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings, Memory=2048, CPUs=1))
    ours = MinikubeEngine(settings)
    with pytest.raises(InputError) as drift:
        ours.decide_start(step).carry_out(step)
    assert f"minikube.cpus: the cluster has 1, invoke.yaml says {settings.minikube.cpus}" in drift.value.cause
    assert "invoke down --cluster" in drift.value.cause
    assert "memory_mib: the cluster has 2048" in drift.value.evidence[0]


def test_profiles_that_minikube_cannot_read_are_a_missing_service(programs: Programs, settings: Settings) -> None:
    programs.tell(PROFILES, Reply('{"error":{"Op":"open","Err":13}}', "permission denied\n", code=80))
    assert MinikubeEngine(settings).unusable() == "minikube cannot list its profiles"


def test_root_is_told_before_anything_that_minikube_refuses_it(
    programs: Programs, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.tell(PROFILES, NO_PROFILES)
    MinikubeEngine(settings).unusable()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert MinikubeEngine(settings).unusable() == "Minikube's docker driver does not run as root"
    assert not checks.rejects_root("none")


def test_without_minikube_the_engine_says_so(programs: Programs, settings: Settings) -> None:
    assert MinikubeEngine(settings).unusable() == "minikube is not installed"


def test_an_extra_certificate_is_there_before_the_cluster_and_goes_with_it(
    programs: Programs, settings: Settings, step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "gateway.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    placed = tmp_path / "home" / ".minikube" / "certs" / "todo-extra-ca.pem"
    programs.tell(PROFILES, NO_PROFILES, profile(settings))
    programs.tell(start(settings), Reply())
    programs.tell(STATUS, RUNNING)
    programs.tell(("minikube", "delete", "--profile", "todo"))
    ours = MinikubeEngine(settings)
    ours.decide_start(step).carry_out(step)
    assert placed.read_text() == pem.read_text()
    assert "--embed-certs" in start(settings)
    assert ours.down(delete_data=False, delete_cluster=True, step=step).kind == "changed"
    assert not placed.exists()


def test_behind_a_proxy_minikube_kubectl_and_helm_reach_the_node_directly(
    programs: Programs, settings: Settings, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "example.com")
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    ours = MinikubeEngine(settings)
    ours.decide_start(step).carry_out(step)
    expected = "example.com," + ",".join(NODE_NETWORKS)
    assert {call["environment"]["NO_PROXY"] for call in programs.asked("minikube")} == {expected}
    assert ours.cluster.environment["NO_PROXY"] == expected


@pytest.mark.parametrize(
    ("changes", "transport"),
    [
        ({}, ContainerdNode("todo", ("docker", "exec", "-i", "todo", "ctr"))),
        ({"runtime": "docker"}, DockerdNode("todo", ("docker", "exec", "-i", "todo", "docker"))),
    ],
    ids=["containerd", "docker runtime"],
)
def test_a_node_that_is_a_container_is_reached_through_docker(
    programs: Programs, settings: Settings, changes: dict[str, str], transport: object
) -> None:
    settings = settings.model_copy(update={"minikube": settings.minikube.model_copy(update=changes)})
    programs.tell(PROFILES, profile(settings))
    assert MinikubeEngine(settings).transports() == [transport]


def saved_image(folder: Path, layers: tuple[bytes, ...] = (b"base" * 100, b"top")) -> Path:
    """What `docker save` writes for todo-backend:h1."""
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    config = json.dumps({"rootfs": {"diff_ids": digests}}).encode()
    files = {f"{number}/layer.tar": layer for number, layer in enumerate(layers)}
    manifest = [{"Config": "c.json", "RepoTags": ["todo-backend:h1"], "Layers": list(files)}]
    path = folder / "saved.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in {**files, "c.json": config, "manifest.json": json.dumps(manifest).encode()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


NAME = full_name("todo-backend:h1")
LISTED = {
    "containerd": [{"id": "sha256:1", "repoDigests": [], "repoTags": [NAME], "size": "1"}],
    "docker through crictl": [{"id": "1", "repoDigests": None, "repoTags": ["todo-backend:h1"], "size": "1"}],
    "images without tags": [{"id": "2", "repoDigests": [], "repoTags": None, "size": "1"}, {"id": "1", "repoTags": [NAME]}],
}


@pytest.mark.parametrize("listed", LISTED.values(), ids=LISTED)
def test_a_node_in_a_machine_is_asked_through_minikube(programs: Programs, settings: Settings, listed: list[object]) -> None:
    programs.tell(PROFILES, profile(settings, Driver="kvm2"))
    programs.tell(("minikube", "image", "ls", "--profile", "todo", "--format", "json"), Reply(json.dumps(listed)))
    (transport,) = MinikubeEngine(settings).transports()
    assert NAME in transport.images()


@pytest.mark.parametrize("empty", ["[]", "null", ""])
def test_a_node_that_lists_nothing_has_nothing(programs: Programs, settings: Settings, empty: str) -> None:
    programs.tell(PROFILES, profile(settings, Driver="kvm2"))
    programs.tell(("minikube", "image", "ls", "--profile", "todo", "--format", "json"), Reply(empty))
    assert MinikubeEngine(settings).transports()[0].images() == set()


def test_a_load_that_ends_well_and_brings_nothing_is_a_failure(programs: Programs, settings: Settings, step: Step, tmp_path: Path) -> None:
    """`minikube image load` exits with 0 when it fails, so only the node's own list counts."""
    programs.tell(PROFILES, profile(settings, Driver="kvm2"))
    programs.tell(("minikube", "ssh", "--profile", "todo", "--", "sudo", "ctr", "--namespace", "k8s.io", "content", "ls", "--quiet"))
    programs.tell(("minikube", "image", "load", "--profile", "todo", ANY))
    programs.tell(("minikube", "image", "ls", "--profile", "todo", "--format", "json"), Reply("[]"))
    (transport,) = MinikubeEngine(settings).transports()
    with pytest.raises(TaskError, match=r"todo does not list docker\.io/library/todo-backend:h1"):
        load._send(transport, saved_image(tmp_path), {NAME}, PLATFORM, step)
    assert len(programs.asked("minikube", "image", "load")) == 2, "first without the layers that are there, then whole"


def test_an_import_that_fails_without_some_layers_is_made_again_with_all(programs: Programs, step: Step, tmp_path: Path) -> None:
    """What containerd 1.6 says, and leaves behind, when a layer was collected between the list and the import."""
    transport = ContainerdNode("todo", ("docker", "exec", "-i", "todo", "ctr"))
    ctr = (*transport.ctr, "--namespace", "k8s.io")
    broken, whole = recorded("containerd-1.6.20/check-after-failed-import"), recorded("containerd-1.6.20/check-after-import")
    programs.tell((*ctr, "content", "ls", "--quiet"), Reply("sha256:" + "0" * 64 + "\n"))
    programs.tell((*ctr, "images", "import", "-"), recorded("containerd-1.6.20/import-without-a-layer"), Reply())
    programs.tell((*ctr, "images", "check"), broken, whole)
    name = "docker.io/library/eng-one:h2"
    assert load._send(transport, renamed(saved_image(tmp_path), "eng-one:h2"), {name}, PLATFORM, step).left_out == 0
    assert transport.images() >= {name}


def renamed(saved: Path, tag: str) -> Path:
    other = saved.with_name("renamed.tar")
    with tarfile.open(saved) as source, tarfile.open(other, "w") as target:
        for member in source.getmembers():
            data = source.extractfile(member).read().replace(b"todo-backend:h1", tag.encode())
            member.size = len(data)
            target.addfile(member, io.BytesIO(data))
    return other


def test_down_stops_the_cluster_and_deletes_it_only_when_asked(programs: Programs, settings: Settings, step: Step) -> None:
    kubectl = ("kubectl", "--kubeconfig", str(engine.KUBECONFIG), "--context", "todo", "--namespace", settings.namespace)
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    programs.tell((*kubectl, "get", "namespace", settings.namespace, "--ignore-not-found", "--output", "json"))
    programs.tell((*kubectl, "get", "persistentvolumeclaims", "--output", "name"))
    programs.tell(("minikube", "stop", "--profile", "todo"))
    assert "stopped the profile todo" in MinikubeEngine(settings).down(delete_data=False, delete_cluster=False, step=step).detail
    assert programs.asked("minikube", "delete") == []


def test_data_of_a_cluster_that_does_not_run_is_not_said_to_be_removed(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, STOPPED)
    with pytest.raises(TaskError, match="its data is still there"):
        MinikubeEngine(settings).down(delete_data=True, delete_cluster=False, step=step)


def test_down_twice_changes_nothing_the_second_time(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings), profile(settings), NO_PROFILES)
    programs.tell(STATUS, STOPPED)
    ours = MinikubeEngine(settings)
    stopped = ours.down(delete_data=False, delete_cluster=False, step=step)
    assert (stopped.kind, "invoke down --cluster" in stopped.detail) == ("unchanged", True)
    programs.tell(("minikube", "delete", "--profile", "todo"))
    assert ours.down(delete_data=True, delete_cluster=True, step=step).kind == "changed"
    assert ours.down(delete_data=True, delete_cluster=True, step=step).kind == "unchanged"


def test_a_profile_that_does_not_run_is_silent_and_one_that_was_never_made_is_not(
    programs: Programs, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "KUBECONFIG", tmp_path / "kubeconfig")
    assert MinikubeEngine(settings).silent() == ""
    (tmp_path / "kubeconfig").touch()
    programs.tell(PROFILES, profile(settings), NO_PROFILES)
    programs.tell(STATUS, STOPPED)
    assert MinikubeEngine(settings).silent() == "the profile todo is stopped"
    assert MinikubeEngine(settings).silent() == ""


KNOWN = ("minikube", "config", "defaults", "kubernetes-version", "--output", "json")


@pytest.fixture
def docker_info(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What a Docker tells of itself that is large enough."""
    info: dict[str, object] = {"MemTotal": 2**40, "NCPU": 64, "CgroupVersion": "2"}
    images = SimpleNamespace(list=lambda: [SimpleNamespace(tags=["kicbase:1"])])
    monkeypatch.setattr(checks, "docker_client", lambda: SimpleNamespace(info=lambda: info, images=images))
    programs.tell(PROFILES, NO_PROFILES)
    return info


@pytest.mark.usefixtures("docker_info")
@pytest.mark.parametrize(
    ("known", "told"),
    [
        ('["v1.36.0-beta.0", "v1.35.1", "v1.20.0"]', ""),
        ('["v1.35.0"]', ""),
        ('["v1.34.0", "v1.20.0"]', "kubernetes_version is v1.35.1, and this Minikube knows 1.20 to 1.34: invoke setup brings"),
        ('["v1.40.0", "v1.36.0"]', "kubernetes_version is v1.35.1, and this Minikube knows 1.36 to 1.40"),
        ("unknown command", ""),
        ("[]", ""),
    ],
)
def test_a_minikube_that_does_not_know_the_kubernetes_is_told_before_it_starts(
    known: str, told: str, programs: Programs, settings: Settings
) -> None:
    programs.tell(KNOWN, Reply(known))
    problems = MinikubeEngine(settings.model_copy(update={"kubernetes_version": "v1.35.1"})).preflight()
    assert len(problems) == bool(told)
    assert all(told in problem for problem in problems)


@pytest.mark.usefixtures("docker_info")
def test_who_forces_minikube_may_start_any_kubernetes(programs: Programs, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIKUBE_FORCE", "true")
    assert MinikubeEngine(settings.model_copy(update={"kubernetes_version": "v1.99.0"})).preflight() == []
    assert not [call for call in programs.asked("minikube") if "defaults" in call["argv"]]


@pytest.mark.parametrize(
    ("cgroups", "kubernetes", "version", "refused"),
    [("1", "v1.35.1", "v1.37.0", True), ("1", "v1.35.1", "v1.38.1", False), ("1", "v1.34.0", "", False), ("2", "v1.35.1", "", False)],
)
def test_a_machine_with_cgroup_v1_is_told_before_anything_starts(
    cgroups: str, kubernetes: str, version: str, refused: bool, programs: Programs, settings: Settings, docker_info: dict[str, object]
) -> None:
    docker_info["CgroupVersion"] = cgroups
    programs.tell(KNOWN, Reply(json.dumps([kubernetes])))
    if version:
        programs.tell(("minikube", "version", "--short"), Reply(version))
    problems = MinikubeEngine(settings.model_copy(update={"kubernetes_version": kubernetes})).preflight()
    assert ["cgroup v1" in problem for problem in problems] == ([True] if refused else [])
