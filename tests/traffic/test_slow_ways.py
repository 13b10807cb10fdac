"""What the logs of two services tell of the way between them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from scripts.config.services import Service
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.logs.line import LogLine
from scripts.traffic.slow_ways import causes

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 2, 3, 5, 0, tzinfo=UTC)
SERVICES = {"page": Service(image="page:1", port=80, calls=("api",)), "api": Service(image="api:1", port=80)}


def both(*took: tuple[float, float], route: str = "GET /todos", every: int = 10, known: bool = True) -> list[LogLine]:
    """Requests to the page, some seconds apart, the newest 10 s ago: what each took, and what the api worked for it."""
    method, _, path = route.partition(" ")
    lines = []
    for back, pair in enumerate(reversed(took)):
        at = f"{NOW - timedelta(seconds=10 + every * back):%Y-%m-%dT%H:%M:%SZ}"
        for service, seconds in zip(("page", "api"), pair, strict=True):
            text = {"method": method, "handler": path, "status": 200, "seconds": seconds}
            text |= {"request_id": f"r{back}"} if known or service == "page" else {}
            lines.append(LogLine(service, f"{service}-1", service, at, json.dumps(text)))
    return sorted(lines, key=lambda line: line.time)


def found(lines: Sequence[LogLine]) -> list[Diagnosis]:
    return causes(lines, SERVICES, "/chat.*", NOW)


def test_what_a_caller_waits_for_though_it_was_answered_is_told() -> None:
    (cause,) = found(both((30.0, 0.01), (30.0, 0.03)))
    assert (cause.code, cause.workload) == ("requests-slow", "page")
    assert cause.cause == "page: GET /todos is slow: 30.0 s, of which api works 0.0 s (median of 2 requests)"
    assert cause.evidence == ("request r1 took page 30.0 s, and api 0.01 s of them", "request r0 took page 30.0 s, and api 0.03 s of them")
    assert "what lies between it and api" in cause.action


def test_small_answers_that_pass_do_not_hide_large_ones_that_do_not() -> None:
    assert found(both((12.0, 0.01), (12.0, 0.01), (0.1, 0.01), (12.0, 0.01), (0.1, 0.01), (0.1, 0.01)))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (both((4.0, 3.9), (4.0, 3.9), (4.0, 3.9)), "the other one worked"),
        (both((30.0, 0.01)), "only one"),
        (both((3.0, 0.01), (3.0, 0.01), every=3), "a cold start"),
        (both((3.0, 0.01), (3.0, 0.01), (0.1, 0.01), (0.1, 0.01), every=30), "it is over"),
        (both((0.1, 0.0), (3.0, 0.0), *[(0.1, 0.0)] * 5, (3.0, 0.0)), "nearly all are well"),
        (both((3.0, 0.01), (3.0, 0.01), every=200), "too long ago"),
        (both((3.0, 0.01), (3.0, 0.01), route="POST /chat"), "slow by nature"),
        (both((3.0, 0.01), (3.0, 0.01), known=False), "nobody knows whose they are"),
    ],
)
def test_what_says_nothing_of_the_way_is_not_told(lines: list[LogLine], why: str) -> None:
    assert found(lines) == [], why
