"""What a step speaks through, for tests: it says everything as in a run, to nobody, and keeps it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from scripts.core.report import Report, StepReport


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
