"""Cuts short the waits between attempts that a rollout would sit out: what they failed for may be gone.

A container that failed waits up to five minutes before its next start, and a controller whose pods were refused up to a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.desired.labels import selector
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import DATABASE_CODES, Diagnosis
from scripts.kubernetes.diagnosis.rules.controllers import refused_maker
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import is_rolled_out, name_of, status_of

AGAIN = "todo-tasks/try-again"
RESTART_SECONDS = 90
FROM_BEFORE = timedelta(seconds=30)


def start_again(cluster: Cluster, now: Snapshot, found: Sequence[Diagnosis], step: StepReport) -> set[str]:
    """Replace the pods whose containers wait for their next start since before this run, or gave up on their database.

    What they failed for may be gone by now, and a back-off lasts up to five minutes. Returns the workloads that they are of.
    """
    wanting = {each.workload for each in found if each.code in DATABASE_CODES}
    replaced = set()
    for workload in now.workloads:
        for pod in filter(_backs_off, now.pods_of(workload)):
            if name_of(workload) in wanting or now.taken - time_of(pod["metadata"].get("creationTimestamp")) > FROM_BEFORE:
                step.say(f"replacing {name_of(pod)}, which would wait before it tries again")
                look(partial(cluster.kubectl, "delete", "pod", name_of(pod), "--ignore-not-found", "--wait=false"), step)
                replaced.add(name_of(workload))
    return replaced


def _backs_off(pod: Object) -> bool:
    status = status_of(pod)
    containers = (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ()))
    return any(_ends_again_and_again(each) for each in containers)


def _ends_again_and_again(status: Object) -> bool:
    """Whether a container waits for its next start, or has ended once more and is about to."""
    state = status.get("state", {})
    ended = "terminated" in state and state["terminated"].get("exitCode") != 0 and status.get("restartCount", 0) > 0
    return state.get("waiting", {}).get("reason") == "CrashLoopBackOff" or ended


def hurry(cluster: Cluster, now: Snapshot, step: StepReport) -> None:
    """Have the controllers try again whose pods were refused and would be taken now: any change of what they keep is a reason to."""
    for workload in (each for each in now.workloads if now.refusals.get(name_of(each)) == "" and not is_rolled_out(each)):
        maker, _ = refused_maker(now, workload)
        if maker is not None:
            step.progress(f"{name_of(workload)}: its pods would be taken now; its controller is to try again")
            for note in (f"{AGAIN}=now", f"{AGAIN}-"):
                look(partial(cluster.kubectl, "annotate", maker["kind"].lower(), name_of(maker), note, "--overwrite"), step)


def restart_database(cluster: Cluster, error: TaskError, step: StepReport) -> bool:
    """Restart the bundled Postgres where it refuses the password of its own Secret, which each start sets; return whether it was."""
    databases = look(partial(cluster.get, "statefulsets", selector=cluster.selector), step)
    if not databases or error.code not in ("database-login", "readiness-http") or "authentication failed" not in str(error):
        return False
    step.say(
        "the database refuses the password of its Secret, because it was changed in the database itself: restarting it, which sets it again"
    )
    pods = selector(databases[0]["spec"]["selector"]["matchLabels"])
    # Made once: what ends in a time limit here has waited for longer than a look may.
    cluster.kubectl("delete", "pod", "--selector", pods, f"--timeout={RESTART_SECONDS}s", timeout=RESTART_SECONDS + 10)
    return True
