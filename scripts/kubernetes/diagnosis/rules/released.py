"""A pod that its workload has let go, since somebody changed its labels: it runs on, nobody asks it, and it keeps its name and its room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import is_leaving, labels_of, name_of, owned_by, selects

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

CODE = "pod-released"
HASH = re.compile(r"-[a-z0-9]{5}$")
ORDINAL = re.compile(r"-\d+$")
FOLLOWS = ("quota-exceeded", "controller-waits", "pod-refused")
"""What a workload meets whose controller tries again and again to make a pod of a name that is taken; each try counts against the quota."""


def released(snapshot: Snapshot, workload: Object) -> Iterator[Diagnosis]:
    """Yield a cause for each pod that is the workload's by its name, has no owner any more, and lacks what the workload selects by."""
    wanted = workload["spec"].get("selector", {}).get("matchLabels") or {}
    for pod in snapshot.pods:
        labels = labels_of(pod)
        lost = {key: value for key, value in wanted.items() if labels.get(key) != value}
        if not lost or pod["metadata"].get("ownerReferences") or is_leaving(pod) or not _is_its(snapshot, workload, pod):
            continue
        now = ", ".join(f"{key} is {labels.get(key, 'gone')}, and should be {value}" for key, value in lost.items())
        again = " ".join(f"{key}={value}" for key, value in lost.items())
        taken = "; no other pod of its name can be made" if workload["kind"] == "StatefulSet" else ""
        yield diagnosed(
            workload,
            CODE,
            f"its pod {name_of(pod)} is cut off from it and its Service, since its labels were changed: {now}{taken}",
            [f"pod {name_of(pod)}: {now}", f"pod {name_of(pod)} has no owner"],
            f"kubectl --namespace {snapshot.namespace} label pod {name_of(pod)} {again} --overwrite",
        )


def _is_its(snapshot: Snapshot, workload: Object, pod: Object) -> bool:
    if workload["kind"] == "StatefulSet":
        return ORDINAL.sub("", name_of(pod), count=1) == name_of(workload) and not selects(workload["spec"]["selector"], labels_of(pod))
    makers = {name_of(each) for each in snapshot.replica_sets if owned_by(each, workload)}
    return HASH.sub("", name_of(pod), count=1) in makers
