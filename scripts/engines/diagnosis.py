"""Why a release does not come up: from a snapshot to causes. Pure; the ladder and the codes are in `specs/diagnosis.md`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scripts.engines import snapshot as seen
from scripts.engines.causes.case import Case, cases
from scripts.engines.causes.cause import DATABASE_CODES, Diagnosis
from scripts.engines.causes.controllers import refused_pods, stalled
from scripts.engines.causes.deaths import died, keeps_dying
from scripts.engines.causes.logs import waits_for_database
from scripts.engines.causes.pods import evicted, not_placed, not_prepared
from scripts.engines.causes.probes import not_ready
from scripts.engines.causes.starts import image_missing, not_configured, not_started
from scripts.engines.snapshot import Snapshot, name_of

if TYPE_CHECKING:
    from scripts.engines.cluster import Object

PodRung = Callable[[Snapshot, "Object", "Object"], Diagnosis | None]
POD_RUNGS: Sequence[PodRung] = (evicted, not_placed, not_prepared)
ContainerRung = Callable[[Case], Diagnosis | None]
CONTAINER_RUNGS: Sequence[ContainerRung] = (not_configured, image_missing, not_started, waits_for_database, not_ready, died)
"""The rules in the order in which they are asked; the first that finds something is the cause."""


def diagnose(snapshot: Snapshot) -> list[Diagnosis]:
    """Return the causes that keep the release from being well, roots before what follows from them; none for a healthy one.

    A workload that only needs more time has none.
    """
    found = [d for workload in snapshot.workloads for d in _of_workload(snapshot, workload)]
    databases = {name_of(workload) for workload in snapshot.workloads if workload["kind"] == "StatefulSet"}
    linked = [replace(d, follows_from=_root_of(d, found, databases)) for d in found]
    return sorted(linked, key=lambda d: bool(d.follows_from))


def _root_of(diagnosis: Diagnosis, all_found: Sequence[Diagnosis], databases: Collection[str]) -> str:
    """The other ailing workload that this one needs: our own database, or one that its log or probe answer names."""
    roots = [d.workload for d in all_found if d.workload != diagnosis.workload and d.code not in DATABASE_CODES]
    words = set(re.findall(r"[a-z0-9-]+", " ".join(diagnosis.evidence)))
    if diagnosis.code in DATABASE_CODES:
        return next((root for root in roots if root in databases or root in words), "")
    if diagnosis.code == "readiness-http":
        return next((root for root in roots if root in words), "")
    return ""


def _of_workload(snapshot: Snapshot, workload: Object) -> list[Diagnosis]:
    """One diagnosis for each different cause among the workload's pods."""
    if seen.rolled_out(workload):
        found = [keeps_dying(snapshot, workload, pod) for pod in snapshot.pods_of(workload)]
    else:
        found = [refused_pods(snapshot, workload)]
        found += [_of_pod(snapshot, workload, pod) for pod in snapshot.pods_of(workload)]
        if not any(found):
            found = [stalled(workload)]
    by_code: dict[str, Diagnosis] = {}
    for diagnosis in found:
        if diagnosis and diagnosis.deaths >= by_code.get(diagnosis.code, diagnosis).deaths:
            by_code[diagnosis.code] = diagnosis
    return list(by_code.values())


def _of_pod(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    if seen.ready(pod):
        return keeps_dying(snapshot, workload, pod)
    for rung in POD_RUNGS:
        if found := rung(snapshot, workload, pod):
            return found
    for case in cases(snapshot, workload, pod):
        for container_rung in CONTAINER_RUNGS:
            if found := container_rung(case):
                return found
    return None
