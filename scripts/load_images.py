"""Bring the images to where containers start."""

from __future__ import annotations

import sys

from scripts.core.pipeline import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.engines.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Send what the engine lacks, and verify that it has everything. Raises TaskError."""
    return project.engine.load_images(project.images, step)


if __name__ == "__main__":
    sys.exit(run_alone("load", lambda step: main(Project(), step)))
