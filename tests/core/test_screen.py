"""What a person sees can be read on a narrow terminal, and whole in a pipe."""

from __future__ import annotations

import io
import re
import sys
import time

import pytest
from rich.console import Console
from rich.text import Text

from scripts.core import report as report_module
from scripts.core.errors import TaskError
from scripts.core.report import Report, StepResult

pytestmark = pytest.mark.unit

COLUMNS = ("service", "pod", "state", "ready", "restarts", "image")
POD = "todo-chatbot-backend-5f7c9d8b6-k8s2q"
ROW = ("backend", POD, "CreateContainerConfigError", "no", "12", "todo-backend:h0123456789ab")


class Terminal(io.StringIO):
    """A stream that says of itself that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    return Terminal()


def drawn(report: Report) -> list[list[str]]:
    """The mark and the name of each running step, from above."""
    screen = Console(file=io.StringIO(), width=100)
    screen.print(report._running_table())
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return [[re.sub("[\u2800-\u28ff]", "spins", mark), step] for mark, step, *_ in map(str.split, lines)]


def test_a_log_hears_that_a_long_step_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "QUIET_SECONDS", 0.05)
    pipe = io.StringIO()
    report = Report(stderr=pipe)
    with report.live(["build", "load"]):
        for step in ("build", "load"):
            report.started(step)
        report.progress("build", "STEP 3")
        with report.waiting("load", "waiting for the builds"):
            time.sleep(0.2)
        report.finished(StepResult("build", "changed", 0.2, "built"))
    lines = pipe.getvalue().splitlines()
    assert lines[0].split()[:3] == ["build", "goes", "on"]
    assert lines[0].endswith(" s  STEP 3")
    assert not [line for line in lines if line.split()[0] == "load"]
    assert lines[-1].startswith("+ build")


def test_a_step_that_waits_is_shown_above_those_that_work_and_does_not_spin() -> None:
    report = Report(stderr=io.StringIO())
    for step in ("build", "load"):
        report.started(step)
    report.progress("build", "STEP 3")
    with report.waiting("load", "waiting for the builds"):
        assert drawn(report) == [["·", "load"], ["spins", "build"]]
    assert drawn(report) == [["spins", "build"], ["spins", "load"]]


def test_a_row_too_wide_for_the_terminal_becomes_a_block_with_nothing_cut(narrow: Terminal) -> None:
    Report(stdout=narrow).print_table(COLUMNS, [ROW])
    lines = narrow.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].strip() == f"backend: {POD}"
    said = " ".join(narrow.getvalue().split())
    assert said.endswith("state CreateContainerConfigError, ready no, restarts 12, image todo-backend:h0123456789ab")


def test_a_table_whose_last_column_alone_is_long_stays_a_table(narrow: Terminal) -> None:
    Report(stdout=narrow).print_table(("step", "detail"), [("build", "word " * 30)])
    lines = narrow.getvalue().splitlines()
    assert lines[0].split() == ["step", "detail"]
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80


def test_a_pipe_gets_each_row_in_one_line() -> None:
    pipe = io.StringIO()
    Report(stdout=pipe).print_table(COLUMNS, [ROW])
    assert [line.split() for line in pipe.getvalue().splitlines()] == [list(COLUMNS), list(ROW)]


def test_the_detail_of_a_step_is_folded_between_words_beside_it(narrow: Terminal) -> None:
    Report(stderr=narrow).finished(StepResult("build", "changed", 1.0, "word " * 20))
    first, second, *_ = narrow.getvalue().splitlines()
    assert first.index("word") == second.index("word") > 20
    assert max(len(first), len(second)) <= 80


def test_a_question_shows_how_to_answer_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = io.StringIO()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert Report(stderr=asked).confirm("Remove [all]?")
    assert asked.getvalue() == "Remove [all]? [y/N] "


def test_nothing_that_is_printed_is_obeyed_by_the_terminal(narrow: Terminal) -> None:
    hostile = "\x1b]0;title\x1b\\a\x1b]8;;http://elsewhere\x1b\\b\x1b]8;;\x1b\\\x1b[2J\x1b[31mc\x1b[0m\x9bd\re\u202ef\U000e0041\x1bPq\x1b\\g\x1b]52;c;x"
    report = Report(stdout=narrow, stderr=narrow)
    report.result(hostile)
    report.table(("command", "result"), [(hostile, hostile), ("é 家 👩‍💻", "x")], "commands")
    report.line(Text(hostile, style="bold"))
    report.error(TaskError(hostile, hostile, [hostile]))
    report.warn(hostile)
    text = re.sub(r"\x1b\[[0-9;]*m", "", narrow.getvalue())  # colours of our own
    assert text.startswith("abcdefg\n")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\U000e0041]", text)
    assert "elsewhere" not in text
    assert "é 家 👩‍💻" in text


def test_plain_is_as_into_a_pipe(narrow: Terminal) -> None:
    report = Report(plain=True, stdout=narrow, stderr=narrow)
    report.print_table(COLUMNS, [ROW])
    with report.live(["build"]):
        report.started("build")
        report.warn("word " * 30)
    assert "\x1b" not in narrow.getvalue()
    assert [line.split()[0] for line in narrow.getvalue().splitlines()] == ["service", "backend", "warning:"]
