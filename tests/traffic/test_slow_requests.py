"""What the services' logs tell of how long requests took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scripts.config.services import Service
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import Amounts
from scripts.logs.line import LogLine
from scripts.traffic.slow_requests import causes

pytestmark = pytest.mark.unit

SERVICES = {
    "page": Service(image="page:1", port=80, calls=("api",)),
    "api": Service(image="api:1", port=80, calls=("postgres",)),
}
NOW = datetime(2026, 1, 2, 3, 5, 0, tzinfo=UTC)
PODS = [PodState("api", name, "Running", True, 0, "api:1", limits=Amounts(cpu=0.5)) for name in ("api-1", "api-2")]
PODS += [PodState("postgres", "postgres-0", "Running", True, 0, "postgres:1", limits=Amounts(cpu=0.5))]


def known(lines: list[LogLine]) -> list[LogLine]:
    """The same requests, each with an id: its place."""
    return [replace(line, text=json.dumps({**json.loads(line.text), "request_id": f"r{at}"})) for at, line in enumerate(lines)]


def log(
    *seconds: float, route: str = "GET /todos", pod: str = "api-1", every: int = 5, status: int = 200, key: str = "seconds"
) -> list[LogLine]:
    """Requests to a pod, some seconds apart, the newest at 03:04:50."""
    method, _, path = route.partition(" ")
    texts = [json.dumps({"message": "request", "method": method, "handler": path, "status": status, key: each}) for each in seconds]
    times = [NOW - timedelta(seconds=10 + every * back) for back in reversed(range(len(texts)))]
    return [LogLine(pod[:-2], pod, pod[:-2], f"{at:%Y-%m-%dT%H:%M:%S}Z", text) for at, text in zip(times, texts, strict=True)]


def found(*lines: LogLine, patient: str = "/chat.*", usage: Mapping[str, Amounts] | None = None) -> list[Diagnosis]:
    return causes(lines, {"api": {"/ready"}}, SERVICES, patient, NOW, PODS, usage or {})


def test_a_route_whose_answers_mostly_take_long_is_told_with_the_median() -> None:
    (cause,) = found(*log(2.1, 2.3, 0.2, 2.4, 2.3), *log(0.01, 0.02, 0.01, 0.02, 0.01, route="GET /other"))
    assert (cause.code, cause.workload) == ("requests-slow", "api")
    assert cause.cause == "api: GET /todos is slow: 2.3 s (median of 5 requests)"
    assert cause.evidence == ("GET /todos: 2.3 s by api-1 (5 requests), the newest at 03:04:50 UTC",)
    assert "pg_stat_activity" in cause.action


def test_milliseconds_are_understood() -> None:
    assert found(*log(*[2300] * 5, key="duration_ms"))
    assert not found(*log(*[230] * 5, key="duration_ms"))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (log(0.01, 0.02, 9.0, 0.02, 0.01), "one slow request"),
        (log(3.0, 3.0), "a few"),
        (log(3.0, 3.0, 3.0, 3.0, 3.0, 3.0, every=1), "a cold start"),
        (log(3.0, 3.0, 3.0, 3.0, 3.0, 0.1, 0.1), "it is over"),
        (log(3.0, 3.0, 3.0, 3.0, 3.0, route="GET /ready"), "a probe"),
        (log(3.0, 3.0, 3.0, 3.0, 3.0, route="POST /chat/stream"), "slow by nature"),
        (log(*[3.0] * 5, *[0.1] * 24), "two minutes ago"),
        (log(*["soon"] * 5), "no number"),  # type: ignore[arg-type]
    ],
)
def test_what_nobody_need_hear_of_is_not_told(lines: list[LogLine], why: str) -> None:
    assert found(*lines) == [], why


def test_the_only_slow_pod_of_several_is_named() -> None:
    (cause,) = found(*log(*[2.0] * 6, pod="api-1"), *log(*[0.02] * 9, pod="api-2"))
    assert cause.cause == "api: GET /todos is slow: 2.0 s (median of 6 requests to pod api-1)"
    assert cause.action.endswith("kubectl delete pod api-1")


def test_pods_that_a_busy_machine_serves_unequally_are_alike() -> None:
    assert found(*log(*[1.1] * 6, pod="api-1"), *log(*[0.5] * 7, pod="api-2")) == []


def test_what_another_pod_did_before_does_not_show_that_one_alone_is_slow() -> None:
    before = log(*[0.02] * 3, 0.02, 0.02, 0.02, pod="api-2")[:3]
    (cause,) = found(*before, *log(*[2.0] * 3, pod="api-1"))
    assert "kubectl delete pod" not in cause.action


def test_a_pod_that_uses_all_the_processor_it_may_is_the_next_thing_to_see() -> None:
    for name, service in (("api-2", "api"), ("postgres-0", "postgres")):
        (cause,) = found(*log(*[2.0] * 6), usage={name: Amounts(cpu=0.49)})
        assert cause.evidence[1] == f"pod {name} uses 0.49 of the 0.5 CPU that it may"
        assert cause.action.startswith(f"raise resources.limits.cpu of {service},")


def test_a_service_that_waits_for_another_slow_one_is_not_the_cause() -> None:
    page = log(*[2.5] * 6, pod="page-1", route="GET /")
    assert [each.workload for each in found(*page, *log(*[2.0] * 6))] == ["api"]
    assert [each.workload for each in found(*page, *log(*[2.0] * 6, status=503))] == ["api"], "what failed slowly was slow"
    (own,) = found(*page, *log(*[0.1] * 6))
    assert (own.workload, own.action) == ("page", "invoke logs page --since 5m; what is slow by nature belongs in monitoring.slow_handlers")


def test_a_caller_that_waits_for_a_few_slow_answers_of_another_is_not_the_cause() -> None:
    page = known(log(2.1, 2.1, 2.1, pod="page-1", route="GET /"))
    quick = log(*[0.01] * 5, every=1)
    (cause,) = found(*page, *quick, *known(log(2.0, 2.0, 2.0)))
    assert cause.cause == "api: GET /todos is slow: 2.0 s (median of 3 requests)"
    assert [each.workload for each in found(*page, *known(log(0.9, 0.9, 0.9)))] == ["page"], "that is less than half of what it took"


def test_what_another_pod_does_after_the_cure_does_not_show_that_one_was_slow_alone() -> None:
    before = log(*[2.0] * 6, *[0.02] * 4, pod="api-1")[:6]
    assert found(*before, *log(*[0.02] * 4, pod="api-2", every=1)) == []


def test_a_slow_pod_that_calls_others_is_not_to_be_deleted() -> None:
    (cause,) = found(*log(*[2.0] * 6, pod="page-1", route="GET /"), *log(*[0.02] * 9, pod="page-2", route="GET /"))
    assert cause.action == "see whether only that pod waits long for what it calls, which may be at fault: api; invoke logs page"
