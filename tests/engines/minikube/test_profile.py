"""Every shape of output that Minikube's versions are known to print (its sources at 1.34, 1.37, 1.38), and what is made of it."""

from __future__ import annotations

import json

import pytest

from scripts.config.proxies import without_proxy
from scripts.config.settings import Minikube
from scripts.engines.minikube.engine import NODE_NETWORKS
from scripts.engines.minikube.events import Event, read_event
from scripts.engines.minikube.profile import State, drift, read_profiles, read_status, start_argv, version
from scripts.engines.minikube.profile import sized as sized_by

pytestmark = pytest.mark.unit

RUNNING = {"Name": "todo", "Host": "Running", "Kubelet": "Running", "APIServer": "Running", "Kubeconfig": "Configured", "Worker": False}
WORKER = {
    "Name": "todo-m02",
    "Host": "Running",
    "Kubelet": "Running",
    "APIServer": "Irrelevant",
    "Kubeconfig": "Irrelevant",
    "Worker": True,
}
STOPPED = {**RUNNING, "Host": "Stopped", "Kubelet": "Stopped", "APIServer": "Stopped", "Kubeconfig": "Stopped"}
WANTED = Minikube(driver="docker", cpus=4, memory_mib=6144, disk_gib=20, runtime="containerd", cni="auto", addons=("metrics-server",))


@pytest.mark.parametrize(
    ("there", "nodes", "cpus", "memory", "sized"),
    [
        (False, 1, 2, 8192, (2, 6144)),
        (False, 1, 16, 65536, (4, 6144)),
        (False, 1, 2, 4096, (2, 3072)),
        (False, 3, 2, 12288, (2, 3072)),
        (True, 1, 0, 0, (8, 9000)),
    ],
)
def test_auto_takes_what_fits_and_keeps_what_a_cluster_has(there: bool, nodes: int, cpus: int, memory: int, sized: tuple[int, int]) -> None:
    wanted = WANTED.model_copy(update={"cpus": "auto", "memory_mib": "auto", "nodes": nodes})
    config = {"Driver": "docker", "CPUs": 8, "Memory": 9000, "DiskSize": 20480, "KubernetesConfig": {"ContainerRuntime": "containerd"}}
    profiles = read_profiles(json.dumps({"valid": [{"Name": "todo", "Config": config}]}))
    figures = sized_by(wanted, profiles["todo"] if there else None, cpus, memory)
    assert (figures.cpus, figures.memory_mib) == sized
    assert not [line for line in drift(profiles["todo"], wanted, "v1.35.1") if "cpus" in line or "memory" in line]


@pytest.mark.parametrize(
    ("code", "answer", "state"),
    [
        (0, RUNNING, State.RUNNING),
        (0, {**RUNNING, "TimeToStop": "Nonexistent", "DockerEnv": "in-use"}, State.RUNNING),
        (0, [RUNNING, WORKER], State.RUNNING),
        (7, STOPPED, State.STOPPED),
        (3, [RUNNING, {**WORKER, "Host": "Stopped", "Kubelet": "Stopped"}], State.DOWN),
        (2, {**RUNNING, "APIServer": "Stopped"}, State.DOWN),
        (2, {**RUNNING, "Kubelet": "Stopped"}, State.DOWN),
        (2, {**RUNNING, "Kubelet": "Stopped", "APIServer": "Paused"}, State.PAUSED),
        (4, {**RUNNING, "Kubeconfig": "Misconfigured"}, State.STALE_KUBECONFIG),
        (1, {**RUNNING, "Host": "InsufficientStorage"}, State.NO_DISK),
        (7, {**RUNNING, "Host": "Nonexistent", "Kubelet": "Nonexistent", "APIServer": "Nonexistent"}, State.GONE),
        (7, [RUNNING, {**WORKER, "Host": "Nonexistent", "Kubelet": "Nonexistent"}], State.WORKER_GONE),
        (7, {**WORKER, "Host": "Nonexistent", "Kubelet": "Nonexistent"}, State.WORKER_GONE),
        (7, [{**RUNNING, "Host": "Nonexistent"}, WORKER], State.GONE),
        (0, None, State.GONE),
        (7, None, State.GONE),
        (0, [], State.GONE),
    ],
    ids=[
        "one node runs",
        "with fields that come and go",
        "several nodes are an array",
        "stopped",
        "one of several nodes is stopped",
        "API server down",
        "kubelet down",
        "paused",
        "unknown to the kubeconfig",
        "disk full",
        "machine gone",
        "of several a worker gone",
        "a worker gone, asked about alone",
        "of several the first gone",
        "container removed, up to 1.37: null and exit code 0",
        "container removed, from 1.38 on: null and exit code 7",
        "no node",
    ],
)
def test_a_status_is_understood(code: int, answer: object, state: State) -> None:
    assert read_status(code, json.dumps(answer)) is state


def test_a_missing_profile_is_told_by_the_exit_code_since_stdout_holds_events() -> None:
    event = '{"specversion":"1.0","type":"io.k8s.sigs.minikube.info","data":{"message":"Profile \\"todo\\" not found."}}'
    assert read_status(85, f"{event}\n{event}\n") is State.MISSING


def test_a_status_that_is_no_json_means_not_running() -> None:
    assert read_status(1, "panic: runtime error") is State.DOWN


def config(**changes: object) -> dict[str, object]:
    kubernetes = {"KubernetesVersion": "v1.35.1", "ContainerRuntime": "containerd", "CNI": "auto", "ClusterName": "todo"}
    nodes = [{"Name": "", "IP": "192.168.49.2", "ControlPlane": True, "Worker": True}]
    whole = {"Driver": "docker", "Memory": 6144, "CPUs": 4, "DiskSize": 20480, "Addons": {"metrics-server": True, "dashboard": False}}
    return {"Name": "todo", **whole, "KubernetesConfig": {**kubernetes, **changes.pop("kubernetes", {})}, "Nodes": nodes, **changes}


def profiles(*entries: dict[str, object]) -> str:
    return json.dumps({"invalid": [], "valid": list(entries)})


@pytest.mark.parametrize("status", ["Running", "OK", "Skipped", "Stopped", ""])
def test_a_profile_is_read_whatever_word_the_version_has_for_its_status(status: str) -> None:
    found = read_profiles(profiles({"Name": "todo", "Status": status, "Config": config()}, {"Name": "users-own", "Config": config()}))
    assert set(found) == {"todo", "users-own"}
    profile = found["todo"]
    assert (profile.driver, profile.cpus, profile.memory_mib, profile.disk_mib) == ("docker", 4, 6144, 20480)
    assert (profile.kubernetes, profile.runtime, profile.cni, profile.nodes) == ("v1.35.1", "containerd", "auto", ("todo",))
    assert profile.addons == {"metrics-server"}


def test_the_nodes_of_a_larger_profile_are_named_after_it() -> None:
    nodes = [{"Name": ""}, {"Name": "m02"}]
    assert read_profiles(profiles({"Name": "todo", "Config": config(Nodes=nodes)}))["todo"].nodes == ("todo", "todo-m02")
    assert read_profiles(profiles({"Name": "todo", "Config": config(Nodes=[{"Name": "m01"}])}))["todo"].nodes == ("todo",)


def test_no_profiles_are_an_empty_answer_and_not_an_error() -> None:
    assert read_profiles('{"invalid":[],"valid":[]}') == {}


def test_profiles_that_cannot_be_read_are_an_error() -> None:
    with pytest.raises(ValueError, match="cannot read its profiles"):
        read_profiles('{"error":{"Op":"open","Path":"/home/somebody/.minikube/profiles","Err":13}}')


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Memory": 4096}, "minikube.memory_mib: the cluster has 4096, invoke.yaml says 6144"),
        ({"Nodes": [{"Name": "", "IP": "1"}, {"Name": "m02", "IP": "2"}]}, "minikube.nodes: the cluster has 2, invoke.yaml says 1"),
        ({"CPUs": 2}, "minikube.cpus: the cluster has 2, invoke.yaml says 4"),
        ({"DiskSize": 10240}, "minikube.disk_gib: the cluster has 10, invoke.yaml says 20"),
        ({"Driver": "kvm2"}, "minikube.driver: the cluster has kvm2, invoke.yaml says docker"),
        ({"kubernetes": {"ContainerRuntime": "docker"}}, "minikube.runtime: the cluster has docker, invoke.yaml says containerd"),
        ({"kubernetes": {"CNI": "calico"}}, "minikube.cni: the cluster has calico, invoke.yaml says auto"),
        (
            {"kubernetes": {"KubernetesVersion": "v1.36.0"}},
            "kubernetes_version: the cluster has v1.36.0, invoke.yaml says v1.35.1, which is older",
        ),
    ],
)
def test_what_minikube_cannot_change_in_place_is_drift(changes: dict[str, object], told: str) -> None:
    profile = read_profiles(profiles({"Name": "todo", "Config": config(**changes)}))["todo"]
    assert drift(profile, WANTED, "v1.35.1") == [told]


def test_the_same_configuration_and_a_newer_kubernetes_are_no_drift() -> None:
    profile = read_profiles(profiles({"Name": "todo", "Config": config(kubernetes={"CNI": ""})}))["todo"]
    assert drift(profile, WANTED, "v1.35.1") == []
    assert drift(profile, WANTED, "v1.36.0") == []


def test_versions_compare_by_number() -> None:
    assert version("v1.9.0") < version("v1.10.0") < version("v1.10.1-rc.1")


def event(kind: str, **data: str) -> str:
    envelope = {"specversion": "1.0", "id": "8e2f", "source": "https://minikube.sigs.k8s.io/", "datacontenttype": "application/json"}
    return json.dumps({**envelope, "type": f"io.k8s.sigs.minikube.{kind}", "data": data})


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (
            event("step", currentstep="3", totalsteps="19", name="Starting Node", message='Starting "todo" control-plane node'),
            Event("step", 'Starting "todo" control-plane node (3/19)'),
        ),
        (event("step", currentstep="", totalsteps="19", name="Done", message="Done!"), Event("step", "Done!")),
        (event("download", artifact="preload.tar.lz4", currentstep="5", totalsteps="19"), Event("download", "downloading preload.tar.lz4")),
        (
            event("download.progress", artifact="preload.tar.lz4", progress="0.4217"),
            Event("download.progress", "downloading preload.tar.lz4: 42%"),
        ),
        (event("info", message="Using the docker driver"), Event("info", "Using the docker driver")),
        (event("warning", message="low on disk"), Event("warning", "low on disk")),
        (event("error", message="something on stderr"), Event("error", "something on stderr")),
        (
            event("error", message="not enough", exitcode="29", name="RSRC_INSUFFICIENT_CORES", advice="Use --cpus", url="", issues=""),
            Event("error", "not enough", "Use --cpus", "RSRC_INSUFFICIENT_CORES", fatal=True),
        ),
        ("* Pulling base image", None),
        ('{"some": "json"}', None),
        ("[1, 2]", None),
        ("", None),
    ],
)
def test_a_line_of_output_is_an_event_or_nothing(line: str, read: Event | None) -> None:
    assert read_event(line) == read


def test_every_setting_is_passed_to_start() -> None:
    argv = start_argv("todo", WANTED, "v1.35.1")
    flags = {"--driver=docker", "--cpus=4", "--memory=6144mb", "--disk-size=20480mb", "--kubernetes-version=v1.35.1"}
    flags |= {"--container-runtime=containerd", "--cni=auto", "--addons=metrics-server", "--keep-context", "--interactive=false"}
    assert flags <= set(argv)
    assert argv[argv.index("--profile") + 1] == "todo"
    assert argv[argv.index("--output") + 1] == "json"


def test_behind_a_proxy_the_nodes_networks_are_asked_directly() -> None:
    assert without_proxy({"NO_PROXY": "example.com"}, NODE_NETWORKS) == {}
    value = without_proxy({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com,10.96.0.0/12"}, NODE_NETWORKS)
    assert value["NO_PROXY"] == value["no_proxy"]
    assert str(value["NO_PROXY"]).split(",") == ["example.com", "10.96.0.0/12", "192.168.0.0/16"]
