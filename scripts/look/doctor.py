"""`invoke doctor`: what `up` needs, checked."""

from __future__ import annotations

from functools import partial

from scripts import preflight
from scripts.command import command, run_command
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Report
from scripts.project import Project


@command(changes=False)
def doctor(project: Project, report: Report) -> None:
    """Check all that `up` needs; change nothing."""
    report.say(f"engine: {project.engine.name} ({project.reason})")
    run_steps([Step("doctor", partial(preflight.main, project))], report)


if __name__ == "__main__":
    run_command()
