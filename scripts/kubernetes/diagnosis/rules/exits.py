"""Causes of a container that ran and ended."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.container import ContainerState, containers
from scripts.kubernetes.diagnosis.rules.logs import by_people, told_by_log
from scripts.kubernetes.diagnosis.rules.probes import probe_words
from scripts.kubernetes.diagnosis.snapshot import exit_count, time_of
from scripts.logs.fields import telling

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object
    from scripts.kubernetes.diagnosis.snapshot import Snapshot

SHORT_RUN = timedelta(seconds=10)  # a run that ends sooner crashed on start
SETTLED = timedelta(minutes=1)  # one that was killed once is healthy again when it has run for as long
KILLS = {137: "SIGKILL", 143: "SIGTERM"}
BACK_OFF = re.compile(r"back-off (\S+) restarting")
DURATION = re.compile(r"(\d+)([hms])")
PROBE_KILLS = (
    # (probe, code, what it means, what to do)
    ("liveness", "liveness-failing", "its liveness probe keeps failing", "fix what the probe asks; it must ask the process alone"),
    ("startup", "startup-too-slow", "it is not up in its startup probe's time",
     "make it start faster, or raise failureThreshold of probes.startup"),
)  # fmt: skip


def exited(container: ContainerState) -> Diagnosis | None:
    """The container's newest run ended, and it is not up again."""
    if not container.last_exit or (container.init and container.last_exit.get("exitCode") == 0):
        return None
    for rule in (_out_of_memory, _killed_by_probe, _killed_from_outside, told_by_log):
        if found := rule(container):
            return found
    return _crashed(container)


def keeps_exiting(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """A pod that is ready now, and whose container has exited repeatedly, or was killed by its liveness probe, recently."""
    for container in containers(snapshot, workload, pod):
        if container.init or not container.last_exit or not container.exited_recently:
            continue
        found = exited(container)
        once = found and (found.code == "killed-from-outside" or (found.code == "liveness-failing" and found.exits < 2))
        if once and container.runs_for >= SETTLED:
            continue
        if found and (found.exits >= 2 or found.code == "liveness-failing"):
            return found
    return None


def _out_of_memory(container: ContainerState) -> Diagnosis | None:
    limit = container.spec.get("resources", {}).get("limits", {}).get("memory")
    bound = f"its limit of {limit}" if limit else "what the node has"
    if container.last_exit.get("reason") == "OOMKilled":
        cause = f"container {container.name} used more memory than {bound} and was killed"
    elif limit and _killed_at_each_start(container):
        cause = f"container {container.name} is killed soon after each start, most likely since it uses more memory than {bound}"
    else:
        return None
    return container.diagnosis(
        "out-of-memory",
        cause,
        "raise resources.limits.memory of the service, or make it use less",
    )


def _killed_at_each_start(container: ContainerState) -> bool:
    """Whether SIGKILL ends one short run after another, and not the kubelet's: the runtime can miss that it was for the memory."""
    ran = time_of(container.last_exit.get("finishedAt")) - time_of(container.last_exit.get("startedAt"))
    again = exit_count(container.status) >= 2
    dies = container.last_exit.get("exitCode") == 137 and again and ran < SHORT_RUN and container.runs_for < SETTLED
    return dies and not container.events("Killing")


def _killed_by_probe(container: ContainerState) -> Diagnosis | None:
    """The kubelet killed it since a probe failed. It ended by the signal, or took it as a request to leave."""
    if container.last_exit.get("exitCode") not in (0, 137, 143):
        return None
    kills = container.events("Killing")
    for probe, code, meaning, action in PROBE_KILLS:
        if not any(f"failed {probe} probe" in kill["message"] for kill in kills):
            continue
        failed = [e for e in container.events("Unhealthy") if e["message"].lower().startswith(probe)]
        budget = f" ({_probe_budget(container.spec['startupProbe'])})" if probe == "startup" else ""
        why = f": {probe_words(failed[0]['message'])}" if failed else ""
        return container.diagnosis(
            code, f"container {container.name} is killed, since {meaning}{budget}{why}", action, [*failed[:1], *kills]
        )
    return None


def _killed_from_outside(container: ContainerState) -> Diagnosis | None:
    """A signal that no program sends to itself ended it: neither for memory nor by the kubelet. It heals when its next run starts."""
    name = KILLS.get(int(container.last_exit.get("exitCode", 0)))
    if name is None:
        return None
    waits = BACK_OFF.search(str(container.waiting.get("message", "")))
    again = ""
    if waits:
        seconds = sum(int(amount) * {"h": 3600, "m": 60, "s": 1}[unit] for amount, unit in DURATION.findall(waits[1]))
        starts = time_of(container.last_exit.get("finishedAt")) + timedelta(seconds=seconds)
        again = f"; it starts again at {starts.astimezone():%H:%M:%S}"
    return container.diagnosis(
        "killed-from-outside",
        f"container {container.name} was killed from outside by {name}, not for its memory and not by a probe{again}",
        "wait for its next start; if it is killed again, look at what else runs on its node",
    )


def _probe_budget(probe: Object) -> str:
    seconds = probe.get("initialDelaySeconds", 0) + probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
    return f"{seconds} s"


def _crashed(container: ContainerState) -> Diagnosis:
    code, said = container.last_exit.get("exitCode"), telling(container.log) if container.log else ""
    last, action = f": {said}" if said else "", by_people(said) or container.logs
    ran = time_of(container.last_exit.get("finishedAt")) - time_of(container.last_exit.get("startedAt"))
    if code == 0:
        return container.diagnosis(
            "ended-by-itself", f"container {container.name} ended with exit code 0, and a service must keep running{last}", action
        )
    ended = f"exit code {code}" if code is not None and code <= 128 else f"exit code {code} (signal {int(code or 0) - 128})"
    if ran < SHORT_RUN:
        return container.diagnosis("crash-on-start", f"container {container.name} crashes on start with {ended}{last}", action)
    seconds = int(ran.total_seconds())
    return container.diagnosis("crash-later", f"container {container.name} crashed after {seconds} s with {ended}{last}", action)
