"""`invoke restart SERVICE`: restarts its program, and waits for it."""

from __future__ import annotations

from functools import partial

from scripts.command import command
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project


@command(changes=True, positional=["service"], help={"service": "a service, or postgres"})
def restart(project: Project, report: Report, *, service: str) -> None:
    """Restart a service, and wait until it is ready."""
    project.require_installed()
    act = partial(project.engine.operations.restart, service, project.settings.chart.timeout_seconds)
    run_steps([Step("restart", act)], report)


if __name__ == "__main__":
    run_command()
