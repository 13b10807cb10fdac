"""Frees a rollout from old pods that it would wait for in vain.

A StatefulSet's controller waits for each pod to get ready before it goes on to the next revision: forever, where the old one never
does (Kubernetes' documentation, StatefulSets, "Forced rollback"). A Deployment's takes no old pod away while too few are available: where
none of the old is ready, and what they hold of a quota or a node is what the new ones lack, neither gets anywhere. And what an init
container made in a database is gone with the database's volume, while its pod goes on without. A controller whose pods were refused waits
longer after each attempt, up to a quarter of an hour, though what refused them is gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.desired.labels import selector
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import DATABASE_CODES, Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.rules.controllers import refused_maker
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import (
    condition_of,
    is_leaving,
    is_ready,
    is_rolled_out,
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
AGAIN = "todo-tasks/try-again"
RESTART_SECONDS = 90
GO_ON = "restore a backup into it, or go on with an empty one: invoke up prepares it"


def replace(cluster: Cluster, step: StepReport) -> None:
    """Delete the pods of the release's StatefulSets that are of another revision than the wanted one and not ready."""
    for name in stuck(_observed(cluster, step)):
        step.progress(f"replacing {name}, which never got ready")
        cluster.kubectl("delete", "pod", name, "--ignore-not-found", "--wait=false")


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
        cluster.kubectl("scale", "replicaset", name, "--replicas=0")


def start_again(cluster: Cluster, now: Snapshot, found: Sequence[Diagnosis], step: StepReport) -> None:
    """Replace the pods whose containers gave up on their database: it may do what they want by now, and a back-off lasts five minutes."""
    troubled = {each.workload for each in found if each.code in DATABASE_CODES}
    for workload in (each for each in now.workloads if name_of(each) in troubled):
        for name in (name_of(pod) for pod in now.pods_of(workload) if _backs_off(pod)):
            step.say(f"replacing {name}, which would wait before it tries its database again")
            cluster.kubectl("delete", "pod", name, "--ignore-not-found", "--wait=false")


def _backs_off(pod: Object) -> bool:
    status = status_of(pod)
    containers = (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ()))
    return any(each.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff" for each in containers)


def hurry(cluster: Cluster, now: Snapshot, step: StepReport) -> None:
    """Have the controllers try again whose pods were refused and would be taken now: any change of what they keep is a reason to."""
    for workload in (each for each in now.workloads if now.refusals.get(name_of(each)) == "" and not is_rolled_out(each)):
        maker, _ = refused_maker(now, workload)
        if maker is not None:
            step.progress(f"{name_of(workload)}: its pods would be taken now; its controller is to try again")
            for note in (f"{AGAIN}=now", f"{AGAIN}-"):
                cluster.kubectl("annotate", maker["kind"].lower(), name_of(maker), note, "--overwrite")


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


@dataclass(frozen=True)
class Emptied:
    """A database whose volume was recreated under pods that had prepared it."""

    database: Object
    claim: Object
    pods: tuple[Object, ...]
    """One of each Deployment; what its successor prepares is there for all."""

    @property
    def cause(self) -> str:
        """What has happened, in one line."""
        made = time_of(self.claim["metadata"]["creationTimestamp"]).astimezone()
        return f"the database is empty: its volume {name_of(self.claim)} was recreated at {made:%H:%M:%S}, after the pods had prepared it"

    def diagnosis(self) -> Diagnosis:
        """Return it as a cause of what is wrong."""
        return diagnosed(self.database, "database-emptied", self.cause, [f"pod {name_of(pod)} is older" for pod in self.pods], GO_ON)


def emptied(now: Snapshot) -> Emptied | None:
    """Return the database that is younger than what every pod's init containers have made in it, if there is one."""
    for database in (each for each in now.workloads if each["kind"] == "StatefulSet"):
        labels = database["spec"]["selector"]["matchLabels"].items()
        claims = [each for each in now.claims if labels <= labels_of(each).items()]
        if not claims:
            continue
        claim = max(claims, key=lambda each: time_of(each["metadata"]["creationTimestamp"]))
        made = time_of(claim["metadata"]["creationTimestamp"])
        pods = []
        for deployment in (each for each in now.workloads if each["kind"] == "Deployment"):
            there = _all_pods_of(now, deployment)
            prepared = [(ended, pod) for pod in there if (ended := _prepared_at(pod))]
            comes = any(time_of(pod["metadata"]["creationTimestamp"]) > made for pod in there)  # and prepares it
            if prepared and not comes and all(ended < made for ended, _ in prepared):
                pods.append(min((pod for _, pod in prepared), key=is_ready))
        if pods:
            return Emptied(database, claim, tuple(pods))
    return None


def _all_pods_of(now: Snapshot, deployment: Object) -> list[Object]:
    sets = [each for each in now.replica_sets if owned_by(each, deployment)]
    return [pod for pod in now.pods if any(owned_by(pod, each) for each in sets)]


def _prepared_at(pod: Object) -> datetime | None:
    """When the last of the pod's init containers ended; None where it has none, or they go on."""
    ends = [each.get("state", {}).get("terminated", {}).get("finishedAt") for each in status_of(pod).get("initContainerStatuses", ())]
    return max(map(time_of, ends)) if ends and all(ends) and not is_leaving(pod) else None


def restart_database(cluster: Cluster, error: TaskError, step: StepReport) -> bool:
    """Restart the bundled Postgres where it refuses the password of its own Secret, which each start sets; return whether it was."""
    databases = cluster.get("statefulsets", selector=cluster.selector)
    if not databases or error.code not in ("database-login", "readiness-http") or "authentication failed" not in str(error):
        return False
    step.say(
        "the database refuses the password of its Secret, because it was changed in the database itself: restarting it, which sets it again"
    )
    pods = selector(databases[0]["spec"]["selector"]["matchLabels"])
    cluster.kubectl("delete", "pod", "--selector", pods, f"--timeout={RESTART_SECONDS}s", timeout=RESTART_SECONDS + 10)
    return True
