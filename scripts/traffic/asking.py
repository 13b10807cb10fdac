"""What a service is asked to be believed: the paths of its probes, its metrics and its pages."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from scripts.config.services import Service
from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.core.report import Report, StepReport
from scripts.core.waiting import OverdueError, until
from scripts.engines.protocol import Engine
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.rules.logs import database_advice
from scripts.kubernetes.service_client import Answer, ServiceClient

AT_ONCE = 4
"""Services that are asked side by side."""
PAGE_SECONDS = 30
PROBE_SECONDS = 10
SETTLE_SECONDS = 15.0  # a pod of the old release that drains says for a moment that it is not ready, also to the services that ask it
SETTLE_PAUSE = 0.5
CALM_SECONDS = 2.0
NOT_ALLOWED = re.compile(r"\b(services|pods)/proxy")
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


def check_service(name: str, service: Service, ask: ServiceClient, settle: float, pod: str = "") -> None:
    """Ask a service for its health, its readiness, its metrics and its pages; what has none of them, its probes have judged.

    settle: for how many seconds it may be unready, or have nothing behind it that is. pod: the only one to ask. Raises TaskError with the
    answer.
    """
    for path in service.probe_paths:
        answer = _settled(partial(ask, name, "GET", path, timeout=PROBE_SECONDS, pod=pod), range(200, 300), settle)
        if not 200 <= answer.status < 300:
            raise _unexpected(name, path, answer, "does not answer 2xx", service.calls)
    pages = {**({service.metrics: ""} if service.metrics else {}), **service.asked_pages}
    for path, text in pages.items():
        answer = _settled(partial(ask, name, "GET", path, timeout=PAGE_SECONDS, pod=pod), range(200, 500), settle)
        if answer.status != 200:
            raise _unexpected(name, path, answer, "does not answer 200", service.calls)
        if text not in answer.body:
            raise _unexpected(name, path, answer, f"does not hold `{text}`")


def _settled(ask: Callable[[], Answer], final: range, settle: float) -> Answer:
    """Ask until the status is a final one, or `settle` seconds are over; return the last answer."""
    answers: list[Answer] = []

    def is_final() -> bool:
        answers[:] = [ask()]
        return answers[0].status in final

    with contextlib.suppress(OverdueError):
        until(is_final, seconds=settle, pause=SETTLE_PAUSE, what="a final answer")
    return answers[0]


def wrong_answers(settings: Settings, engine: Engine, report: Report) -> Iterator[Diagnosis]:
    """Yield a cause for each service whose pods are well and which all the same does not answer as it should.

    Where several pods serve, each is also asked by itself: a request to the service meets one of them.
    """
    serving = [pod for pod in engine.pods() if pod.serves]
    with engine.open_client() as ask:
        for name, service in settings.services.items():
            pods = [pod.name for pod in serving if pod.service == name]
            failed = _failures(name, service, ask, pods if len(pods) > 1 else ())
            if any(failed):  # one that failed may have begun to end since
                there = {pod.name for pod in engine.pods() if pod.serves}
                failed = {pod: error for pod, error in failed.items() if not pod or pod in there}
            denied = [each for error in failed.values() for line in error.evidence for each in NOT_ALLOWED.findall(line)]
            if denied:  # the API server's own answer, not the service's
                report.warn(f"{name} was not asked: you may not use the API server's proxy to {denied[0].title()} ({denied[0]}/proxy)")
            elif failed:
                yield _wrong(name, failed, pods)


def _wrong(name: str, failed: Mapping[str, TaskError], pods: Sequence[str]) -> Diagnosis:
    """What is wrong, and in which pods where it is only in some."""
    ailing = [pod for pod in pods if pod in failed]
    error = failed[ailing[0]] if ailing else failed[""]
    if not ailing or len(ailing) == len(pods):
        return Diagnosis("answers-wrong", name, error.cause, error.evidence, error.action)
    which = f"{', '.join(ailing)} ({len(ailing)} of {len(pods)} pods)"
    again = f"a new pod takes its place: kubectl delete pod {' '.join(ailing)}"
    return Diagnosis("answers-wrong", name, f"{error.cause}: {which}", error.evidence, f"{error.action}; {again}")


def _failures(name: str, service: Service, ask: ServiceClient, pods: Sequence[str]) -> dict[str, TaskError]:
    """What failed, by pod; under an empty name what the service answered, which alone is asked with patience."""

    def failure(pod: str) -> TaskError | None:
        try:
            check_service(name, service, ask, 0.0 if pod else CALM_SECONDS, pod)
        except TaskError as error:
            return error
        return None

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = dict(zip(("", *pods), pool.map(failure, ("", *pods)), strict=True))
    return {pod: error for pod, error in found.items() if error}


def _unexpected(name: str, path: str, answer: Answer, what: str, calls: Sequence[str] = ()) -> TaskError:
    evidence = [f"HTTP {answer.status}", *answer.body.strip().splitlines()[:5]]
    passed_on = ", ".join(f"invoke logs {each}" for each in calls) if answer.status >= 500 and NOBODY_BEHIND not in answer.body else ""
    logs = f"invoke logs {name}{f'; it may only pass on what it was answered: {passed_on}' if passed_on else ''}"
    action = next(filter(None, map(database_advice, evidence)), logs)
    return TaskError(f"{name}: {path} {what}", action, [line[:300] for line in evidence], code="smoke-failed")
