"""Say why the release is not healthy: cause, evidence and next action of everything that is wrong. Changes nothing."""

from __future__ import annotations

from dataclasses import asdict

from scripts.command import command, run_command
from scripts.core.counting import several
from scripts.core.errors import TaskError
from scripts.core.report import Report
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.look.causes import causes
from scripts.project import Project


@command(changes=False)
def diagnose(project: Project, report: Report) -> None:
    """Say why the release is not healthy, and what to do."""
    show_all(project, report)


def show_all(project: Project, report: Report) -> None:
    """Print what is wrong with the release. Raises TaskError when anything is."""
    project.require_installed()
    found = causes(project, report)
    for diagnosis in found:
        show(diagnosis, report)
    if found:
        roots = [each for each in found if not each.follows_from]
        following = len(found) - len(roots)
        more = f" and {following} that {'follows' if following == 1 else 'follow'}" if following else ""
        raise TaskError(f"{project.settings.release} is not healthy: {several(len(roots), 'cause')}{more}, see above", code="not-healthy")
    report.result(f"{project.settings.release} is healthy")


def show(diagnosis: Diagnosis, report: Report) -> None:
    """Print one diagnosis; as JSON, one event with all its fields."""
    report.event("diagnosis", **asdict(diagnosis))
    report.result(diagnosis.cause)
    if diagnosis.follows_from:
        report.result(f"  follows from {diagnosis.follows_from}  [{diagnosis.code}]")
        return
    for line in diagnosis.evidence:
        if line not in diagnosis.cause:
            report.result(f"    {line}")
    report.result(f"  -> {diagnosis.action}  [{diagnosis.code}]")


if __name__ == "__main__":
    run_command()
