"""Causes of a container that ran and ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.engines import snapshot as seen
from scripts.engines.causes.case import Case, cases
from scripts.engines.causes.cause import Diagnosis
from scripts.engines.causes.logs import told_by_log
from scripts.engines.causes.probes import probe_words

if TYPE_CHECKING:
    from scripts.engines.cluster import Object
    from scripts.engines.snapshot import Snapshot

SHORT_RUN = timedelta(seconds=10)  # a run that ends sooner crashed on start
PROBE_KILLS = (
    # (probe, code, what it means, what to do)
    ("liveness", "liveness-failing", "its liveness probe keeps failing", "mend what the probe asks; it must ask the process alone"),
    ("startup", "startup-too-slow", "it is not up in its startup probe's time",
     "make it start faster, or raise failureThreshold of probes.startup"),
)  # fmt: skip


def died(case: Case) -> Diagnosis | None:
    """The container's newest run ended, and it is not up again."""
    if not case.death or (case.init and case.death.get("exitCode") == 0):
        return None
    for rung in (_out_of_memory, _killed_by_probe, told_by_log):
        if found := rung(case):
            return found
    return _crashed(case)


def keeps_dying(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """A pod that is ready now, and whose container has died again and again, or was killed by its liveness probe, of late."""
    for case in cases(snapshot, workload, pod):
        if case.init or not case.death or not case.died_recently:
            continue
        found = died(case)
        if found and (found.deaths >= 2 or found.code == "liveness-failing"):
            return found
    return None


def _out_of_memory(case: Case) -> Diagnosis | None:
    if case.death.get("reason") != "OOMKilled":
        return None
    limit = case.spec.get("resources", {}).get("limits", {}).get("memory")
    bound = f"its limit of {limit}" if limit else "what the node has"
    return case.diagnosis(
        "out-of-memory",
        f"container {case.name} used more memory than {bound} and was killed",
        "raise resources.limits.memory of the service, or make it use less",
    )


def _killed_by_probe(case: Case) -> Diagnosis | None:
    """The kubelet killed it since a probe failed. It ended by the signal, or took it as a request to leave."""
    if case.death.get("exitCode") not in (0, 137, 143):
        return None
    kills = case.events("Killing")
    for probe, code, meaning, action in PROBE_KILLS:
        if not any(f"failed {probe} probe" in kill["message"] for kill in kills):
            continue
        failed = [e for e in case.events("Unhealthy") if e["message"].lower().startswith(probe)]
        budget = f" ({_probe_budget(case.spec['startupProbe'])})" if probe == "startup" else ""
        why = f": {probe_words(failed[0]['message'])}" if failed else ""
        return case.diagnosis(code, f"container {case.name} is killed, since {meaning}{budget}{why}", action, [*failed[:1], *kills])
    return None


def _probe_budget(probe: Object) -> str:
    seconds = probe.get("initialDelaySeconds", 0) + probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
    return f"{seconds} s"


def _crashed(case: Case) -> Diagnosis:
    code, last = case.death.get("exitCode"), (f": {case.log[-1]}" if case.log else "")
    ran = seen.time_of(case.death.get("finishedAt")) - seen.time_of(case.death.get("startedAt"))
    if code == 0:
        return case.diagnosis(
            "ended-by-itself", f"container {case.name} ended with exit code 0, and a service must keep running{last}", case.logs
        )
    ended = f"exit code {code}" if code is not None and code <= 128 else f"exit code {code} (signal {int(code or 0) - 128})"
    if ran < SHORT_RUN:
        return case.diagnosis("crash-on-start", f"container {case.name} crashes on start with {ended}{last}", case.logs)
    seconds = int(ran.total_seconds())
    return case.diagnosis("crash-later", f"container {case.name} crashed after {seconds} s with {ended}{last}", case.logs)
