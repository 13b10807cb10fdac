"""Say why the release is not well: cause, evidence and next action of everything that is wrong. Changes nothing."""

from __future__ import annotations

import sys
from dataclasses import asdict

from scripts.core.errors import InputError, TaskError
from scripts.core.pipeline import guarded
from scripts.core.report import Report
from scripts.engines.causes.cause import Diagnosis
from scripts.engines.project import Project
from scripts.engines.rollout import Diagnosable


def main(project: Project, report: Report) -> None:
    """Print what is wrong with the release. Raises TaskError when anything is, InputError where the engine has no diagnosis."""
    engine = project.engine
    if not isinstance(engine, Diagnosable):
        raise InputError(f"the {engine.name} engine has no diagnosis", "invoke status, invoke logs SERVICE")
    found = engine.diagnose()
    for diagnosis in found:
        show(diagnosis, report)
    if found:
        raise TaskError(f"{project.settings.release} is not well: {len(found)} cause{'s' if len(found) > 1 else ''}, see above")
    report.result(f"{project.settings.release} is well")


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
    voice = Report(as_json="--json" in sys.argv[1:])
    sys.exit(guarded(lambda: main(Project(), voice), voice))
