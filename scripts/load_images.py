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


def as_built(project: Project, step: StepReport) -> Outcome:
    """As `main`, but beside `build`: each image is sent when its build has ended. Raises TaskError, NeedFailedError."""
    outcomes = [project.engine.decide_load(images, step).carry_out(step) for images in project.built.batches("build", step)]
    told = [outcome for outcome in outcomes if outcome.kind == "changed"] or outcomes
    return Outcome(told[0].kind, "; ".join(dict.fromkeys(outcome.detail for outcome in told)))


if __name__ == "__main__":
    run_alone(main)
