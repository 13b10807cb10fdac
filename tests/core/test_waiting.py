"""A wait ends with an answer, with its time, with a failure that nobody tolerates, and with the run."""

from __future__ import annotations

import threading
import time

import pytest

from scripts.core import shell
from scripts.core.errors import InterruptedRunError, TaskError
from scripts.core.waiting import OverdueError, until

pytestmark = pytest.mark.unit


class Looks:
    """Answers in turn, the last one forever; an error is raised."""

    def __init__(self, *answers: str | TaskError | InterruptedRunError | None) -> None:
        self.answers = list(answers)
        self.count = 0

    def __call__(self) -> str | None:
        answer = self.answers[min(self.count, len(self.answers) - 1)]
        self.count += 1
        if isinstance(answer, TaskError | InterruptedRunError):
            raise answer
        return answer


def test_the_first_look_is_at_once_and_an_answer_ends_the_wait() -> None:
    assert until(Looks("there"), seconds=0, pause=60, what="it") == "there"
    looks = Looks(None, "", "there")
    assert until(looks, seconds=60, pause=0.01, what="it") == "there"
    assert looks.count == 3


def test_when_the_time_is_over_the_error_says_what_was_waited_for() -> None:
    looks = Looks(None)
    with pytest.raises(OverdueError, match=r"^waited 0.05 s for the engine to answer$"):
        until(looks, seconds=0.05, pause=0.02, what="the engine to answer")
    assert looks.count >= 2


def test_a_pause_is_no_longer_than_the_time_that_is_left() -> None:
    started = time.monotonic()
    with pytest.raises(OverdueError):
        until(Looks(None), seconds=0.05, pause=60, what="it")
    assert time.monotonic() - started < 30


def test_a_failed_look_is_raised_unless_it_is_tolerated() -> None:
    with pytest.raises(TaskError, match="no route"):
        until(Looks(TaskError("no route"), "there"), seconds=60, pause=0.01, what="it")
    gone, refused = TaskError("no route"), TaskError("refused")
    assert until(Looks(gone, None, gone, "there"), seconds=60, pause=0.01, what="it", tolerate=lambda error: error is gone) == "there"
    with pytest.raises(TaskError, match="refused"):
        until(Looks(gone, refused), seconds=60, pause=0.01, what="it", tolerate=lambda error: error is gone)


def test_the_last_failure_is_the_evidence() -> None:
    with pytest.raises(OverdueError) as error:
        until(Looks(TaskError("no route", evidence=["to 10.0.0.1"])), seconds=0.02, pause=0.01, what="it", tolerate=lambda _: True)
    assert error.value.evidence == ("no route", "to 10.0.0.1")
    with pytest.raises(OverdueError) as error:
        until(Looks(TaskError("no route"), None), seconds=0.02, pause=0.01, what="it", tolerate=lambda _: True)
    assert error.value.evidence == ()


def test_a_wait_ends_with_the_run() -> None:
    threading.Timer(0.1, shell.stop_all).start()
    with pytest.raises(InterruptedRunError):
        until(Looks(None), seconds=60, pause=60, what="it")


def test_an_interrupt_within_a_look_is_never_tolerated() -> None:
    with pytest.raises(InterruptedRunError):
        until(Looks(InterruptedRunError(), "there"), seconds=60, pause=0.01, what="it", tolerate=lambda _: True)
