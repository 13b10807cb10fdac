"""Steps run as a graph; a failure stops what needs it and nothing else."""

import io
import json
import threading
import time
from graphlib import CycleError
from pathlib import Path

import pytest

from scripts.core import log
from scripts.core.errors import InputError, InterruptedRunError, TaskError
from scripts.core.pipeline import NeedFailedError, Step, run_steps, run_to_exit_code
from scripts.core.report import Kind, Outcome, Report, StepReport, StepResult, changed, skipped, unchanged

pytestmark = pytest.mark.unit


class Voice:
    """A report whose two streams can be read."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.report = Report(as_json=as_json, stdout=self.out, stderr=self.err)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


def fail(_: StepReport) -> Outcome:
    raise TaskError("it broke", "fix it", ["evidence"])


def test_a_step_begins_when_its_needs_have_ended() -> None:
    voice, order, lock = Voice(), [], threading.Lock()

    def note(name: str) -> object:
        def act(_: StepReport) -> Outcome:
            with lock:
                order.append(name)
            return unchanged()

        return act

    steps = [
        Step("last", note("last"), ("left", "right")),
        Step("left", note("left"), ("first",)),
        Step("right", note("right"), ("first",)),
        Step("first", note("first")),
    ]
    run_steps(steps, voice.report)
    assert order[0] == "first"
    assert order[-1] == "last"
    assert sorted(order[1:3]) == ["left", "right"]


def test_steps_without_a_need_of_each_other_overlap() -> None:
    barrier = threading.Barrier(2, timeout=5)

    def meet(_: StepReport) -> Outcome:
        barrier.wait()
        return changed()

    run_steps([Step("a", meet), Step("b", meet)], Voice().report)


def test_after_a_failure_what_needs_it_is_skipped_and_what_runs_comes_to_its_end() -> None:
    voice, ended = Voice(), threading.Event()

    def slow(_: StepReport) -> Outcome:
        time.sleep(0.3)
        ended.set()
        return changed("done")

    with pytest.raises(TaskError, match="it broke"):
        run_steps(
            [Step("breaks", fail), Step("slow", slow), Step("after", slow, ("breaks",)), Step("later", slow, ("slow",))], voice.report
        )
    assert ended.is_set()
    results = {r.step: (r.result, r.detail) for r in voice.report.results}
    assert results == {
        "breaks": ("failed", "it broke"),
        "slow": ("changed", "done"),
        "after": ("skipped", "needs breaks"),
        "later": ("skipped", "not started"),
    }


def test_an_optional_step_that_fails_is_skipped_with_its_cause() -> None:
    voice = Voice()
    run_steps([Step("extra", fail, optional=True), Step("main", lambda _: skipped("off"))], voice.report)
    assert {(r.step, r.result, r.detail) for r in voice.report.results} == {("extra", "skipped", "it broke"), ("main", "skipped", "off")}


def test_a_need_that_does_not_exist_is_a_defect() -> None:
    with pytest.raises(ValueError, match="do not form a graph"):
        run_steps([Step("a", fail, ("nothing",))], Voice().report)


def test_steps_that_need_each_other_are_named_and_none_runs() -> None:
    ran: list[str] = []
    steps = [Step(name, lambda _, name=name: (ran.append(name), unchanged())[1], (need,)) for name, need in ("ab", "bc", "ca")]
    with pytest.raises(CycleError) as error:
        run_steps([*steps, Step("free", fail)], Voice().report)
    assert set(error.value.args[1]) == {"a", "b", "c"}
    assert ran == []


def test_a_name_that_is_there_twice_is_a_defect() -> None:
    with pytest.raises(ValueError, match="do not form a graph"):
        run_steps([Step("a", fail), Step("a", fail)], Voice().report)


def test_a_person_sees_the_cause_the_evidence_and_the_action() -> None:
    voice = Voice()

    def work() -> None:
        raise InputError("the cause", "the action", ["the evidence"])

    assert run_to_exit_code(work, voice.report) == 2
    assert voice.err.getvalue() == "error: the cause\n    the evidence\n  -> the action\n"
    assert voice.out.getvalue() == ""


def test_a_defect_shows_no_traceback_and_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = Voice()
    monkeypatch.setattr(log, "ROOT", tmp_path)
    monkeypatch.setattr(log, "DEFECT", tmp_path / ".state" / "last-defect.log")

    def work() -> None:
        raise ZeroDivisionError("division by zero")

    assert run_to_exit_code(work, voice.report) == 1
    assert "Traceback" not in voice.err.getvalue()
    assert "unexpected ZeroDivisionError: division by zero" in voice.err.getvalue()
    assert "the details are in .state/last-defect.log" in voice.err.getvalue()
    assert "Traceback" in log.DEFECT.read_text()


def test_a_defect_within_a_step_shows_no_traceback_either() -> None:
    voice = Voice()
    with pytest.raises(TaskError, match="unexpected KeyError"):
        run_steps([Step("a", lambda _: {}["x"])], voice.report)
    assert "Traceback" not in voice.err.getvalue()


def test_an_interrupt_ends_with_130() -> None:
    voice = Voice()

    def work() -> None:
        raise KeyboardInterrupt

    assert run_to_exit_code(work, voice.report) == 130
    assert "error: interrupted" in voice.err.getvalue()


def test_a_machine_gets_one_json_object_a_line_and_nothing_else() -> None:
    voice = Voice(as_json=True)
    assert (
        run_to_exit_code(lambda: run_steps([Step("good", lambda s: (s.progress("half"), unchanged("all"))[1])], voice.report), voice.report)
        == 0
    )
    events = voice.events()
    assert [event["event"] for event in events] == ["step_started", "step_progress", "step_finished", "summary", "finished"]
    assert events[2] | {"seconds": 0} == {
        "v": 1,
        "event": "step_finished",
        "step": "good",
        "result": "unchanged",
        "seconds": 0,
        "detail": "all",
    }
    assert events[-1]["exit_code"] == 0
    assert voice.err.getvalue() == ""


def test_without_a_terminal_each_step_is_one_plain_line() -> None:
    voice = Voice()
    run_steps([Step("build", lambda s: (s.progress("noise"), changed("2 images"))[1])], voice.report)
    lines = voice.err.getvalue().splitlines()
    assert lines[0].split() == ["+", "build", "changed", "0.0", "s", "2", "images"]
    assert "\x1b" not in voice.err.getvalue() + voice.out.getvalue()


def closing(*kinds: Kind) -> str:
    voice = Voice()
    for number, kind in enumerate(kinds):
        voice.report.finished(StepResult(f"step {number}", kind, 1.0, ""))
    before = voice.err.getvalue()
    voice.report.closing(2.0)
    assert voice.out.getvalue() == ""
    return voice.err.getvalue().removeprefix(before)


def test_the_total_says_when_nothing_changed_and_tells_no_step_again() -> None:
    assert "nothing changed" in closing("unchanged", "unchanged")
    assert "nothing changed" in closing("passed", "unchanged")
    assert "nothing changed" not in closing("unchanged", "changed")
    assert "nothing changed" not in closing("passed", "skipped")
    assert closing("changed", "passed").split() == ["total", "2.0", "s"]


def test_a_step_that_was_alone_gets_no_total() -> None:
    assert closing("changed") == ""


def test_a_step_runs_beside_what_it_follows_and_what_needs_it_waits_for_both() -> None:
    voice, order, made = Voice(), [], threading.Event()

    def makes(_: StepReport) -> Outcome:
        assert made.wait(5), "the follower runs beside it"
        time.sleep(0.1)
        order.append("makes")
        return changed()

    def takes(_: StepReport) -> Outcome:
        made.set()
        while "makes" not in order:
            time.sleep(0.01)
        order.append("takes")
        return changed()

    def after(_: StepReport) -> Outcome:
        order.append("after")
        return changed()

    run_steps([Step("makes", makes), Step("takes", takes, follows=("makes",)), Step("after", after, ("takes",))], voice.report)
    assert order == ["makes", "takes", "after"]


@pytest.mark.parametrize("slow", ["maker", "follower"])
def test_where_what_a_step_follows_fails_it_is_skipped_and_that_failure_is_told(slow: str) -> None:
    voice, failed = Voice(as_json=True), threading.Event()

    def maker(step: StepReport) -> Outcome:
        failed.set()
        time.sleep(0.2 if slow == "maker" else 0)
        return fail(step)

    def follower(_: StepReport) -> Outcome:
        failed.wait(5)
        time.sleep(0.2 if slow == "follower" else 0)
        raise NeedFailedError("maker")

    steps = [
        Step("maker", maker),
        Step("follower", follower, follows=("maker",)),
        Step("after", lambda _: changed(), ("follower",)),
    ]
    with pytest.raises(TaskError, match="it broke"):
        run_steps(steps, voice.report)
    ended = {event["step"]: (event["result"], event["detail"]) for event in voice.events() if event["event"] == "step_finished"}
    assert ended == {"maker": ("failed", "it broke"), "follower": ("skipped", "needs maker"), "after": ("skipped", "needs follower")}


def test_what_a_step_waits_for_another_one_is_not_counted_as_its_own_time() -> None:
    voice = Voice(as_json=True)

    def wait(step: StepReport) -> Outcome:
        with step.waiting("waiting for another"):
            time.sleep(0.3)
        return changed()

    run_steps([Step("waits", wait)], voice.report)
    (ended,) = (event for event in voice.events() if event["event"] == "step_finished")
    assert ended["seconds"] < 0.3


def test_what_a_step_follows_is_a_step() -> None:
    with pytest.raises(ValueError, match="unknown needs: \\['nothing'\\]"):
        run_steps([Step("a", fail, follows=("nothing",))], Voice().report)


def test_who_handles_failures_does_not_take_an_interrupt_for_one() -> None:
    def work(step: StepReport) -> Outcome:
        try:
            raise InterruptedRunError
        except Exception:  # noqa: BLE001 - that is the point
            return changed("went on")

    voice = Voice()
    with pytest.raises(InterruptedRunError):
        run_steps([Step("a", work, optional=True)], voice.report)
    assert "went on" not in voice.err.getvalue()
