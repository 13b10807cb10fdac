"""Install or upgrade the app's chart with the current images and Secrets."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Bring the release to the current sources; `unchanged` when its fingerprint is the one that runs. Raises TaskError."""
    return project.engine.install(project.release(), project.secrets, step)


if __name__ == "__main__":
    run_alone(main)
