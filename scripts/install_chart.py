"""Install or upgrade the app's chart with the current images and Secrets."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.decision import Decision
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def decide(project: Project, step: StepReport) -> Decision:
    """Decide whether what runs is the release of the current sources. Raises TaskError."""
    stage = project.stages[0]
    return project.engine.decide_install(project.release(stage), stage.secrets, step)


def main(project: Project, step: StepReport) -> Outcome:
    """Bring the release to the current sources; `unchanged` when its fingerprint is the one that runs. Raises TaskError."""
    return decide(project, step).carry_out(step)


if __name__ == "__main__":
    run_alone(main)
