"""What a service is asked to be believed: the paths of its probes, its metrics and its pages."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.config.services import Service
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import InterruptedRunError, TaskError
from scripts.core.report import Report, StepReport
from scripts.engines.protocol import Engine
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.rules.logs import database_advice
from scripts.kubernetes.service_client import Answer, ServiceClient

AT_ONCE = 4
"""Services that are asked side by side."""
PAGE_SECONDS = 30
SETTLE_SECONDS = 15.0  # a pod of the old release that drains says for a moment that it is not ready, also to the services that ask it
CALM_SECONDS = 2.0
NOT_ALLOWED = "services/proxy"
NOBODY_BEHIND = "no endpoints available for service"
"""What the API server says of a Service that has no pod which is ready."""


def paths(service: Service) -> list[str]:
    """Return every path that is asked."""
    return [*service.probe_paths, *([service.metrics] if service.metrics else []), *service.asked_pages]


def probe_paths(settings: Settings) -> dict[str, frozenset[str]]:
    """Return the paths that only probes and Prometheus ask for, by service."""
    return {
        name: frozenset((*service.probe_paths, *([service.metrics] if service.metrics else []))) - service.asked_pages.keys()
        for name, service in settings.services.items()
    }


def check_services(services: Mapping[str, Service], ask: ServiceClient, step: StepReport) -> None:
    """Ask every service, some side by side. Raises TaskError with the answer of the first that fails, in their order."""

    def check(name: str) -> None:
        step.progress(f"{name}: {', '.join(paths(services[name])) or 'asked by its own probes'}")
        check_service(name, services[name], ask, SETTLE_SECONDS)

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(check, services))


def check_service(name: str, service: Service, ask: ServiceClient, settle: float) -> None:
    """Ask a service for its health, its readiness, its metrics and its pages; what has none of them, its probes have judged.

    settle: for how many seconds it may be unready, or have nothing behind it that is. Raises TaskError with the answer.
    """
    for path in service.probe_paths:
        answer = _settled(ask, name, path, range(200, 300), settle)
        if not 200 <= answer.status < 300:
            raise _unexpected(name, path, answer, "does not answer 2xx", service.calls)
    pages = {**({service.metrics: ""} if service.metrics else {}), **service.asked_pages}
    for path, text in pages.items():
        answer = _settled(ask, name, path, range(200, 500), settle)
        if answer.status != 200:
            raise _unexpected(name, path, answer, "does not answer 200", service.calls)
        if text not in answer.body:
            raise _unexpected(name, path, answer, f"does not hold `{text}`")


def _settled(ask: ServiceClient, name: str, path: str, final: range, settle: float) -> Answer:
    """Ask until the status is a final one, or `settle` seconds are over; return the last answer."""
    deadline = time.monotonic() + settle
    while (answer := ask(name, "GET", path, timeout=PAGE_SECONDS)).status not in final and time.monotonic() < deadline:
        shell.pause(0.5)
    return answer


def wrong_answers(settings: Settings, engine: Engine, report: Report) -> Iterator[Diagnosis]:
    """Yield a cause for each service whose pods are well and which all the same does not answer as it should.

    Where several pods serve, each request may meet another: such a service is asked twice for each.
    """
    ready = Counter(pod.service for pod in engine.pods() if pod.ready)
    with engine.open_client() as ask:
        for name, service in settings.services.items():
            times = 2 * ready[name] if ready[name] > 1 else 1
            failed = _failures(name, service, ask, times)
            if not failed:
                continue
            error = failed[0]
            if any(NOT_ALLOWED in line for line in error.evidence):  # the API server's own answer, not the service's
                report.warn(f"{name} was not asked: you may not use the API server's proxy to Services ({NOT_ALLOWED})")
                continue
            often = f", {len(failed)} of {times} times" if len(failed) < times else ""
            yield Diagnosis("answers-wrong", name, f"{error.cause}{often}", error.evidence, error.action)


def _failures(name: str, service: Service, ask: ServiceClient, times: int) -> list[TaskError]:
    """What failed in so many rounds of questions; only the first is patient, for a patient one would meet a pod that is well."""

    def failure(settle: float) -> TaskError | None:
        try:
            check_service(name, service, ask, settle)
        except InterruptedRunError:
            raise
        except TaskError as error:
            return error
        return None

    first = failure(CALM_SECONDS)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return [error for error in (first, *pool.map(failure, [0.0] * (times - 1))) if error]


def _unexpected(name: str, path: str, answer: Answer, what: str, calls: Sequence[str] = ()) -> TaskError:
    evidence = [f"HTTP {answer.status}", *answer.body.strip().splitlines()[:5]]
    passed_on = ", ".join(f"invoke logs {each}" for each in calls) if answer.status >= 500 and NOBODY_BEHIND not in answer.body else ""
    logs = f"invoke logs {name}{f'; it may only pass on what it was answered: {passed_on}' if passed_on else ''}"
    action = next(filter(None, map(database_advice, evidence)), logs)
    return TaskError(f"{name}: {path} {what}", action, [line[:300] for line in evidence], code="smoke-failed")
