"""Say why the release is not healthy: cause, evidence and next action of everything that is wrong. Changes nothing."""

from __future__ import annotations

from dataclasses import asdict

from scripts.command import command
from scripts.core.counting import several
from scripts.core.errors import TaskError
from scripts.core.report import Report
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.look.causes import causes
from scripts.program import run_command
from scripts.project import Project


@command(changes=False)
def diagnose(project: Project, report: Report) -> None:
    """Say why the release is not healthy, and what to do."""
    show_all(project, report)


def show_all(project: Project, report: Report) -> None:
    """Print what is wrong with the release. Raises TaskError when anything is."""
    project.require_installed()
    found = causes(project, report)
    roots: set[str] = set()
    for diagnosis in found:
        show(diagnosis, report, told=_what(diagnosis) in roots)
        if not diagnosis.follows_from:
            roots.add(_what(diagnosis))
    if found:
        following = sum(1 for each in found if each.follows_from)
        more = f" and {following} that {'follows' if following == 1 else 'follow'}" if following else ""
        raise TaskError(f"{project.settings.release} is not healthy: {several(len(roots), 'cause')}{more}, see above", code="not-healthy")
    report.result(f"{project.settings.release} is healthy")


def _what(diagnosis: Diagnosis) -> str:
    """What is wrong, whatever it is wrong with: one quota refuses the pods of several workloads."""
    return f"{diagnosis.code} {diagnosis.cause.removeprefix(f'{diagnosis.workload}: ')} {diagnosis.action}"


def show(diagnosis: Diagnosis, report: Report, *, told: bool = False) -> None:
    """Print one diagnosis; as JSON, one event with all its fields. told: whether the same was told of another workload."""
    report.event("diagnosis", **asdict(diagnosis))
    if told and not diagnosis.follows_from:
        report.result(f"{diagnosis.workload}: the same  [{diagnosis.code}]")
        return
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
