"""A log line as a person reads it."""

from __future__ import annotations

import json

import pytest

from scripts.logs.line import LogLine
from scripts.logs.text import clock, shown, who

pytestmark = pytest.mark.unit


def line(text: str, pod: str = "todo-api-5f7c9-x2x4p", container: str = "api") -> LogLine:
    return LogLine("api", pod, container, "2026-01-02T03:04:05.123456789Z", text)


def test_json_is_shown_in_words() -> None:
    text = json.dumps(
        {"time": "t", "level": "error", "message": "no room", "path": "/a", "why": "disk is full", "exception": "Trace\n  at x"}
    )
    plain = shown(line(text), 10, {}).plain
    head, *below = plain.splitlines()
    assert head.endswith('api/x2x4p  error no room path=/a why="disk is full"')
    assert below == ["  exception:", "    Trace", "      at x"]
    assert shown(line("as it is"), 10, {}).plain.endswith("api/x2x4p  as it is")


def test_the_colour_is_that_of_the_level() -> None:
    spans = {str(span.style) for span in shown(line('{"level": "warn", "message": "x"}'), 10, {"api": "cyan"}).spans}
    assert {"yellow", "cyan"} <= spans


def test_who_wrote_it_is_told_as_shortly_as_it_can_be() -> None:
    assert who(line("")) == "api/x2x4p"
    assert who(line("", container="migrate")) == "api/x2x4p/migrate"
    assert who(line("", pod="todo-api", container="todo-api")) == "api"


def test_a_time_that_is_none_is_no_defect() -> None:
    assert len(clock("2026-01-02T03:04:05.1Z")) == 8
    assert clock("nonsense") == "nonsense"
