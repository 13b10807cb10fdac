"""One container of a pod, as the rules about containers see it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed, event_line
from scripts.kubernetes.diagnosis.snapshot import Snapshot, exit_count, last_exit, time_of
from scripts.kubernetes.objects import containers_of, name_of
from scripts.logs.fields import words

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

RECENTLY = timedelta(minutes=5)
LOG_LINES = 5


@dataclass(frozen=True)
class ContainerState:
    """One container of one pod of a workload, as the rules see it."""

    snapshot: Snapshot
    workload: Object
    pod: Object
    spec: Object
    status: Object
    init: bool

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def waiting(self) -> Object:
        """Its waiting state; empty when it does not wait."""
        return self.status.get("state", {}).get("waiting") or {}

    @property
    def last_exit(self) -> Object:
        """How its newest ended run ended; empty when none has."""
        return last_exit(self.status)

    @property
    def exited_recently(self) -> bool:
        """Whether that run ended within RECENTLY of the snapshot."""
        return self.snapshot.taken - time_of(self.last_exit.get("finishedAt")) < RECENTLY

    @property
    def runs_for(self) -> timedelta:
        """How long its present run has lasted; nothing when it does not run."""
        started = self.status.get("state", {}).get("running", {}).get("startedAt")
        return self.snapshot.taken - time_of(started) if started else timedelta(0)

    @property
    def log(self) -> list[str]:
        """The last lines of its log, as a person reads them, oldest first."""
        lines = self.snapshot.logs.get(f"{name_of(self.pod)}/{self.name}", ())
        return [words(line) for line in lines if line.strip()]

    @property
    def logs(self) -> str:
        """The command that shows more of the log."""
        return f"invoke logs {name_of(self.workload).removeprefix(f'{self.snapshot.release}-')}"

    def events(self, *reasons: str) -> list[Object]:
        """The pod's events about this container."""
        path = re.compile(rf"spec\.\w+\{{{re.escape(self.name)}\}}")
        found = self.snapshot.events_of(self.pod, *reasons)
        return [e for e in found if path.fullmatch(e["involvedObject"].get("fieldPath", ""))]

    def diagnosis(self, code: str, cause: str, action: str, events: Sequence[Object] = ()) -> Diagnosis:
        """Return a diagnosis with the container's state, these events and its last log lines as evidence."""
        evidence = [f"pod {name_of(self.pod)}, container {self.name}: {_state(self.status)}"]
        evidence += [event_line(e) for e in events[:2]]
        evidence += dict.fromkeys(f"log: {line}" for line in self.log[-LOG_LINES:])
        return diagnosed(self.workload, code, cause, evidence, action, exits=exit_count(self.status))


def containers(snapshot: Snapshot, workload: Object, pod: Object) -> Iterator[ContainerState]:
    """Yield the pod's containers, init containers first."""
    for spec, status, init in containers_of(pod):
        yield ContainerState(snapshot, workload, pod, spec, status, init)


def _state(status: Object) -> str:
    """A container's state as one line."""
    for kind, state in status.get("state", {}).items():
        told = [kind, state.get("reason", "")]
        if kind == "terminated":
            told.append(f"exit code {state.get('exitCode')}")
        last = status.get("lastState", {}).get("terminated")
        if last and kind != "terminated":
            told.append(f"last run ended: {last.get('reason', '')}, exit code {last.get('exitCode')}")
        restarts = status.get("restartCount", 0)
        told.append(f"restarts {restarts}" if restarts else "")
        line = ", ".join(part for part in told if part)
        return f"{line}: {state['message']}" if state.get("message") else line
    return "not created yet"
