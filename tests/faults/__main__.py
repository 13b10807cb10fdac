"""`python -m tests.faults`, which `invoke check.faults` runs: the fault suite (specs/faults.md)."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scripts.core import pipeline
from scripts.core.errors import InputError, MissingError
from scripts.core.report import Report
from tests.checkout import RELEASE
from tests.cluster.app import install
from tests.cluster.context import ClusterContext, own_context
from tests.cluster.local_cluster.cluster import LocalCluster
from tests.cluster.local_cluster.layout import Layout
from tests.cluster.made_cluster import MAKERS
from tests.faults import image
from tests.faults.app_faults import APP_FAULTS, AppFault
from tests.faults.ground import ENGINE, Ground
from tests.faults.machine import MACHINE_FAULTS, MachineFault
from tests.faults.releases import FAULTS
from tests.faults.suite import Row, app_row, drift_rows, machine_row, release_rows

COLUMNS = ("fault", "line", "seconds", "healed by up", "")
CLEAR_SECONDS = 180
OF_TESTS = {Layout().name, *(maker.context for maker in MAKERS)}


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="invoke check.faults", description="Break things on a cluster of tests, and see them named and healed."
    )
    parser.add_argument("--context", default="", help="another cluster than the test cluster of this machine")
    parser.add_argument("--only", default="", help="faults whose name holds one of these words, comma-separated")
    parser.add_argument("--yes", action="store_true", help="take a cluster that is not one of tests")
    given = parser.parse_args()
    report, rows = Report(), list[Row]()

    def work() -> int:
        refuse(given.context, yes=given.yes)
        try:
            with cluster(given.context, report) as (context, own), tempfile.TemporaryDirectory() as folder:
                for row in run(context, own, Path(folder), words(given.only)):
                    rows.append(row)
                    report.say("  ".join(row.shown()))
        finally:
            report.table(COLUMNS, [row.shown() for row in rows], "faults")
        return 0 if rows and all(row.ok for row in rows) else 1

    return pipeline.run_to_exit_code(work, report)


def words(text: str) -> tuple[str, ...]:
    """Return the words of `--only`."""
    return tuple(word for word in text.split(",") if word)


def refuse(context: str, *, yes: bool) -> None:
    """Raise InputError for a cluster that is not one of tests, unless a person has said yes."""
    if context and context not in OF_TESTS and not yes:
        raise InputError(
            f"{context} is not a cluster of tests, and its DNS and nodes would be broken", "add --yes", code="confirmation-needed"
        )


@contextlib.contextmanager
def cluster(context: str, report: Report) -> Iterator[tuple[ClusterContext, LocalCluster | None]]:
    """The cluster to break, and, where it is that, the one of plain processes; brought up for the block where it does not run."""
    if context and context != Layout().name:
        yield ClusterContext(context, None, None), None
        return
    own = LocalCluster()
    if lacks := own.lacks():
        raise MissingError("the test cluster cannot be started here", "name a cluster: --context", lacks)
    ours = own_context(own)
    was_up = own.is_up
    own.up(report.say)
    try:
        yield ours, own
    finally:
        if not was_up:
            own.down()


def run(context: ClusterContext, own: LocalCluster | None, folder: Path, only: tuple[str, ...]) -> Iterator[Row]:
    """Make the faults, all or those that are named, and yield their rows."""

    def chosen(faults: Sequence[Any]) -> list[Any]:
        return [fault for fault in faults if not only or any(word in fault.name for word in only)]

    image.send(context, folder)
    if small := chosen(FAULTS):
        yield from release_rows(context, small)
    of_app, of_machine = chosen(APP_FAULTS), chosen(MACHINE_FAULTS)
    if of_app or of_machine:
        left = ("delete", "namespace", RELEASE, "--ignore-not-found")  # of a run that was killed
        context.within(RELEASE, RELEASE).kubectl(*left, timeout=CLEAR_SECONDS)
        ground = Ground(install(context, folder / "todo"), own)
        try:
            yield from _on_app(of_app, of_machine, ground)
        finally:
            ground.app.checkout.invoke("down", "--data", "--yes", *ENGINE)


def _on_app(faults: Sequence[AppFault], of_machine: Sequence[MachineFault], ground: Ground) -> Iterator[Row]:
    drift = [fault for fault in faults if fault.code == "drifted"]
    yield from drift_rows(drift, ground) if drift else ()
    yield from (app_row(fault, ground) for fault in faults if fault not in drift and not fault.loses_data)
    yield from (machine_row(fault, ground) for fault in of_machine)
    yield from (app_row(fault, ground) for fault in faults if fault.loses_data)


if __name__ == "__main__":
    sys.exit(main())
