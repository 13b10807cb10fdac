"""Watches a rollout: shows what happens, ends when every workload is rolled out, and gives up early on what cannot heal."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from scripts.core import shell
from scripts.core.counting import several
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.kubernetes import retries, stuck_pods
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis import observation
from scripts.kubernetes.diagnosis.cause import DATABASE_CODES, Diagnosis
from scripts.kubernetes.diagnosis.diagnose import diagnose, unexplained
from scripts.kubernetes.diagnosis.rules.exposed import lost_claims
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.diagnosis.snapshot import progress as progress_of
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import is_rolled_out, name_of, status_of, wanted_replicas

LOOK_SECONDS = 1.0
DIAGNOSIS_SECONDS = 3.0
CAME = ("", "the bundled Postgres was last seen coming")
ENDS_WITHOUT = ("migration-failed", "crash-on-start")
AGAIN_SECONDS = 45.0
ASKS_PODS = "asking its pods why they are not ready"
CALM_SECONDS = 4.0  # nobody diagnoses a rollout that has only begun


def examine(cluster: Cluster) -> list[Diagnosis]:
    """Return what is wrong with the release in this cluster, as far as its workloads are there. Raises what shell.run raises."""
    whole = observation.take_snapshot(cluster)
    found = diagnose(whole)
    return [*found, *unexplained(whole, found)]


def serves(cluster: Cluster) -> bool:
    """Return whether every workload of the release has a pod that is ready."""
    workloads = cluster.get("deployments,statefulsets", selector=cluster.selector)
    return bool(workloads) and all(status_of(workload).get("readyReplicas", 0) for workload in workloads)


def watch(cluster: Cluster, timeout: float, step: StepReport, *, leave_out: Collection[str] = ()) -> Outcome:
    """Wait until every workload of the release is rolled out, but for those to leave out.

    timeout: seconds. Raises TaskError with the cause, its evidence and the next action, as soon as a cause is final, or at the
    time limit; and what shell.run raises.
    """
    started = time.monotonic()
    see = partial(_watched, cluster, leave_out)
    now = look(see, step)
    if not now.workloads:
        raise TaskError(f"{now.release} has no workloads in namespace {now.namespace}", "invoke up", code="not-installed")
    if not pending(now):
        _warn_of_lost_volumes(now, step)
        return unchanged(f"{_pods(now)} ready")
    since: dict[tuple[str, str], float] = {}
    known: set[str] | None = None
    next_diagnosis = started + CALM_SECONDS
    while pending(now):
        step.progress(progress(now))
        waited = time.monotonic() - started
        if time.monotonic() >= next_diagnosis:
            stuck_pods.make_room(cluster, now, step)
            details = look(partial(observation.with_details, cluster, now), step, waits=ASKS_PODS)
            retries.hurry(cluster, details, step)
            found = diagnose(details)
            if known is None:
                known = retries.start_again(cluster, now, found, step)
                found = [d for d in found if d.workload not in known]  # of pods that go
            final = final_causes(found, now, since, time.monotonic(), known)
            if final or waited >= timeout:
                raise failure(final + [d for d in found if d not in final], now, waited)
            next_diagnosis = time.monotonic() + DIAGNOSIS_SECONDS
        shell.pause(LOOK_SECONDS)
        now = look(see, step)
    _warn_of_lost_volumes(now, step)
    return changed(f"{_pods(now)} ready after {time.monotonic() - started:.0f} s")


def _warn_of_lost_volumes(now: Snapshot, step: StepReport) -> None:
    """All is well until the pod ends, and then its data is gone. Of claims only those of StatefulSets are seen here."""
    for workload in (each for each in now.workloads if each["kind"] == "StatefulSet"):
        for lost in lost_claims(now, workload):
            step.warn(f"{lost.cause} -> {lost.action}")


def _watched(cluster: Cluster, leave_out: Collection[str]) -> Snapshot:
    now = observation.quick_snapshot(cluster)
    return replace(now, workloads=[workload for workload in now.workloads if name_of(workload) not in leave_out])


def pending(snapshot: Snapshot) -> list[Object]:
    """Return the workloads that are not rolled out."""
    return [workload for workload in snapshot.workloads if not is_rolled_out(workload)]


def final_causes(
    found: Sequence[Diagnosis], snapshot: Snapshot, since: dict[tuple[str, str], float], now: float, known: Collection[str] = ()
) -> list[Diagnosis]:
    """Return the causes that have lasted longer than they may. Keeps in `since` when each was first seen; one that healed begins again.

    known: workloads that failed before this run and were started again; a program of theirs that ends once more has ended often enough.

    A database cause has time while the bundled Postgres is still coming up; so has a program that ends at once without it, until the
    kubelet, which waits longer after each end, has started it again.
    """
    keys = {(d.workload, d.code) for d in found} | {CAME}
    for key in since.keys() - keys:
        del since[key]
    if coming := {name_of(workload) for workload in pending(snapshot) if workload["kind"] == "StatefulSet"}:
        since[CAME] = now
    waiting = {*(DATABASE_CODES if coming else ()), *(ENDS_WITHOUT if now - since.get(CAME, -AGAIN_SECONDS) < AGAIN_SECONDS else ())}
    candidates = [d for d in found if d.code not in waiting or d.workload in coming]
    return [d for d in candidates if d.final_after(now - since.setdefault((d.workload, d.code), now), failed_before=d.workload in known)]


def failure(found: Sequence[Diagnosis], snapshot: Snapshot, waited: float) -> TaskError:
    """Return the error of a rollout that failed: the first cause in full, the others in a line each."""
    if not found:
        names = ", ".join(name_of(workload) for workload in pending(snapshot))
        return TaskError(
            f"{names}: not ready after {waited:.0f} s, and nothing says why",
            "invoke diagnose; on a slow machine, raise chart.timeout_seconds in invoke.yaml",
            [progress(snapshot)],
            code="not-rolled-out",
        )
    first, *others = found
    also = [f"also {other.cause}" + (f" (follows from {other.follows_from})" if other.follows_from else "") for other in others]
    return TaskError(first.cause, first.action, [*first.evidence, *also], code=first.code)


def progress(snapshot: Snapshot) -> str:
    """Return one line about the whole rollout: ready and wanted pods of each workload, and what the slowest pod does."""
    return ", ".join(progress_of(snapshot, workload) for workload in snapshot.workloads)


def _pods(snapshot: Snapshot) -> str:
    return several(sum(wanted_replicas(workload) for workload in snapshot.workloads), "pod")
