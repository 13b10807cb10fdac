"""What a cluster has of the release: its objects, its revisions, its containers and their logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from scripts.audit.facts import CLUSTER, Live, Objects, ended
from scripts.audit.seeing import live
from scripts.config.settings import Settings
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.objects import name_of, service_of, status_of

KINDS = (
    "pods,services,configmaps,serviceaccounts,persistentvolumeclaims,resourcequotas,limitranges,deployments,statefulsets,replicasets,"
    "daemonsets,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies,ingresses"
)
"""What is read of the namespace: never a Secret."""
EXEC_SECONDS = 30
LOG_LINES = 10_000


def objects(cluster: Cluster) -> Objects:
    """Return the objects of the namespace, and the namespace itself. Raises CommandError."""
    items = [each for kind in KINDS.split(",") for each in cluster.get(kind)]
    namespace = cluster.get("namespace", cluster.namespace)
    return Objects(CLUSTER, items, namespace[0] if namespace else None)


def look(deployment: Deployment, there: Objects, settings: Settings, paths: Sequence[str]) -> Live:
    """Look into the release's containers, ask its services, and see whether they log. Raises TaskError where no service can be asked."""
    cluster = deployment.cluster
    running = list(_running(cluster, there.of("Pod")))

    def logged(each: live.Running) -> bool:
        pod, _, container = each.name.partition("/")
        return bool(cluster.kubectl("logs", pod, "--container", container, "--tail=1", ok=None).stdout.strip())

    with deployment.open_client() as ask:
        return live.see(CLUSTER, running, live.Asking(settings, paths, ask), logged)


def _running(cluster: Cluster, pods: Sequence[Object]) -> Iterator[live.Running]:
    for pod in pods:
        if ended(pod) or not service_of(pod):
            continue
        states: Mapping[str, Any] = {each["name"]: each.get("state", {}) for each in status_of(pod).get("containerStatuses", ())}
        for container in pod["spec"]["containers"]:
            if "running" in states.get(container["name"], {}):
                name = f"{name_of(pod)}/{container['name']}"
                yield live.Running(
                    service_of(pod), name, _execute(cluster, name_of(pod), container["name"]), status_of(pod).get("podIP", "")
                )


def _execute(cluster: Cluster, pod: str, container: str) -> Callable[[Sequence[str]], str]:
    def execute(argv: Sequence[str]) -> str:
        return cluster.kubectl("exec", pod, "--container", container, "--", *argv, ok=None, timeout=EXEC_SECONDS).stdout

    return execute


def logs(cluster: Cluster, pods: Sequence[Object]) -> Iterator[tuple[str, str]]:
    """Yield the last lines of each container's log by its name, and those of its run before, where it had one."""
    for pod in pods:
        states = [*status_of(pod).get("containerStatuses", ()), *status_of(pod).get("initContainerStatuses", ())]
        for state in states:
            for before in ((), ("--previous",)) if state.get("restartCount") else ((),):
                argv = ("logs", name_of(pod), "--container", state["name"], f"--tail={LOG_LINES}", *before)
                yield f"{name_of(pod)}/{state['name']}", cluster.kubectl(*argv, ok=None, logged=False).stdout
