"""Checks of what services answer and log, and of what the monitoring sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.audit.facts import CLUSTER, REPOSITORY, Asked, Facts, Finding, Live, Unseen, Verdict, judged, not_checkable, of_live
from scripts.monitoring.queries import load_queries

OF_USAGE = ("cpu", "memory")


def logging(live: Live, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether every container writes to its log."""
    wrong = [f"{name} has logged nothing" for name, written in live.logged.items() if not written]
    return judged(live.on, wrong, [f"{len(live.logged)} of {len(live.logged)} containers have logged"])


def health_endpoints(live: Live, facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether each service with a port answers at the paths of health and readiness."""
    paths: Sequence[str] = looks_for["paths"]
    wrong = []
    for name in (name for name, service in facts.settings.services.items() if service.port):
        for path in paths:
            answer = _answer(live.asked, name, path)
            if not 200 <= answer.status < 300:
                wrong.append(f"{name}{path} {f'answers {answer.status}' if answer.status else 'does not answer'}")
    found = [f"{each.service}{each.path} {each.status}" for each in live.asked if each.path in paths]
    return judged(live.on, wrong, found)


def _answer(asked: Sequence[Asked], service: str, path: str) -> Asked:
    return next((each for each in asked if (each.service, each.path) == (service, path)), Asked(service, path, 0))


def metrics(live: Live, facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether services show metrics, and whether Prometheus reads them."""
    measured = {name: service.metrics for name, service in facts.settings.services.items() if service.metrics}
    answers = [_answer(live.asked, name, str(path)) for name, path in measured.items()]
    wrong = [f"{each.service}{each.path} shows no sample (status {each.status})" for each in answers if not each.samples]
    wrong += [] if measured else ["no service has metrics"]
    evidence = [f"{each.service}{each.path}: {each.samples} samples" for each in answers]
    if isinstance(facts.monitored, Unseen):
        return judged(live.on, wrong, [*evidence, f"Prometheus: {facts.monitored.why}"])
    wrong += [f"Prometheus: {target}" for target in facts.monitored.down]
    return judged(live.on, wrong, [*evidence, f"{facts.monitored.up} targets of Prometheus are up"])


def dashboards(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether dashboards show what the app uses of its machine."""
    titles = {query.panel for query in load_queries(facts.settings)}
    missing = [f"no panel of a dashboard is about {word}" for word in OF_USAGE if not any(word in title.lower() for title in titles)]
    if missing:
        return judged(REPOSITORY, missing, ())
    if isinstance(facts.monitored, Unseen):
        return not_checkable(CLUSTER, f"{len(titles)} panels are there, CPU and memory among them; {facts.monitored.why}")
    verdict = Verdict.BROKEN if facts.monitored.silent else Verdict.KEPT
    evidence = facts.monitored.silent or [f"{facts.monitored.queries} queries of {len(titles)} panels answer"]
    return Finding(verdict, CLUSTER, tuple(evidence))


CHECKS = {
    "logging": of_live(logging),
    "health-endpoints": of_live(health_endpoints),
    "metrics": of_live(metrics),
    "dashboards": dashboards,
}
