"""Start what the app runs on: the Minikube profile, or nothing where a cluster or an engine is there already."""

from __future__ import annotations

import sys

from scripts.core.pipeline import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.engines.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Start the engine; `unchanged` when it runs already. Raises TaskError."""
    return project.engine.start(step)


if __name__ == "__main__":
    sys.exit(run_alone("start", lambda step: main(Project(), step)))
