"""Prove that the app works: health and readiness of every service, every public page, and one real use that the app says itself."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.config.services import local_path
from scripts.core.report import Outcome, StepReport, passed
from scripts.engines import asking
from scripts.kubernetes import app_proof, ingress
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Ask every service, then let the app prove one real use of itself. Raises TaskError with the answer."""
    services, proof = project.settings.services, project.settings.smoke
    with project.engine.open_client() as ask:
        asking.check_services(services, ask, step)
        proven = []
        if project.engine.deployment and project.settings.ingress.host:
            proven.append(ingress.prove(project.engine.deployment.cluster, project.settings, step))
        if proof:
            step.progress(proof)
            proven.append(app_proof.prove(local_path(proof), ask))
    return passed("; ".join([f"{len(services)} services are healthy and ready", *proven]))


if __name__ == "__main__":
    run_alone(main)
