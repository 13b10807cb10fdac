"""Start what the app runs on: the Minikube profile, or nothing where a cluster or an engine is there already."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Start the engine; `unchanged` when it runs already. Raises TaskError."""
    return project.engine.start(step)


if __name__ == "__main__":
    run_alone(main)
