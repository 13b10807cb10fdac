"""`invoke rollback`: back to the last healthy release. Its Secrets and images are still there: `up` keeps what a rollback needs."""

from __future__ import annotations

from functools import partial

from scripts.command import command, run_alone
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport
from scripts.project import Project


@command(changes=True)
def rollback(project: Project, report: Report) -> None:
    """Go back to the last healthy release."""
    run_steps([Step("rollback", partial(main, project))], report)


def main(project: Project, step: StepReport) -> Outcome:
    """Go back, and wait until the old release is ready. Raises InputError where the engine keeps no releases."""
    outcome = project.engine.rollback(step)
    project.cluster_deployment().await_rollout(project.settings.chart.timeout_seconds, step)
    return outcome


if __name__ == "__main__":
    run_alone(main)
