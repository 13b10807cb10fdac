"""Say why the release is not healthy: cause, evidence and next action of everything that is wrong. Changes nothing."""

from __future__ import annotations

from dataclasses import asdict

from scripts.command import command, run_command
from scripts.core.errors import TaskError
from scripts.core.report import Report
from scripts.engines.installed import require_installed
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.project import Project


@command(changes=False)
def diagnose(project: Project, report: Report) -> None:
    """Say why the release is not healthy, and what to do."""
    show_all(project, report)


def show_all(project: Project, report: Report) -> None:
    """Print what is wrong with the release. Raises TaskError when anything is."""
    require_installed(project.engine, project.settings.release)
    found = project.engine.diagnose()
    for diagnosis in found:
        show(diagnosis, report)
    if found:
        raise TaskError(
            f"{project.settings.release} is not healthy: {len(found)} cause{'s' if len(found) > 1 else ''}, see above", code="not-healthy"
        )
    report.result(f"{project.settings.release} is healthy")


def show(diagnosis: Diagnosis, report: Report) -> None:
    """Print one diagnosis; as JSON, one event with all its fields."""
    report.event("diagnosis", **asdict(diagnosis))
    report.result(diagnosis.cause)
    for line in diagnosis.evidence:
        report.result(f"    {line}")
    if diagnosis.follows_from:
        report.result(f"    follows from {diagnosis.follows_from}")
    report.result(f"  -> {diagnosis.action}")


if __name__ == "__main__":
    run_command()
