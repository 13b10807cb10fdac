"""`invoke plan`: the graph's decisions, printed, and none of its acts."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from scripts.core.decision import Change, Decision
from scripts.core.errors import TaskError
from scripts.core.pipeline import Step
from scripts.core.report import Outcome, Report, StepReport
from scripts.look.plan import show_plan

pytestmark = pytest.mark.unit


def never(_step: StepReport) -> Outcome:
    raise AssertionError("a plan acts")


def decides(decision: Decision, _step: StepReport) -> Decision:
    return decision


def step(name: str, decision: Decision, *needs: str, optional: bool = False) -> Step:
    return Step(name, never, needs, optional, partial(decides, decision))


def planned(steps: Sequence[Step]) -> tuple[int, list[dict[str, str]]]:
    out = io.StringIO()
    code = show_plan(steps, Report(as_json=True, stdout=out, stderr=io.StringIO()))
    events: list[dict[str, Any]] = [json.loads(line) for line in out.getvalue().splitlines()]
    return code, [row for event in events if event["event"] == "plan" for row in event["rows"]]


def to_do(what: str, *, blocks: bool = False) -> Decision:
    return Decision("", (Change(what, "because"),), never, blocks)


def test_where_nothing_is_to_do_the_exit_code_is_0_and_nothing_is_listed() -> None:
    assert planned([step("start", Decision("it runs")), step("chart", Decision("revision 3"), "start")]) == (0, [])


def test_each_change_is_listed_with_its_reason_and_none_is_made() -> None:
    code, rows = planned([step("build", to_do("build a")), step("chart", to_do("upgrade b"), "build")])
    assert code == 4
    assert rows == [
        {"step": "build", "change": "build a", "why": "because"},
        {"step": "chart", "change": "upgrade b", "why": "because"},
    ]


def test_what_depends_on_a_cluster_that_does_not_run_is_not_asked() -> None:
    def unreachable(_step: StepReport) -> Decision:
        raise AssertionError("asked a cluster that does not run")

    steps = [step("start", to_do("make the profile", blocks=True)), Step("secrets", never, ("start",), decide=unreachable)]
    code, rows = planned([*steps, Step("chart", never, ("secrets",), decide=unreachable)])
    assert code == 4
    assert [(row["step"], row["change"]) for row in rows] == [
        ("start", "make the profile"),
        ("secrets", "not known yet"),
        ("chart", "not known yet"),
    ]


def test_a_start_that_has_nothing_to_do_blocks_nothing() -> None:
    running = Decision("it runs", (), never, blocks=True)
    assert planned([step("start", running), step("secrets", to_do("make one"), "start")])[1][0]["change"] == "make one"


def test_changes_are_listed_in_full_where_a_step_can_say_more() -> None:
    decision = Decision("", (Change("upgrade", "it differs"),), never, in_full=lambda: [Change("change Service a", "port is 1, not 2")])
    assert [row["change"] for row in planned([step("chart", decision)])[1]] == ["change Service a"]


def test_nothing_more_is_looked_up_for_a_step_that_has_nothing_to_do() -> None:
    def costly() -> list[Change]:
        raise AssertionError("compared each object for nothing")

    assert planned([step("chart", Decision("revision 3", (), never, in_full=costly))]) == (0, [])


def test_a_step_that_only_looks_runs_as_it_is_and_its_failure_is_the_plans() -> None:
    def refuse(_step: StepReport) -> Outcome:
        raise TaskError("no Docker")

    with pytest.raises(TaskError, match="no Docker"):
        planned([Step("preflight", refuse), step("build", to_do("build a"), "preflight")])
