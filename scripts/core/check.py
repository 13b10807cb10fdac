"""One thing that a run needs, looked at: what was found, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "problem", "not looked at"]


@dataclass(frozen=True)
class Problem:
    """What is wrong, and what to do about it."""

    cause: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.cause}: {self.remedy}" if self.remedy else self.cause


@dataclass(frozen=True)
class Check:
    """What was looked at, by its name, and what was found of it."""

    name: str
    found: str = ""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: bool = False
    """Whether it could not be looked at; `found` says why."""

    def rows(self) -> list[tuple[str, str, Verdict, str]]:
        """Return name, what was found, verdict and remedy: a row for each problem and each warning, or the one for what is right."""
        rows: list[tuple[str, str, Verdict, str]] = [(self.name, each.cause, "problem", each.remedy) for each in self.problems]
        rows += [(self.name, each, "warning", "") for each in self.warnings]
        return rows or [(self.name, self.found, "not looked at" if self.skipped else "ok", "")]
