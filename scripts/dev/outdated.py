"""`invoke outdated`: what of the pins is not the newest, and what is safe to take (specs/outdated.md)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.command import command
from scripts.core.report import Report
from scripts.dev.indexes import Indexes, NotToldError
from scripts.dev.pinned import Pin, pins
from scripts.dev.versions import newest, numbers, safe
from scripts.program import run_command
from scripts.project import Project

COLUMNS = ("pin", "where", "now", "newest", "safe", "note")


@command(changes=False)
def outdated(project: Project, report: Report) -> None:
    """Show which pins are outdated, and what is safe to take."""
    show(pins(project.settings), report)


def show(wanted: Sequence[Pin], report: Report) -> None:
    """Print a row for each pin that is not the newest, or that no index told about."""
    indexes = Indexes()
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="index") as pool:
        found = list(pool.map(lambda pin: row(pin, indexes), wanted))
    rows = [each for each in found if each]
    report.table(COLUMNS, rows, "outdated")
    untold = sum(bool(each[-1]) for each in rows)
    report.say(f"{len(wanted) - len(rows)} of {len(wanted)} pins are the newest{f'; {untold} could not be asked about' if untold else ''}")


def row(pin: Pin, indexes: Indexes) -> tuple[str, ...] | None:
    """Return the row of a pin; None for one that is the newest."""
    try:
        there = indexes.versions(pin)
    except NotToldError as error:
        return (pin.name, pin.where, pin.now, "", "", str(error))
    last = newest(there)
    if not last:
        return (pin.name, pin.where, pin.now, "", "", "the index has no final version")
    if (numbers(last) or ()) <= (numbers(pin.now) or ()):
        return None
    return (pin.name, pin.where, pin.now, last, safe(pin.now, there, patches=pin.patches, below=pin.below), "")


if __name__ == "__main__":
    run_command()
