"""Make the Secrets of the app from `.env`."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Make one Secret a service, with the keys that the service lists. Raises TaskError."""
    return project.engine.apply_secrets(project.secrets, step)


if __name__ == "__main__":
    run_alone(main)
