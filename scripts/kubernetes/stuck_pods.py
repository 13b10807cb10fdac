"""Frees a StatefulSet from pods of an old revision that never got ready.

Its controller waits for each pod to get ready before it goes on to the next revision: forever, where the old one never
does (Kubernetes' documentation, StatefulSets, "Forced rollback"). A Deployment has no such trap.
"""

from __future__ import annotations

import contextlib

from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.snapshot import is_ready
from scripts.kubernetes.looking import look

OBSERVED_SECONDS = 15.0
POLL_SECONDS = 0.3


def replace(cluster: Cluster, step: StepReport) -> None:
    """Delete the pods of the release's StatefulSets that are of another revision than the wanted one and not ready."""
    for name in stuck(_observed(cluster, step)):
        step.progress(f"replacing {name}, which never got ready")
        cluster.kubectl("delete", "pod", name, "--ignore-not-found", "--wait=false")


def _observed(cluster: Cluster, step: StepReport) -> list[Object]:
    """Return the release's StatefulSets and pods once the controller has seen the new objects, or after some seconds."""
    objects: list[Object] = []

    def seen() -> bool:
        objects[:] = look(lambda: cluster.get("statefulsets,pods", selector=f"app.kubernetes.io/instance={cluster.release}"), step)
        sets = [each for each in objects if each["kind"] == "StatefulSet"]
        return all(each.get("status", {}).get("observedGeneration") == each["metadata"]["generation"] for each in sets)

    with contextlib.suppress(OverdueError):
        until(seen, seconds=OBSERVED_SECONDS, pause=POLL_SECONDS, what="the StatefulSets' controller")
    return objects


def stuck(objects: list[Object]) -> list[str]:
    """Return the names of the pods that a StatefulSet among the objects would wait for in vain."""
    wanted = {each["metadata"]["name"]: each.get("status", {}).get("updateRevision") for each in objects if each["kind"] == "StatefulSet"}
    return [pod["metadata"]["name"] for pod in objects if pod["kind"] == "Pod" and not is_ready(pod) and _is_of_old(pod, wanted)]


def _is_of_old(pod: Object, wanted: dict[str, str | None]) -> bool:
    owners = [owner["name"] for owner in pod["metadata"].get("ownerReferences", ()) if owner["kind"] == "StatefulSet"]
    revision = pod["metadata"].get("labels", {}).get("controller-revision-hash")
    return any(wanted.get(owner) not in (None, revision) for owner in owners)
