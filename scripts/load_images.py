"""Bring the images to where containers start."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.decision import Decision
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def decide(project: Project, step: StepReport) -> Decision:
    """Decide what the engine lacks. Raises TaskError."""
    return project.engine.decide_load(project.images, step)


def main(project: Project, step: StepReport) -> Outcome:
    """Send what the engine lacks, and verify that it has everything. Raises TaskError."""
    return decide(project, step).carry_out(step)


if __name__ == "__main__":
    run_alone(main)
