"""A database that has lost what was prepared in it: its volume was recreated, while the pods that had prepared it go on without."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scripts.kubernetes.api import Object
from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.objects import is_leaving, is_ready, labels_of, name_of, owned_by, status_of

GO_ON = "restore a backup into it, or go on with an empty one: invoke up prepares it"


@dataclass(frozen=True)
class EmptiedDatabase:
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


def find(now: Snapshot) -> EmptiedDatabase | None:
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
            return EmptiedDatabase(database, claim, tuple(pods))
    return None


def _all_pods_of(now: Snapshot, deployment: Object) -> list[Object]:
    sets = [each for each in now.replica_sets if owned_by(each, deployment)]
    return [pod for pod in now.pods if any(owned_by(pod, each) for each in sets)]


def _prepared_at(pod: Object) -> datetime | None:
    """When the last of the pod's init containers ended; None where it has none, or they go on."""
    ends = [each.get("state", {}).get("terminated", {}).get("finishedAt") for each in status_of(pod).get("initContainerStatuses", ())]
    return max(map(time_of, ends)) if ends and all(ends) and not is_leaving(pod) else None
