"""Frees a rollout from old pods that it would wait for in vain.

A StatefulSet's controller waits for each pod to get ready before it goes on to the next revision: forever, where the old one never
does (Kubernetes' documentation, StatefulSets, "Forced rollback"). A Deployment's takes no old pod away while too few are available: where
none of the old is ready, and what they hold of a quota or a node is what the new ones lack, neither gets anywhere.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from functools import partial

from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import (
    condition_of,
    is_ready,
    labels_of,
    name_of,
    newest_replica_set,
    owned_by,
    status_of,
)

OBSERVED_SECONDS = 15.0
PATIENCE = timedelta(seconds=20)
"""A pod that is not ready for so long does not come back by itself in a moment."""
POLL_SECONDS = 0.3


def replace(cluster: Cluster, step: StepReport) -> None:
    """Delete the pods of the release's StatefulSets that are of another revision than the wanted one and not ready."""
    for name in stuck(_observed(cluster, step)):
        step.progress(f"replacing {name}, which never got ready")
        look(partial(cluster.kubectl, "delete", "pod", name, "--ignore-not-found", "--wait=false"), step)


def _observed(cluster: Cluster, step: StepReport) -> list[Object]:
    """Return the release's StatefulSets and pods once the controller has seen the new objects, or after some seconds."""
    objects: list[Object] = []

    def seen() -> bool:
        objects[:] = look(lambda: cluster.get("statefulsets,pods", selector=cluster.selector), step)
        sets = [each for each in objects if each["kind"] == "StatefulSet"]
        return all(status_of(each).get("observedGeneration") == each["metadata"]["generation"] for each in sets)

    with contextlib.suppress(OverdueError):
        until(seen, seconds=OBSERVED_SECONDS, pause=POLL_SECONDS, what="the StatefulSets' controller")
    return objects


def stuck(objects: list[Object]) -> list[str]:
    """Return the names of the pods that a StatefulSet among the objects would wait for in vain."""
    wanted = {name_of(each): status_of(each).get("updateRevision") for each in objects if each["kind"] == "StatefulSet"}
    return [name_of(pod) for pod in objects if pod["kind"] == "Pod" and not is_ready(pod) and _is_of_old(pod, wanted)]


def _is_of_old(pod: Object, wanted: dict[str, str | None]) -> bool:
    owners = [owner["name"] for owner in pod["metadata"].get("ownerReferences", ()) if owner["kind"] == "StatefulSet"]
    revision = labels_of(pod).get("controller-revision-hash")
    return any(wanted.get(owner) not in (None, revision) for owner in owners)


def make_room(cluster: Cluster, now: Snapshot, step: StepReport) -> None:
    """Take away the old pods of Deployments that serve nothing, so that the new ones can come."""
    for name in in_the_way(now):
        step.say(f"removing the old pods of {name}: none of them is ready, and new ones may need their resources")
        look(partial(cluster.kubectl, "scale", "replicaset", name, "--replicas=0"), step)


def in_the_way(now: Snapshot) -> list[str]:
    """Return the names of the old ReplicaSets none of whose pods is ready, or was in the last seconds."""
    found = []
    for deployment in (each for each in now.workloads if each["kind"] == "Deployment"):
        newest = newest_replica_set(deployment, now.replica_sets)
        old = [each for each in now.replica_sets if owned_by(each, deployment) and each is not newest and each["spec"].get("replicas")]
        if newest and newest["spec"].get("replicas", 0) > status_of(newest).get("readyReplicas", 0):
            found += [name_of(each) for each in old if all(_is_lost(pod, now.taken) for pod in now.pods if owned_by(pod, each))]
    return found


def _is_lost(pod: Object, now: datetime) -> bool:
    return not is_ready(pod) and now - time_of(condition_of(pod, "Ready").get("lastTransitionTime")) > PATIENCE
