"""Bring the images to where containers start."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Send what the engine lacks, and verify that it has everything. Raises TaskError."""
    return project.engine.load_images(project.images, step)


if __name__ == "__main__":
    run_alone(main)
