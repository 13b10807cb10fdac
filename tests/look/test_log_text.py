"""A log line as a person reads it."""

from __future__ import annotations

import json

import pytest

from scripts.config.settings import load_settings
from scripts.core.errors import InputError
from scripts.core.log_line import LogLine
from scripts.look import logs
from scripts.look.log_text import clock, is_of_a_probe, level_of, shown, who

pytestmark = pytest.mark.unit

PATHS = frozenset(["/health", "/ready", "/metrics"])


def line(text: str, pod: str = "todo-api-5f7c9-x2x4p", container: str = "api") -> LogLine:
    return LogLine("api", pod, container, "2026-01-02T03:04:05.123456789Z", text)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ('{"level": "WARNING", "message": "x"}', "warn"),
        ('{"severity": "ERROR"}', "error"),
        ('{"level": 50, "msg": "pino"}', "error"),
        ('{"level": 20}', "debug"),
        ('{"level": "strange"}', ""),
        ("2026-01-02 03:04:05 UTC [1] FATAL:  no", "fatal"),
        ("INFO:     Started server process", "info"),
        ("plain words about an error", ""),
        ("{broken", ""),
    ],
)
def test_the_level_is_found_whoever_wrote_it(text: str, level: str) -> None:
    assert level_of(text) == level


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ('{"message": "request", "path": "/health?x=1"}', True),
        ('{"message": "request", "handler": "/ready"}', True),
        ('{"message": "request", "path": "/api/todos"}', False),
        ('{"message": "the path /health is closed"}', False),
        ('10.0.0.1 - - "GET /metrics HTTP/1.1" 200', True),
        ('INFO: 10.0.0.1:5 - "GET /ready?deep=1 HTTP/1.1" 503', True),
        ('10.0.0.1 - - "POST /health HTTP/1.1" 200', False),
        ('10.0.0.1 - - "GET /healthy HTTP/1.1" 200', False),
    ],
)
def test_what_only_probes_ask_is_known(text: str, probe: bool) -> None:
    assert is_of_a_probe(text, PATHS) is probe


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


@pytest.mark.parametrize(("text", "seconds"), [("", 0), ("30s", 30), ("2h30m", 9000), ("1d", 86_400)])
def test_a_length_of_time(text: str, seconds: int) -> None:
    assert logs._seconds(text) == seconds


@pytest.mark.parametrize("bad", ["10", "m", "10 m", "1w", "-5m"])
def test_what_is_not_a_duration_is_refused(bad: str) -> None:
    with pytest.raises(InputError, match="is not a duration"):
        logs._seconds(bad)


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="is not a regular expression"):
        logs._pattern("(")


def test_pages_that_people_open_are_no_probes() -> None:
    found = logs.probe_paths(load_settings())
    assert found["backend"] == {"/health", "/ready", "/metrics"}
    assert "/" not in found["frontend"]
