"""Doubles for tests: a step's voice, which says everything as in a run, to nobody, and keeps it; a helm revision; a silent API server."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import pytest

from scripts.core.report import Report, StepReport
from scripts.core.shell import CommandError, Result
from scripts.kubernetes import looking
from scripts.kubernetes.helm import Revision

GONE = "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?"


@dataclass
class Step(StepReport):
    """A step's voice. What it said is in `heard`, `said` and `warned`."""

    name: str = "step"
    heard: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(Report(stdout=io.StringIO(), stderr=io.StringIO()), self.name)

    def progress(self, text: str) -> None:
        self.heard.append(text)
        super().progress(text)

    def say(self, text: str) -> None:
        self.said.append(text)
        super().say(text)

    def warn(self, text: str) -> None:
        self.warned.append(text)
        super().warn(text)


def failed(said: str) -> CommandError:
    """Return what a kubectl that ends with these words raises."""
    return CommandError("`kubectl get pods` failed with exit code 1", [said], Result(1, "", said, 0.0))


def silent_at_first(patch: pytest.MonkeyPatch, holder: Any, name: str, calls: int = 1) -> list[CommandError]:
    """Let the first calls of a function find an API server that does not answer. What is left of them is in the list."""
    answer, left = getattr(holder, name), [failed(GONE)] * calls

    def ask(*argv: Any, **options: Any) -> Any:
        if left:
            raise left.pop()
        return answer(*argv, **options)

    patch.setattr(holder, name, ask)
    patch.setattr(looking, "PAUSE_SECONDS", 0.01)
    return left


def revision(number: int, status: str, description: str) -> Revision:
    """Return a revision in helm's history."""
    return Revision(number, status, lambda: description)
