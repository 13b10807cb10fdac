"""Finds how images get into a cluster that is there already, from what the cluster and this machine say."""

from __future__ import annotations

import glob
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker.errors import DockerException, NotFound

from scripts.config.settings import KubeContext
from scripts.core import shell
from scripts.core.errors import InputError, MissingError
from scripts.kubernetes import api, resources
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.nodes.transports import NERDCTL, ContainerdNode, DockerdNode, LocalDaemonNode, NerdctlNode, NodeTransport
from scripts.kubernetes.objects import name_of
from scripts.machine.docker_client import docker_client

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SOCKETS = (
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
    "/run/todo-test-cluster/containerd.sock",
)
CTR_SECONDS = 10
AT_ONCE = 8
"""Nodes that are looked at side by side."""
DESKTOP = "docker-desktop"
DESKTOP_KIND = re.compile(r"desktop-(control-plane|worker)\d*")


def find(cluster: Cluster, wanted: KubeContext) -> list[NodeTransport]:
    """Return a transport for every node. Raises InputError, naming what was seen, when a node has none."""
    nodes = cluster.get("nodes")
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(pool.map(lambda node: _found(cluster, node, wanted), nodes))


def _found(cluster: Cluster, node: Object, wanted: KubeContext) -> NodeTransport:
    """Detect the transport of a node, the surest sign first."""
    if wanted.containerd_socket or wanted.images == "containerd":
        return _by_socket(cluster, node, wanted.containerd_socket)
    if transport := _by_container(node):
        return transport
    if wanted.images in ("kind", "k3d"):
        raise _no_transport(node, cluster.context)
    if _shares_the_daemon(node):
        return LocalDaemonNode(name_of(node))
    if _nerdctl_reaches(cluster, node):
        return NerdctlNode(name_of(node))
    if _on_this_machine(node):
        return _by_socket(cluster, node, "")
    raise _no_transport(node, cluster.context)


def _by_container(node: Object) -> NodeTransport | None:
    """The node as a container of the local Docker engine: kind, k3d and Minikube name it like the node.

    A container of that name counts when it bears the sign of what made it.
    """
    name = name_of(node)
    try:
        container = docker_client().containers.get(name)
    except (NotFound, MissingError, DockerException):
        return None
    labels = container.labels
    if not ("io.x-k8s.kind.cluster" in labels or labels.get("app") == "k3d" or "name.minikube.sigs.k8s.io" in labels):
        return None
    if node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("docker://"):
        return DockerdNode(name, ("docker", "exec", "-i", name, "docker"))
    return ContainerdNode(name, ("docker", "exec", "-i", name, "ctr"))


def _shares_the_daemon(node: Object) -> bool:
    """Whether the node takes images from the local Docker daemon: the kubelet runs containers there, or Docker Desktop hands them on.

    A desktop's virtual machine (Docker Desktop, OrbStack, Rancher Desktop, Colima) has one name for both. The nodes of Docker Desktop's
    kind mode are containers that it hides.
    """
    try:
        daemon = str(docker_client().info().get("Name", ""))
    except (MissingError, DockerException):
        return False
    if node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("docker://"):
        return daemon.lower() == name_of(node).lower()
    return daemon == DESKTOP and bool(DESKTOP_KIND.fullmatch(name_of(node)))


def _nerdctl_reaches(cluster: Cluster, node: Object) -> bool:
    """Whether this machine's nerdctl speaks to the containerd that runs one of the node's pods."""
    if not shutil.which("nerdctl") or not (pod := _pod_on(cluster, name_of(node))):
        return False
    argv = (*NERDCTL, "ps", "--quiet", "--filter", f"label=io.kubernetes.pod.uid={pod}")
    return bool(shell.run(argv, timeout=CTR_SECONDS, ok=None).stdout.strip())


def _by_socket(cluster: Cluster, node: Object, socket: str) -> NodeTransport:
    """The containerd socket on this machine that runs one of the node's pods: `socket`, which may be a pattern, else the usual ones.

    Another containerd (Docker's own, another node's) may listen at a usual place: only the one that knows a pod of the node is the node's.
    """
    pod = _pod_on(cluster, name_of(node))
    found, tried = [], []
    for pattern in (socket,) if socket else SOCKETS:
        if not (paths := sorted(glob.glob(pattern))):  # noqa: PTH207 - the pattern is absolute
            tried.append(f"{pattern}: is not there")
        for path in paths:
            ctr = ("ctr", "--address", path)
            if reason := _not_of(ctr, pod, name_of(node)):
                tried.append(f"{path}: {reason}")
            else:
                found.append(ctr)
    if len(found) == 1 or (found and pod):
        return ContainerdNode(name_of(node), found[0])
    raise InputError(
        f"no containerd socket of node {name_of(node)} answers on this machine"
        if not found
        else f"{name_of(node)} runs no pod yet that would tell which containerd is its own: {' or '.join(ctr[-1] for ctr in found)}",
        "set kube_context.containerd_socket in invoke.yaml, as a user who may read and write it (often root)",
        tried,
        code="node-unreachable",
    )


def _not_of(ctr: tuple[str, ...], pod: str, node: str) -> str:
    """Why a containerd is not the node's, or an empty string. With no pod to ask for, Kubernetes' namespace in it must do as a sign."""
    of_pod = ("--namespace", "k8s.io", "containers", "ls", "--quiet", f'labels."io.kubernetes.pod.uid"=={pod}')
    answer = shell.run([*ctr, *(of_pod if pod else ("namespaces", "ls", "--quiet"))], timeout=CTR_SECONDS, ok=None)
    if answer.code:
        return (answer.stderr.strip().splitlines() or ["no answer"])[-1]
    is_its = answer.stdout.strip() if pod else "k8s.io" in answer.stdout.split()
    return "" if is_its else f"runs no pod of {node}"


def _pod_on(cluster: Cluster, node: str) -> str:
    """Return the uid of a running pod on the node, or an empty string."""
    selector = f"spec.nodeName={node},status.phase=Running"
    pods, connect = resources.named("pods"), cluster.connection()
    found = api.metadata(connect, pods, "", "", CTR_SECONDS, fields=selector) if pods and connect else None
    if found is not None:
        return next((str(each["uid"]) for each in found), "")
    path = "{.items[*].metadata.uid}"
    argv = ("get", "pods", "--all-namespaces", "--field-selector", selector, "--output", f"jsonpath={path}")
    return next(iter(cluster.kubectl(*argv).stdout.split()), "")


def _on_this_machine(node: Object) -> bool:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip() == str(node["status"]["nodeInfo"]["bootID"])
    except OSError:
        return False


def _no_transport(node: Object, context: str) -> InputError:
    info = node["status"]["nodeInfo"]
    seen = [
        f"node {name_of(node)}: provider {node['spec'].get('providerID') or 'not named'}, runtime {info['containerRuntimeVersion']}",
        "it is not a container of the local Docker engine, does not run on this machine, and no nerdctl here knows its pods",
    ]
    return InputError(
        f"no known way to load images into node {name_of(node)} of {context}",
        "put the nerdctl of its containerd on PATH (Rancher Desktop: ~/.rd/bin; Colima: colima nerdctl install), "
        "or set kube_context.images and .registry (or .containerd_socket) in invoke.yaml",
        seen,
        code="node-unreachable",
    )
