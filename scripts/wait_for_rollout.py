"""Wait until every workload of the release is ready, and clear away what earlier ones left."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Watch the rollout to its end. Raises TaskError with the cause, the evidence and the next action."""
    outcome = project.engine.await_rollout(project.release(), project.settings.chart.timeout_seconds, step)
    if outcome.kind == "changed":
        project.engine.prune(project.secrets, project.images)
    return outcome


if __name__ == "__main__":
    run_alone(main)
