"""Cuts short the waits between attempts that a rollout would sit out: what they failed for may be gone.

A container that failed waits up to five minutes before its next start, and a controller whose pods were refused up to a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Sequence

from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.desired.labels import selector
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import DATABASE_CODES, Diagnosis
from scripts.kubernetes.diagnosis.rules.controllers import refused_maker
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import is_rolled_out, name_of, status_of

AGAIN = "todo-tasks/try-again"
RESTART_SECONDS = 90


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
