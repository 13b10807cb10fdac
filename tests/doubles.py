"""Doubles for tests: what a step speaks through, which says everything as in a run, to nobody, and keeps it; a revision of helm's."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from scripts.core.report import Report, StepReport
from scripts.kubernetes.helm import Revision


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


def revision(number: int, status: str, description: str) -> Revision:
    """Return a revision in helm's history."""
    return Revision(number, status, lambda: description)
