"""`invoke doctor`: what `up` needs, each thing by its name, with what was found of it."""

from __future__ import annotations

from scripts import preflight
from scripts.command import command
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project


@command(changes=False)
def doctor(project: Project, report: Report) -> None:
    """Check all that `up` needs; change nothing.

    Each check with what was found, its verdict and what to do. Ends with the error that `up` would end with.
    """
    report.event("engine", name=project.engine.name, reason=project.reason)
    report.heading(f"engine: {project.engine.name} ({project.reason})")
    found = preflight.look(project)
    rows = [row for check in found for row in check.rows()]
    report.event_of_rows("checks", ("check", "found", "verdict", "remedy"), rows)
    cells = [(name, verdict, f"{what}\n-> {remedy}" if remedy else what) for name, what, verdict, remedy in rows]
    report.print_table(("check", "verdict", "found"), cells)
    if failure := preflight.refusal(found):
        raise failure


if __name__ == "__main__":
    run_command()
