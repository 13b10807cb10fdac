"""Go back to the last good release. Its Secrets and images are still there, since `up` keeps what a rollback needs."""

from __future__ import annotations

import sys
from typing import Protocol, runtime_checkable

from scripts.core.errors import InputError
from scripts.core.pipeline import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.engines.project import Project


@runtime_checkable
class Reversible(Protocol):
    """An engine that keeps releases to go back to."""

    def rollback(self, step: StepReport) -> Outcome:
        """Go back to the last good release before the one that is installed. Raises TaskError when there is none."""
        ...


def main(project: Project, step: StepReport) -> Outcome:
    """Go back, and wait until the old release is ready. Raises InputError where the engine keeps no releases."""
    engine = project.engine
    if not isinstance(engine, Reversible):
        raise InputError(f"the {engine.name} engine keeps no releases", "check out the commit that worked, and `invoke up`")
    outcome = engine.rollback(step)
    engine.await_rollout(project.settings.chart.timeout_seconds, step)
    return outcome


if __name__ == "__main__":
    sys.exit(run_alone("rollback", lambda step: main(Project(), step)))
