"""Prove that the app works: health and readiness of every service, every public page, and one real use that the app says itself."""

from __future__ import annotations

import time

from scripts.command import run_alone
from scripts.config.services import Service, local_path
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, passed
from scripts.kubernetes import app_proof, ingress
from scripts.kubernetes.service_client import Answer, ServiceClient
from scripts.project import Project

PAGE_SECONDS = 30
SETTLE_SECONDS = 15.0  # a pod of the old release that drains says for a moment that it is not ready, also to the services that ask it


def main(project: Project, step: StepReport) -> Outcome:
    """Ask every service, then let the app prove one real use of itself. Raises TaskError with the answer."""
    services, proof = project.settings.services, project.settings.smoke
    with project.engine.open_client() as ask:
        for name, service in services.items():
            paths = [*_probed(service), *([service.metrics] if service.metrics else []), *service.asked_pages]
            step.progress(f"{name}: {', '.join(paths) or 'asked by its own probes'}")
            check_service(name, service, ask)
        proven = []
        if project.engine.deployment and project.settings.ingress.host:
            proven.append(ingress.prove(project.engine.deployment.cluster, project.settings, step))
        if proof:
            step.progress(proof)
            proven.append(app_proof.prove(local_path(proof), ask))
    return passed("; ".join([f"{len(services)} services are healthy and ready", *proven]))


def check_service(name: str, service: Service, ask: ServiceClient) -> None:
    """Ask a service for its health, its readiness, its metrics and its pages; what has none of them, its probes have judged."""
    for path in _probed(service):
        deadline = time.monotonic() + SETTLE_SECONDS
        while not 200 <= (answer := ask(name, "GET", path, timeout=PAGE_SECONDS)).status < 300:
            if time.monotonic() > deadline:
                raise _unexpected(name, path, answer, "does not answer 2xx")
            shell.pause(0.5)
    pages = {**({service.metrics: ""} if service.metrics else {}), **service.asked_pages}
    for path, text in pages.items():
        answer = ask(name, "GET", path, timeout=PAGE_SECONDS)
        if answer.status != 200:
            raise _unexpected(name, path, answer, "does not answer 200")
        if text not in answer.body:
            raise _unexpected(name, path, answer, f"does not hold `{text}`")


def _probed(service: Service) -> list[str]:
    """The paths of its probes, each once."""
    return list(dict.fromkeys(path for kind in ("live", "ready") if (path := service.probe(kind).get("path"))))


def _unexpected(name: str, path: str, answer: Answer, what: str) -> TaskError:
    evidence = [f"HTTP {answer.status}", *answer.body.strip().splitlines()[:5]]
    return TaskError(f"{name}: {path} {what}", f"invoke logs {name}", [line[:300] for line in evidence], code="smoke-failed")


if __name__ == "__main__":
    run_alone(main)
