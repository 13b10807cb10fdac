"""What `minikube start -o json` says while it works: its events, as progress, and as the cause where it fails."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.shell import CommandError

EVENT = "io.k8s.sigs.minikube."
BOX = re.compile("[╭╮╰╯│─]")
TEMPLATE = re.compile(r"\{\{[^}]*\}\}")
GO_VALUE = re.compile(r"(?:\w+: )?&\{[^{}]*\}: ")  # what a Go program prints of a value of its own in the middle of an error
PLEAS = ("let us know", "github.com/kubernetes/minikube/issues/new", "to the GitHub issue")


@dataclass(frozen=True)
class Event:
    """One line of `-o json`."""

    kind: str
    message: str
    advice: str = ""
    reason: str = ""
    fatal: bool = False


def read_event(line: str) -> Event | None:
    """Return the event in a line of `-o json`, or None for a line that is none.

    An error is fatal when it carries an exit code; without one it is something that a part of Minikube wrote to stderr.
    """
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or not str(entry.get("type", "")).startswith(EVENT):
        return None
    data = entry.get("data") or {}
    kind = entry["type"].removeprefix(EVENT)
    return Event(
        kind, _message(kind, data), data.get("advice", ""), data.get("name", "") if kind == "error" else "", bool(data.get("exitcode"))
    )


def _message(kind: str, data: Mapping[str, Any]) -> str:
    if kind == "step":
        number, total = data.get("currentstep"), data.get("totalsteps")
        return f"{data.get('message', '').strip()}" + (f" ({number}/{total})" if number and total else "")
    if kind == "download":
        return f"downloading {data.get('artifact', '')}"
    if kind == "download.progress":
        return f"downloading {data.get('artifact', '')}{_percent(data.get('progress', ''))}"
    return str(data.get("message", "")).strip()


def _percent(share: str) -> str:
    try:
        return f": {float(share):.0%}"
    except ValueError:
        return ""


class Listener:
    """Turns Minikube's events into progress, and keeps those that explain a failure."""

    def __init__(self, step: StepReport, profile: str) -> None:
        self._step = step
        self._profile = profile
        self._errors: list[Event] = []

    def __call__(self, line: str) -> None:
        """Take one line of output; one that is no event is in the log already."""
        event = read_event(line)
        if event is None:
            return
        if event.kind == "error":
            self._errors.append(event)
        elif event.kind == "warning":
            self._step.warn(event.message)
        elif event.message:
            self._step.progress(event.message)

    def failure(self, error: CommandError) -> TaskError:
        """Return what went wrong: the fatal event, or, without one, the last error, or what was printed last."""
        fatal = [event for event in self._errors if event.fatal]
        told = (fatal or self._errors)[-1:]
        if not told:
            return TaskError(f"Minikube did not start: {error.cause}", "the last lines say why", error.evidence, code="cluster-not-started")
        event = told[0]
        first, *more = self._plain(event.message) or ["it does not say why"]
        reason = f" ({event.reason})" if event.reason else ""
        evidence = [*more, *(line for other in self._errors if other is not event for line in self._plain(other.message))]
        advice = " ".join(self._plain(event.advice)) or "invoke doctor"
        if "minikube delete" in advice:
            advice = "invoke down --cluster, then invoke up"
        return TaskError(f"Minikube did not start: {first}{reason}", advice, evidence, code="cluster-not-started")

    def _plain(self, text: str) -> list[str]:
        """The lines of a message without boxes, the plea to report it, templates that were not filled in, and Go's own values."""
        text = GO_VALUE.sub("", text)
        text = TEMPLATE.sub(lambda name: f"--profile {self._profile}" if "profile" in name[0] else "", BOX.sub("", text))
        return [line for line in map(str.strip, text.splitlines()) if line and not any(plea in line for plea in PLEAS)]
