"""Several logs as one: in the order of their times, or as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from scripts.core import shell
from scripts.logs import line as log_line
from scripts.logs.line import LogLine, Source, followed, merged

pytestmark = pytest.mark.unit


def source(name: str, read: Callable[[str], Iterator[str]], run: str = "") -> Source:
    return Source(name, name, name, run or name, read)


def at(second: int, text: str) -> str:
    return f"2026-01-01T00:00:0{second}.000000000Z {text}\n"


def test_lines_are_in_the_order_of_their_times() -> None:
    one = source("one", lambda _: iter([at(1, "a b"), at(3, "c")]))
    two = source("two", lambda _: iter([at(2, "")]))
    assert [(line.service, line.text) for line in merged([one, two])] == [("one", "a b"), ("two", ""), ("one", "c")]
    assert merged([]) == []


def test_what_breaks_off_goes_on_after_its_last_line_and_what_starts_later_is_followed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_line, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(log_line, "WAIT_SECONDS", 0.02)
    asked: list[str] = []

    def breaks(after: str) -> Iterator[str]:
        asked.append(after)
        yield at(1, "first")
        if len(asked) == 1:
            raise OSError("gone")
        yield at(2, "second")
        while not shell.stopping():
            time.sleep(0.01)

    there = [source("one", breaks)]
    lines: Iterator[LogLine] = followed(lambda: there)
    assert next(lines).text == "first"
    assert next(lines).text == "second"
    assert asked[:2] == ["", "2026-01-01T00:00:01.000000000Z"]
    there.append(source("two", lambda _: iter([at(4, "later")])))
    assert next(lines).service == "two"
    shell._running.stopping.set()
    assert list(lines) == []
