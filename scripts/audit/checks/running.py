"""Checks of what services answer and log, and of what the monitoring sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.audit.facts import CLUSTER, REPOSITORY, Asked, Facts, Finding, Unseen, Verdict, judged, not_checkable
from scripts.monitoring.queries import load_queries

OF_USAGE = ("cpu", "memory")


def logging(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether every container writes to its log."""
    if isinstance(facts.live, Unseen):
        return not_checkable(CLUSTER, facts.live.why)
    wrong = [f"{name} has logged nothing" for name, written in facts.live.logged.items() if not written]
    return judged(facts.live.on, wrong, [f"{len(facts.live.logged)} of {len(facts.live.logged)} containers have logged"])


def health_endpoints(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether each service with a port answers at the paths of health and readiness."""
    if isinstance(facts.live, Unseen):
        return not_checkable(CLUSTER, facts.live.why)
    paths: Sequence[str] = looks_for["paths"]
    wrong = []
    for name in (name for name, service in facts.settings.services.items() if service.port):
        for path in paths:
            answer = _answer(facts.live.asked, name, path)
            if not 200 <= answer.status < 300:
                wrong.append(f"{name}{path} {f'answers {answer.status}' if answer.status else 'does not answer'}")
    found = [f"{each.service}{each.path} {each.status}" for each in facts.live.asked if each.path in paths]
    return judged(facts.live.on, wrong, found)


def _answer(asked: Sequence[Asked], service: str, path: str) -> Asked:
    return next((each for each in asked if (each.service, each.path) == (service, path)), Asked(service, path, 0))


def metrics(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether services show metrics, and whether Prometheus reads them."""
    if isinstance(facts.live, Unseen):
        return not_checkable(CLUSTER, facts.live.why)
    measured = {name: service.metrics for name, service in facts.settings.services.items() if service.metrics}
    answers = [_answer(facts.live.asked, name, str(path)) for name, path in measured.items()]
    wrong = [f"{each.service}{each.path} shows no sample (status {each.status})" for each in answers if not each.samples]
    wrong += [] if measured else ["no service has metrics"]
    evidence = [f"{each.service}{each.path}: {each.samples} samples" for each in answers]
    if isinstance(facts.monitored, Unseen):
        return judged(facts.live.on, wrong, [*evidence, f"Prometheus: {facts.monitored.why}"])
    wrong += [f"Prometheus: {target}" for target in facts.monitored.down]
    return judged(facts.live.on, wrong, [*evidence, f"{facts.monitored.up} targets of Prometheus are up"])


def dashboards(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether dashboards show what the app uses of its machine."""
    titles = {query.panel for query in load_queries(facts.settings)}
    missing = [f"no panel of a dashboard is about {word}" for word in OF_USAGE if not any(word in title.lower() for title in titles)]
    if missing or isinstance(facts.monitored, Unseen):
        why = (
            f"{len(titles)} panels are there, CPU and memory among them; {facts.monitored.why}"
            if isinstance(facts.monitored, Unseen)
            else ""
        )
        return judged(REPOSITORY, missing, ()) if missing else not_checkable(CLUSTER, why)
    verdict = Verdict.BROKEN if facts.monitored.silent else Verdict.KEPT
    evidence = facts.monitored.silent or [f"{facts.monitored.queries} queries of {len(titles)} panels answer"]
    return Finding(verdict, CLUSTER, tuple(evidence))


CHECKS = {"logging": logging, "health-endpoints": health_endpoints, "metrics": metrics, "dashboards": dashboards}
