"""Prove that the app works: health and readiness of every service, every public page, and one real use that the app says itself."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.config.services import local_path
from scripts.core import log
from scripts.core.errors import InterruptedRunError, TaskError
from scripts.core.report import Outcome, StepReport, passed
from scripts.engines import asking, failed_requests
from scripts.kubernetes import app_proof, ingress
from scripts.kubernetes.diagnosis.cause import ABOUT_OTHER_PODS
from scripts.kubernetes.service_client import ServiceClient
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Ask every service, then let the app prove one real use of itself. Raises TaskError with the answer, and why it was that."""
    try:
        with project.engine.open_client() as ask:
            proven = _prove(project, ask, step)
    except TaskError as error:
        raise _explained(error, project) from None
    return passed("; ".join([f"{len(project.settings.services)} services are healthy and ready", *proven]))


def _prove(project: Project, ask: ServiceClient, step: StepReport) -> list[str]:
    proof, proven = project.settings.smoke, []
    asking.check_services(project.settings.services, ask, step)
    if project.engine.deployment and project.settings.ingress.host:
        proven.append(ingress.prove(project.engine.deployment.cluster, project.settings, step))
    if proof:
        step.progress(proof)
        proven.append(app_proof.prove(local_path(proof), ask))
    return proven


def _explained(error: TaskError, project: Project) -> TaskError:
    """The failure with its cause, where one is seen: in the release, or in what the services have logged of their requests."""
    if error.code != "smoke-failed":
        return error
    try:
        found = [*project.engine.diagnose(), *failed_requests.failing(project.settings, failed_requests.recent(project.engine))]
    except InterruptedRunError:
        raise
    except TaskError as unseen:
        log.debug(f"why the smoke test failed: {unseen}")
        return error
    if not found:
        return error
    first = min(found, key=lambda each: each.code in ABOUT_OTHER_PODS)
    return TaskError(error.cause, first.action, [*error.evidence, f"{first.cause}  [{first.code}]", *first.evidence], code=error.code)


if __name__ == "__main__":
    run_alone(main)
