"""Prove that the app works: health and readiness of every service, every public page, and one real use that the app says itself."""

from __future__ import annotations

import json
import time
from typing import Any

from scripts.command import run_alone
from scripts.config.settings import Service
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Outcome, StepReport, passed
from scripts.kubernetes import app_proof
from scripts.kubernetes.service_client import Answer, ServiceClient
from scripts.project import Project

PAGE_SECONDS = 30
SETTLE_SECONDS = 15.0  # a pod of the old release that drains says for a moment that it is not ready, also to the services that ask it


def main(project: Project, step: StepReport) -> Outcome:
    """Ask every service, then let the app prove one real use of itself. Raises TaskError with the answer."""
    services, proof = project.settings.services, project.settings.smoke
    with project.engine.open_client() as ask:
        for name, service in services.items():
            step.progress(f"{name}: {service.health}, {service.ready}, {service.metrics}")
            check_service(name, service, ask)
        for name in (name for name, service in services.items() if service.public):
            step.progress(f"{name}: /")
            check_page(name, ask)
        proven = []
        if proof:
            step.progress(proof)
            proven.append(app_proof.prove(ROOT / proof, ask))
    return passed("; ".join([f"{len(services)} services are healthy and ready", *proven]))


def check_service(name: str, service: Service, ask: ServiceClient) -> None:
    """Ask a service for its health, for its readiness down to the last dependency, and for its metrics."""
    for path in (service.health, f"{service.ready}?deep=1"):
        deadline = time.monotonic() + SETTLE_SECONDS
        while not _is_ok(answer := ask(name, "GET", path, timeout=30)):
            if time.monotonic() > deadline:
                raise _unexpected(name, path, answer, "status ok")
            shell.pause(0.5)
    answer = ask(name, "GET", service.metrics)
    if answer.status != 200:
        raise _unexpected(name, service.metrics, answer, "200")


def check_page(name: str, ask: ServiceClient) -> None:
    """Ask a public service for the page that a person opens."""
    answer = ask(name, "GET", "/", timeout=PAGE_SECONDS)
    if answer.status != 200:
        raise _unexpected(name, "/", answer, "200")


def _is_ok(answer: Answer) -> bool:
    return answer.status == 200 and _json(answer).get("status") == "ok"


def _json(answer: Answer) -> dict[str, Any]:
    try:
        content = json.loads(answer.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _unexpected(name: str, what: str, answer: Answer, wanted: str) -> TaskError:
    evidence = [f"HTTP {answer.status}", *answer.body.strip().splitlines()[:5]]
    return TaskError(f"{name}: {what} does not say {wanted}", f"invoke logs {name}", [line[:300] for line in evidence], code="smoke-failed")


if __name__ == "__main__":
    run_alone(main)
