"""Prove that the app works: health and readiness of every service, every public page, and one real use that the app says itself."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from scripts.command import run_alone
from scripts.config.services import local_path
from scripts.core import log
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, passed
from scripts.kubernetes import ingress
from scripts.kubernetes.diagnosis.cause import ABOUT_OTHER_PODS
from scripts.kubernetes.service_client import Answer, ServiceClient
from scripts.project import Project
from scripts.traffic import app_proof, asking, failed_requests, last_proof

SLOW_SECONDS = 2.0
FAILED = "smoke-failed"


def main(project: Project, step: StepReport) -> Outcome:
    """Ask every service, then let the app prove one real use of itself. Raises TaskError with the answer, and why it was that."""
    try:
        with project.engine.open_client() as ask:
            proven = _prove(project, ask, step)
    except TaskError as error:
        if error.code == FAILED:
            last_proof.failed(project.settings, project.engine, error)
        raise _explained(error, project) from None
    last_proof.forget()
    return passed("; ".join([f"{len(project.settings.services)} services are healthy and ready", *proven]))


def _prove(project: Project, ask: ServiceClient, step: StepReport) -> list[str]:
    proof, proven = project.settings.smoke, []
    asking.check_services(project.settings.services, ask, step)
    if project.engine.deployment and project.settings.ingress.host:
        proven.append(ingress.prove(project.engine.deployment.cluster, project.settings, step))
    if proof:
        step.progress(proof)
        took: dict[str, float] = {}
        proven.append(app_proof.prove(local_path(proof), _timed(ask, took)))
        _warn_if_slow(took, project, step)
    return proven


def _timed(ask: ServiceClient, took: dict[str, float]) -> ServiceClient:
    """Return a client that notes how long each answer took, by service and path."""

    def timed(service: str, method: str, path: str, *rest: Any, **options: Any) -> Answer:
        started = time.monotonic()
        try:
            return ask(service, method, path, *rest, **options)
        finally:
            took[f"{service} {method} {path.partition('?')[0]}"] = time.monotonic() - started

    return timed


def _warn_if_slow(took: Mapping[str, float], project: Project, step: StepReport) -> None:
    """Warn of the slowest answer that a person would not wait for gladly, but of those that are slow by nature."""
    patient = project.settings.monitoring.slow_handlers
    slow = {what: seconds for what, seconds in took.items() if seconds >= SLOW_SECONDS and not re.fullmatch(patient, what.split()[-1])}
    if slow:
        worst = max(slow, key=lambda what: slow[what])
        step.warn(f"{worst} took {slow[worst]:.1f} s: where that lasts, invoke diagnose says why")


def _explained(error: TaskError, project: Project) -> TaskError:
    """The failure with its cause, where one is seen: in the release, or in what the services have logged of their requests."""
    if error.code != FAILED:
        return error
    try:
        lines = failed_requests.recent(project.engine)
        found = [*project.engine.diagnose(), *failed_requests.failing(project.settings, project.engine, lines)]
    except TaskError as unseen:
        log.debug(f"why the smoke test failed: {unseen}")
        return error
    if not found:
        return error
    first = min(found, key=lambda each: each.code in ABOUT_OTHER_PODS)
    return TaskError(error.cause, first.action, [*error.evidence, f"{first.cause}  [{first.code}]", *first.evidence], code=error.code)


if __name__ == "__main__":
    run_alone(main)
