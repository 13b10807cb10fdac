"""`invoke audit`: every clause of the constitution, held against what is there (specs/audit.md)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from scripts.audit import documents, rows
from scripts.audit.facts import Verdict
from scripts.audit.rows import Row
from scripts.audit.rules import RULES, Ruled, load
from scripts.command import command
from scripts.core.errors import InputError, TaskError
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport, passed
from scripts.program import run_command
from scripts.project import Project

STYLES = {Verdict.KEPT: "green", Verdict.BROKEN: "bold red", Verdict.DEVIATES: "yellow", Verdict.NOT_CHECKABLE: "dim"}
WIDTH = max(map(len, Verdict))


@command(
    changes=False,
    help={"report": "also write it to FILE: Markdown (.md), or a page (.html)", "rules": "a file of rules for another constitution"},
)
def audit(project: Project, voice: Report, *, report: str = "", rules: str = "") -> None:
    """Check every clause of the constitution, with evidence."""
    work(project, voice, Path(report) if report else None, Path(rules) if rules else RULES)


def work(project: Project, voice: Report, report: Path | None, rules: Path) -> None:
    """Show the audit and write it where wanted. Raises InputError for files that cannot be used, TaskError where a clause is broken."""
    page = documents.page_for(report) if report else None
    found = look(project, voice, load(rules))
    show(found, voice)
    if report and page:
        _write(report, page(found, f"{project.settings.release}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
        voice.say(f"wrote {report}")
    if broken := [row.clause for row in found if row.verdict is Verdict.BROKEN]:
        cause = f"{len(broken)} of {len(found)} clauses {'is' if len(broken) == 1 else 'are'} broken: {', '.join(broken)}"
        raise TaskError(cause, "see above what to do about each", code="constitution-broken")


def look(project: Project, voice: Report, ruled: list[Ruled]) -> list[Row]:
    """Return the rows, and tell meanwhile what is looked at. Raises what the audit does."""
    found: list[Row] = []

    def act(step: StepReport) -> Outcome:
        found.extend(rows.audit(project, step.progress, ruled))
        return passed(documents.summary(found))

    run_steps([Step("audit", act)], voice)
    return found


def show(found: list[Row], voice: Report) -> None:
    """Print every row, by the sections of the constitution."""
    for section, rows_of in groupby(found, lambda row: row.section):
        voice.block((section, "bold"), "", ())
        for row in rows_of:
            voice.event("clause", **asdict(row))
            voice.block((f"{row.verdict:<{WIDTH}}", STYLES[row.verdict]), f"{row.clause}  {row.text}", documents.details(row))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", "name another file: --report FILE", code="report-unwritable"
        ) from None


if __name__ == "__main__":
    run_command()
