"""What a step would do, as a value: one function observes and decides, another acts, and `invoke plan` prints it and stops there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scripts.core.report import Outcome, StepReport, changed, unchanged


@dataclass(frozen=True)
class Change:
    """One thing that would change, and why: a line each."""

    what: str
    why: str


def _nothing(_step: StepReport) -> Outcome:
    return unchanged()


@dataclass(frozen=True)
class Decision:
    """What was found, what changes, and the act that changes it.

    Example:
        def decide(images: Sequence[Image]) -> Decision:
            missing = [image for image in images if not exists(image)]
            changes = tuple(Change(f"build {image.reference}", "no such image here") for image in missing)
            return Decision(f"{len(images)} images", changes, partial(build, missing))

    """

    found: str
    """What was observed, in one line: the detail of a step that has nothing to do."""
    changes: tuple[Change, ...] = ()
    """Empty where everything is as it should be."""
    act: Callable[[StepReport], Outcome] = _nothing
    """Makes the changes, and looks again. Raises TaskError."""
    blocks: bool = False
    """Whether later steps cannot decide anything before this is done, as on a cluster that does not run."""
    in_full: Callable[[], Sequence[Change]] | None = None
    """Return the changes one by one, where finding them costs more than making them. Changes nothing. Raises TaskError."""

    def carry_out(self, step: StepReport) -> Outcome:
        """Make the changes, if there are any. Raises TaskError."""
        return self.act(step) if self.changes else unchanged(self.found)


def all_outcomes(detail: str, outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of several acts as one: unchanged only when all of them are."""
    return unchanged(detail) if all(outcome.kind == "unchanged" for outcome in outcomes) else changed(detail)
