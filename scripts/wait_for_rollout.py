"""Wait until every workload of the release is ready, and clear away what earlier ones left."""

from __future__ import annotations

import sys

from scripts.core import images, secrets
from scripts.core.pipeline import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.engines.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Watch the rollout to its end. Raises TaskError with the cause, the evidence and the next action."""
    settings, env = project.settings, project.env
    outcome = project.engine.await_rollout(settings.chart.timeout_seconds, step)
    if outcome.kind == "changed":
        project.engine.prune(secrets.planned(settings, env), images.planned(settings, env))
    return outcome


if __name__ == "__main__":
    sys.exit(run_alone("rollout", lambda step: main(Project(), step)))
