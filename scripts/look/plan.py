"""What `up` would do, and why: its graph with the decisions alone. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from scripts.core.counting import several
from scripts.core.decision import Change, Decision
from scripts.core.errors import DONE, TO_DO
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport, unchanged

Decide = Callable[[StepReport], Decision]


def show_plan(steps: Sequence[Step], report: Report) -> int:
    """Let each step decide, print every change with its reason, and return the exit code: whether there is something to do.

    A step that decides nothing runs as it is: it must be one that only looks. Raises what the steps raise.
    """
    found: dict[str, Decision] = {}
    needs = {step.name: (*step.needs, *step.follows) for step in steps}

    def look(step: Step) -> Step:
        act = partial(_look, step.name, step.decide, needs, found) if step.decide else step.act
        return Step(step.name, act, needs[step.name], step.optional)

    run_steps([look(step) for step in steps], report)
    rows = [(step.name, change.what, change.why) for step in steps if step.name in found for change in found[step.name].changes]
    if not rows:
        return DONE
    report.table(("step", "change", "why"), rows, "plan")
    return TO_DO


def _look(name: str, decide: Decide, needs: Mapping[str, Sequence[str]], found: dict[str, Decision], voice: StepReport) -> Outcome:
    blocking = [need for need in _ancestors(name, needs) if need in found and found[need].changes and found[need].blocks]
    if blocking:
        decision = Decision("", (Change("not known yet", f"it depends on what `{blocking[0]}` makes"),))
    else:
        decision = _in_full(decide(voice), voice)
    found[name] = decision
    if not decision.changes:
        return unchanged(decision.found)
    return Outcome("planned", several(len(decision.changes), "change"))


def _in_full(decision: Decision, voice: StepReport) -> Decision:
    if not (decision.changes and decision.in_full):
        return decision
    voice.progress("comparing each object")
    return Decision(decision.found, tuple(decision.in_full()) or decision.changes, blocks=decision.blocks)


def _ancestors(name: str, needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Return every step that this one waits for, the farthest first."""
    direct = needs.get(name, ())
    return [each for need in direct for each in (*_ancestors(need, needs), need)]
