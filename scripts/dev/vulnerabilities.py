"""`invoke check.vulnerabilities`: what is publicly known against what is written down and built (specs/outdated.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from scripts.command import command
from scripts.core.errors import MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Report
from scripts.dev.advisories import Known, npm_packages, of_images, of_npm, of_python, python_packages
from scripts.dev.indexes import Indexes
from scripts.images.build import missing
from scripts.program import run_command
from scripts.project import Project

COLUMNS = ("package", "where", "now", "advisory", "affected", "what")


@command(changes=False)
def vulnerabilities(project: Project, report: Report) -> None:
    """Show what is known against pins and images."""
    indexes = Indexes()
    found = [of_python(python_packages(ROOT), indexes), of_npm(npm_packages(ROOT), indexes)]
    try:
        lacking = missing(project.images)
        found.append(of_images(image.reference for image in project.images if image not in lacking))
        left = f"{', '.join(image.reference for image in lacking)}: not built" if lacking else ""
    except TaskError as error:
        left = f"images: {error.cause}"
    show(found, report, left)


def show(found: Sequence[Known], report: Report, left_out: str = "") -> None:
    """Print what is known, and what was looked at. Raises TaskError where something is known, MissingError where not all was told."""
    rows = [row for known in found for row in known.advisories]
    report.event_of_rows("vulnerabilities", COLUMNS, rows)
    if rows:
        report.print_table(COLUMNS, rows)
    for known in found:
        report.say(f"{known.sort}: {known.looked_at} looked at, {len(known.advisories)} advisories")
    untold = [f"{number} {known.sort}: {why}" for known in found for why, number in Counter(known.not_told).items()]
    for line in [*untold, *([left_out] if left_out else ())]:
        report.warn(f"not looked at: {line}")
    if rows:
        number = len({row[:3] for row in rows})
        raise TaskError(f"known vulnerabilities in {number} of them", "invoke outdated shows what is safe to take", code="vulnerable")
    if untold:
        raise MissingError("not everything could be checked", "try again where the indexes can be reached", code="not-looked-at")


if __name__ == "__main__":
    run_command("check.vulnerabilities")
