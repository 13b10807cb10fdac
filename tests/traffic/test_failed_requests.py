"""What the services' logs tell of the requests that they answered."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.config.services import Service
from scripts.kubernetes.diagnosis.cause import LONGEST_LINE, Diagnosis
from scripts.kubernetes.pods import LEAVING, PodState
from scripts.logs.line import LogLine
from scripts.traffic.failed_requests import Request, begun, causes, request_of

pytestmark = pytest.mark.unit

SERVICES = {
    "page": Service(image="page:1", port=80, calls=["api"]),
    "api": Service(image="api:1", port=80),
}


NOW = datetime(2026, 1, 2, 3, 5, 30, tzinfo=UTC)


def log(*texts: str | dict[str, Any], service: str = "api") -> list[LogLine]:
    """Lines of a service, a second apart."""
    texts = tuple(each if isinstance(each, str) else json.dumps(each) for each in texts)
    return [LogLine(service, f"{service}-1", service, f"2026-01-02T03:04:{second:02}Z", text) for second, text in enumerate(texts)]


def asked(status: int, route: str = "POST /todos", **more: Any) -> dict[str, Any]:
    method, _, path = route.partition(" ")
    return {"level": "info", "message": "request", "method": method, "path": path, "status": status, **more}


def found(*lines: LogLine) -> list[Diagnosis]:
    return causes(lines, {"api": {"/ready"}}, SERVICES, NOW)


@pytest.mark.parametrize(
    ("text", "route", "status"),
    [
        ('10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /todos?limit=1 HTTP/1.1" 503 12', "GET /todos", 503),
        ('INFO:     10.0.0.1:5 - "POST /todos HTTP/1.1" 201 Created', "POST /todos", 201),
        ('{"method": "GET", "handler": "/todos/{id}", "status": 200}', "GET /todos/{id}", 200),
        ('{"level": 30, "req": {"method": "GET", "url": "/todos?x=1"}, "res": {"statusCode": 500}, "msg": "done"}', "GET /todos", 500),
        ('{"method": "GET", "path": "/todos", "status": "502"}', "GET /todos", 502),
    ],
)
def test_a_request_is_read_whoever_wrote_it(text: str, route: str, status: int) -> None:
    (line,) = log(text)
    assert request_of(line) == Request("api", line.time, route, status, "", line.pod)


@pytest.mark.parametrize(
    "text",
    [
        "Started server process [1]",
        '{"status": "ok"}',
        '{"method": "GET", "path": "/x", "status": 7}',
        '{"event": "job", "status": 500}',
        "{",
    ],
)
def test_what_is_no_request_is_none(text: str) -> None:
    assert request_of(log(text)[0]) is None


def test_a_service_whose_newest_answers_are_failures_is_named_with_what_its_log_says() -> None:
    error = {"level": "error", "request_id": "r2", "message": "unexpected error", "exception": "Traceback\n  File x\nKeyError: 'due'"}
    (cause,) = found(*log(asked(201), asked(500), error, asked(500, request_id="r2")))
    assert (cause.code, cause.cause) == ("requests-failing", "api: POST /todos fails")
    assert cause.evidence == (
        "POST /todos: answered 500 to 2 of 3 requests in the last 5 min, and to the newest, at 03:04:03 UTC",
        "log at 03:04:02 UTC: unexpected error: KeyError: 'due'",
    )
    assert cause.action == "invoke logs api --since 5m --grep r2"


@pytest.mark.parametrize(
    ("raised", "action"),
    [
        ("ValueError: year 20261 is out of range", "invoke logs api"),
        (
            'relation "audit.changes" does not exist, and the app has none of that name: a trigger or a view asks for it',
            "see what asks for it",
        ),
        ('asyncpg.exceptions.UniqueViolationError: duplicate key value violates unique constraint "u"', "see who made the constraint"),
        ("asyncpg.exceptions.InsufficientPrivilegeError: permission denied for table todos", "see who took the right from the role"),
        ("asyncpg.exceptions.TooManyConnectionsError: sorry, too many clients already", "invoke psql, and see who holds them"),
    ],
)
def test_the_next_action_follows_from_what_was_raised_and_not_from_the_lines_of_its_traceback(raised: str, action: str) -> None:
    traceback = f"Traceback\n  File asyncio/timeouts.py\n    async with timeout(5):\n  File asyncpg/pool.py\n{raised}"
    error = {"level": "error", "request_id": "r", "message": "unexpected error", "exception": traceback}
    (cause,) = found(*log(error, asked(500, request_id="r")))
    assert cause.action.startswith(action)


@pytest.mark.parametrize(
    ("pods", "named"), [(("a", "b", "a", "b", "a"), True), (("a", "a", "a", "a", "a"), False), (("a", "b", "b", "b", "a"), False)]
)
def test_the_pod_that_alone_fails_is_named(pods: tuple[str, ...], named: bool) -> None:
    statuses = (503, 200, 503, 503 if pods[1:4] == ("b", "b", "b") else 200, 503)
    lines = [replace(line, pod=pod) for line, pod in zip(log(*(asked(status) for status in statuses)), pods, strict=True)]
    (cause,) = found(*lines)
    assert ("by pod a alone" in cause.cause) is named
    assert cause.action.startswith("a new pod takes its place: kubectl delete pod a") is named


def test_what_another_pod_answered_before_does_not_show_that_one_alone_fails() -> None:
    lines = log(*(asked(status, seconds=0.1) for status in (200, 200, 503, 503)))
    (cause,) = found(*(replace(line, pod=pod) for line, pod in zip(lines, "bbaa", strict=True)))
    assert "alone" not in cause.cause


@pytest.mark.parametrize(("others", "seconds", "named"), [(2, 0.1, True), (1, 0.1, False), (2, 4.0, False)])
def test_a_pod_is_blamed_alone_where_others_answered_in_good_time(others: int, seconds: float, named: bool) -> None:
    lines = [replace(line, pod="b") for line in log(*(asked(200, seconds=seconds) for _ in range(others)))]
    lines += [replace(line, pod="a") for line in log(*(asked(503, seconds=30.0) for _ in range(2)))]
    (cause,) = found(*lines)
    assert ("by pod a alone" in cause.cause) is named


def test_what_was_unavailable_and_answers_again_is_forgotten() -> None:
    assert found(*log(asked(503), asked(201))) == []
    assert found(*log(asked(503), asked(200, "GET /todos"))), "another request says nothing of this one"


def test_what_breaks_at_some_requests_is_told_for_a_while_though_others_go_well() -> None:
    lines = log(asked(200, "GET /todos"), asked(500, "GET /todos"), asked(200, "GET /todos"))
    (cause,) = found(*lines)
    assert cause.cause == "api: GET /todos fails for some requests"
    assert cause.evidence == ("GET /todos: answered 500 to 1 of 3 requests in the last 5 min, the last time at 03:04:01 UTC",)
    assert causes(lines, {}, SERVICES, NOW + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ((500, 500, 200), False),
        ((200, 200, 500, 500, 500, 200), True),
        ((200, 500, 200, 500, 200, 200, 200), True),
        ((200, 500, 200, 500, 200, 200, 200, 200), False),
        ((200, 200, 200, 200, 500, 200, 200, 200, 200, 200), True),
    ],
)
def test_what_goes_well_more_often_than_chance_would_have_it_is_healed(statuses: tuple[int, ...], *, told: bool) -> None:
    assert bool(found(*log(*map(asked, statuses)))) is told


@pytest.mark.parametrize(("since", "told"), [("2026-01-02T03:03:00Z", True), ("2026-01-02T03:05:00Z", False)])
def test_what_a_service_was_answered_by_pods_that_have_gone_since_is_forgotten(since: str, told: bool) -> None:
    lines = log(asked(502), service="page")
    assert bool(causes(lines, {}, SERVICES, NOW, {"api": since})) is told
    assert causes(lines, {}, SERVICES, NOW, {"page": since}), "of its own pods their logs tell"


def test_a_service_has_had_its_pods_since_the_first_of_them_that_serves() -> None:
    def pod(service: str, started: str, state: str = "Running", *, ready: bool = True) -> PodState:
        return PodState(service, "any", state, ready, 0, "any:1", started)

    pods = [pod("api", "3"), pod("api", "2"), pod("api", "1", LEAVING), pod("page", "1", ready=False), pod("page", "")]
    assert begun(pods) == {"api": "2"}


def test_answers_to_probes_and_refusals_are_no_failures() -> None:
    assert found(*log(asked(503, "GET /ready"), asked(404), asked(401, "GET /x"))) == []


def test_a_request_that_is_answered_and_yet_failed_at_the_database_has_failed() -> None:
    warning = {"level": "warning", "request_id": "r1", "message": "database operation failed", "reason": 'relation "a" does not exist'}
    (cause,) = found(*log(warning, asked(200, request_id="r1")))
    assert cause.evidence[0] == "POST /todos: failed to 1 of 1 requests in the last 5 min, and to the newest, at 03:04:01 UTC"
    assert cause.action.startswith("run the migrations")


def test_what_was_answered_as_a_failure_comes_before_what_only_its_log_tells_of() -> None:
    unexpected = {"level": "error", "request_id": "r1", "message": "unexpected error: ValueError: year 20261 is out of range"}
    chat = {"level": "error", "request_id": "r2", "message": "the assistant did not answer"}
    (cause,) = found(
        *log(unexpected, asked(500, "GET /todos", request_id="r1"), chat, asked(200, "POST /chat", request_id="r2")),
    )
    assert cause.cause == "api: GET /todos fails"
    assert any("year 20261" in line for line in cause.evidence)


def test_other_warnings_are_no_failures() -> None:
    assert found(*log({"level": "warning", "request_id": "r1", "message": "slow"}, asked(200, request_id="r1"))) == []


def test_a_traceback_in_plain_text_is_evidence() -> None:
    (cause,) = found(*log("ERROR:    Exception in ASGI application", "Traceback (most recent call last):", "ValueError: no", asked(500)))
    assert cause.evidence[1] == "log at 03:04:02 UTC: ValueError: no"


def test_of_services_that_call_each_other_the_furthest_is_the_cause() -> None:
    (cause,) = found(*log(asked(500, "GET /"), service="page"), *log(asked(500)))
    assert cause.workload == "api"
    (own,) = found(*log(asked(500, "GET /"), service="page"), *log(asked(200)))
    assert own.workload == "page"


def test_a_long_line_is_cut() -> None:
    (cause,) = found(*log({"level": "error", "message": "x" * 1000}, asked(500)))
    assert len(cause.evidence[1].partition("UTC: ")[2]) == LONGEST_LINE
