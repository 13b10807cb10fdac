"""Make the Secrets of the app from `.env`."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.decision import Decision
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def decide(project: Project, step: StepReport) -> Decision:
    """Decide which Secrets are to be made: one a service, with the keys that the service lists. Raises TaskError."""
    return project.engine.decide_secrets(project.stages[0].secrets, step)


def main(project: Project, step: StepReport) -> Outcome:
    """Make one Secret a service, with the keys that the service lists. Raises TaskError."""
    return decide(project, step).carry_out(step)


if __name__ == "__main__":
    run_alone(main)
