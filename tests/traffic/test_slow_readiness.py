"""A way to the database that loses packets shows in the time that readiness takes, and a busy machine does not look like one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.service_client import Answer
from scripts.traffic import slow_readiness

pytestmark = pytest.mark.unit


class App:
    """Answers after the seconds that the test says, by service and path, in turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: Mapping[str, Sequence[float]]) -> None:
        self.now: dict[str, float] = {}
        self.turns = {route: itertools.cycle(each) for route, each in seconds.items()}
        self.asked = 0
        self.clock = 0.0
        monkeypatch.setattr(slow_readiness, "AT_ONCE", 1)
        monkeypatch.setattr(slow_readiness.time, "monotonic", lambda: self.clock)

    @contextmanager
    def open_client(self) -> Iterator[Any]:
        yield self.ask

    def ask(self, service: str, _: str, path: str, *, timeout: float) -> Answer:
        assert timeout
        self.asked += 1
        seconds = next(self.turns.get(f"{service}{path}", itertools.repeat(0.01)))
        self.clock += seconds
        if seconds >= slow_readiness.PROBE_SECONDS:
            raise TaskError("no answer")
        return Answer(200, "")


def found(app: Any) -> list[Diagnosis]:
    return slow_readiness.slow(load_settings(), app)


def test_a_readiness_that_is_often_late_while_the_liveness_is_not_is_told_of_the_last_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lossy = (0.01, 0.22, 0.01, 0.43, 0.21)
    (cause,) = found(App(monkeypatch, {"backend/ready": lossy, "frontend/ready": lossy}))
    assert cause.cause.startswith("backend: /ready is slow: 5 of 9 answers took over 0.2 s, and none of /health")
    assert cause.evidence == ("median 0.21 s, at most 0.4 s; /health: at most 0.01 s",)
    assert "pg_stat_activity" in cause.action
    assert "loses packets" in cause.action


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        ({}, "all is quick"),
        ({"backend/ready": (0.3, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.3)}, "two late ones are no rule"),
        ({"backend/ready": (0.4,), "backend/health": (0.01, 0.3)}, "the machine is busy"),
    ],
)
def test_what_is_no_slow_way_is_not_told(monkeypatch: pytest.MonkeyPatch, seconds: Mapping[str, Sequence[float]], why: str) -> None:
    assert found(App(monkeypatch, seconds)) == [], why


def test_where_all_is_quick_it_is_asked_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(monkeypatch, {})
    assert found(app) == []
    assert app.asked == 2 * 2 * slow_readiness.FIRST_LOOKS


def test_an_answer_that_never_comes_is_a_late_one(monkeypatch: pytest.MonkeyPatch) -> None:
    (cause,) = found(App(monkeypatch, {"backend/ready": (10.0, 0.01, 0.3)}))
    assert "6 of 9 answers" in cause.cause
