"""`invoke logs`: what a service says."""

from __future__ import annotations

from scripts.command import command, run_command
from scripts.core.report import Report
from scripts.engines.installed import require_installed
from scripts.project import Project


@command(changes=False, help={"lines": "how many lines of each pod"}, positional=["service"])
def logs(project: Project, report: Report, *, service: str, lines: int = 100) -> None:
    """Print the last log lines of a service."""
    require_installed(project.engine, project.settings.release)
    text = project.engine.logs(service, lines).rstrip()
    report.event("log", service=service, text=text)
    report.result(text)


if __name__ == "__main__":
    run_command()
