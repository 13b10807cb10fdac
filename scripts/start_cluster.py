"""Start what the app runs on: the Minikube profile, or nothing where a cluster or an engine is there already."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.decision import Decision
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def decide(project: Project, step: StepReport) -> Decision:
    """Decide how to start the engine; nothing is done when it runs already. Raises TaskError."""
    return project.engine.decide_start(step)


def main(project: Project, step: StepReport) -> Outcome:
    """Start the engine; `unchanged` when it runs already. Raises TaskError."""
    return decide(project, step).carry_out(step)


if __name__ == "__main__":
    run_alone(main)
