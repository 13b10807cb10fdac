"""A service that logs errors again and again is not well, though its requests are answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from scripts.logs.line import LogLine
from scripts.traffic import logged_errors

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
ERROR = '{"level": "error", "message": "the assistant did not answer", "reason": "Gemini does not accept the API key"}'


def lines(*said: tuple[float, str], service: str = "backend") -> Sequence[LogLine]:
    return [LogLine(service, "a", "app", (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%SZ"), text) for ago, text in said]


def test_errors_again_and_again_are_told_with_what_the_newest_says() -> None:
    (cause,) = logged_errors.causes(lines((90, ERROR), (60, "ERROR: other"), (30, ERROR)), ["backend", "frontend"], {"a"}, NOW)
    assert (cause.code, cause.workload) == ("errors-logged", "backend")
    assert cause.cause.endswith("are answered: the assistant did not answer: Gemini does not accept the API key")
    assert cause.evidence == ("3 errors in the last 5 min, the last at 11:59:30 UTC",)
    assert cause.action == "invoke logs backend --since 5m --grep error"


@pytest.mark.parametrize(
    "seen",
    [
        lines((90, ERROR), (30, ERROR)),
        lines((290, ERROR), (280, ERROR), (200, ERROR)),
        lines((90, '{"level": "warning", "message": "slow"}'), (60, "INFO ok"), (30, ERROR), (20, ERROR)),
        lines((90, ERROR), (60, ERROR), (30, ERROR), service="postgres"),
    ],
    ids=["two may be chance", "they have ended", "no errors", "no service of the app"],
)
def test_what_is_no_error_or_has_ended_is_not_told(seen: Sequence[LogLine]) -> None:
    assert list(logged_errors.causes(seen, ["backend"], {"a"}, NOW)) == []


def test_what_a_pod_logged_that_has_gone_since_is_not_told() -> None:
    assert list(logged_errors.causes(lines((90, ERROR), (60, ERROR), (30, ERROR)), ["backend"], {"b"}, NOW)) == []
