"""What a step would do, as a value: observed and decided in one function, done in another, and printed by `plan`, which does not do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Todo = TypeVar("Todo")


@dataclass(frozen=True)
class Change:
    """One thing that would change, and why: a line each."""

    what: str
    why: str


@dataclass(frozen=True)
class Decision(Generic[Todo]):
    """What was found, what changes, and what the act needs for it.

    Example:
        def decide(project: Project) -> Decision[list[Image]]:
            missing = [image for image in project.images if not exists(image)]
            changes = tuple(Change(f"build {image.tag}", "no such image here") for image in missing)
            return Decision(f"{len(project.images)} images", missing, changes)

        def main(project: Project, step: StepReport) -> Outcome:
            decision = decide(project)
            return build(decision.todo, step) if decision.changes else unchanged(decision.found)

    """

    found: str
    """What was observed, in one line: the step's detail when nothing is to do."""
    todo: Todo
    """What the act takes. Of no use to a reader."""
    changes: tuple[Change, ...] = ()
    """Empty where everything is as it should be."""
