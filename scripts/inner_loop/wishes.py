"""What a person asks for on the page of `invoke dev`: commands of ours that look, told through the page's report."""

from __future__ import annotations

from functools import partial

from scripts import smoke_test
from scripts.core import lock
from scripts.core.errors import TaskError
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Report
from scripts.look.causes import causes
from scripts.look.open import open_forward
from scripts.project import Project


def smoke(project: Project, report: Report) -> None:
    """Prove that the app works. Raises TaskError."""
    report.results.clear()
    with lock.held("smoke", report):
        run_steps([Step("smoke", partial(smoke_test.main, project))], report)
    report.say("; ".join(result.detail for result in report.results))


def diagnose(project: Project, report: Report) -> None:
    """Say what is wrong. Raises TaskError for the first cause, with the others as its evidence."""
    found = causes(project, report)
    if not found:
        report.say("nothing is wrong with what runs")
        return
    first, *others = found
    raise TaskError(first.cause, first.action, [*first.evidence, *(f"also {other.cause}" for other in others)], code=first.code)


def open_app(project: Project, report: Report) -> None:
    """Open the public services; forwards last until the page ends. Raises TaskError."""
    open_forward(project, "app", report)
