"""Which lines `invoke logs` shows, and what it says where it shows none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from invoke import Context

from scripts import command
from scripts.config.settings import load_settings
from scripts.core.errors import InputError
from scripts.kubernetes import connection
from scripts.logs.line import LogLine, LogQuery
from scripts.look import logs as module
from scripts.look.logs import LOOKED_THROUGH, SEARCHED, logs
from tests.projects import project_on

pytestmark = pytest.mark.unit

Said = Callable[..., tuple[list[str], str]]
PROBE = '{"message": "request", "path": "/health"}'


def line(second: int, text: str, pod: str = "b-1") -> LogLine:
    return LogLine("backend", pod, "backend", f"2026-01-01T00:00:{second:02}Z", text)


@pytest.fixture
def asked() -> list[LogQuery]:
    return []


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: list[LogQuery]) -> Said:
    """What the command prints of these lines: the last word of each on stdout, and stderr. later: what comes while it follows."""

    def of(written: list[LogLine], later: tuple[LogLine, ...] = (), **options: Any) -> tuple[list[str], str]:
        def read(query: LogQuery) -> Iterator[LogLine]:
            asked.append(query)
            yield from written
            if query.follow:
                yield from later
                raise KeyboardInterrupt

        project = project_on(SimpleNamespace(deployed=lambda: True, logs=read), load_settings())
        monkeypatch.setattr(command, "Project", lambda *_, **__: project)
        monkeypatch.setattr(connection, "kept_to", lambda *_: None)
        logs.body(Context(), plain=True, **options)
        out, err = capsys.readouterr()
        return [shown.rpartition(" ")[2] for shown in out.splitlines()], err

    return of


LINES = [
    line(1, "chat one"),
    line(2, "chat two"),
    line(2, "chat of-another", "b-2"),
    line(3, "chat three"),
    line(4, "other"),
    line(5, "other"),
]


def test_grep_looks_through_all_and_lines_counts_what_is_shown_of_each_container(said: Said, asked: list[LogQuery]) -> None:
    assert said(LINES, grep="chat", lines=2) == (["two", "of-another", "three"], "")
    assert said(LINES, grep="chat", lines=1, since="10m") == (["of-another", "three"], "")
    assert said(LINES, lines=1, probes=True) == (["of-another", "other"], "")
    assert [(query.lines, query.since_seconds) for query in asked] == [(SEARCHED, 0), (0, 600), (1, 0)]


def test_requests_of_probes_are_not_counted(said: Said, asked: list[LogQuery]) -> None:
    assert said([line(1, "one"), line(2, PROBE), line(3, PROBE)], lines=1) == (["one"], "")
    assert asked[0].lines == LOOKED_THROUGH


def test_what_is_followed_begins_with_the_newest_and_shows_no_line_twice(said: Said) -> None:
    assert said(LINES, (line(6, "chat four"), line(7, "other")), grep="chat", lines=1, follow=True)[0] == ["of-another", "three", "four"]
    assert said([], follow=True) == ([], "")


@pytest.mark.parametrize(
    ("written", "options", "told"),
    [
        (LINES, {"grep": "nowhere"}, "no line matches `nowhere`; 6 were looked through"),
        (LINES[:1], {"grep": "x", "since": "10m"}, "no line in the last 10m matches `x`; 1 was looked through"),
        ([], {}, "nothing was logged"),
        ([], {"since": "2h", "grep": "x"}, "nothing was logged in the last 2h"),
        ([line(1, PROBE)], {}, "only requests of probes: --probes shows them"),
        ([line(1, PROBE)], {"grep": "health"}, "only requests of probes match `health`: --probes shows them"),
    ],
)
def test_where_nothing_is_shown_a_line_on_stderr_says_why(said: Said, written: list[LogLine], options: dict[str, Any], told: str) -> None:
    assert said(written, **options) == ([], f"{told}\n")


@pytest.mark.parametrize(("text", "seconds"), [("", 0), ("30s", 30), ("2h30m", 9000), ("1d", 86_400)])
def test_a_length_of_time(text: str, seconds: int) -> None:
    assert module._seconds(text) == seconds


@pytest.mark.parametrize("bad", ["10", "m", "10 m", "1w", "-5m"])
def test_what_is_not_a_duration_is_refused(bad: str) -> None:
    with pytest.raises(InputError, match="is not a duration"):
        module._seconds(bad)


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="is not a regular expression"):
        module._pattern("(")
