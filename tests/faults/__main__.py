"""`python -m tests.faults`, which `invoke check.faults` runs: the fault suite (specs/faults.md)."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.report import Report
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
    report = Report()
    try:
        refuse(given.context, yes=given.yes)
        with cluster(given.context, report) as (context, own), tempfile.TemporaryDirectory() as folder:
            rows = run(context, own, Path(folder), words(given.only), report)
    except TaskError as error:
        report.error(error)
        return error.exit_code
    report.table(COLUMNS, [row.shown() for row in rows], "faults")
    return 0 if all(row.ok for row in rows) else 1


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


def run(context: ClusterContext, own: LocalCluster | None, folder: Path, only: tuple[str, ...], report: Report) -> list[Row]:
    """Make the faults, all or those that are named, and return their rows."""

    def chosen(name: str) -> bool:
        return not only or any(word in name for word in only)

    def show(row: Row) -> None:
        report.say("  ".join(row.shown()))

    small = [fault for fault in FAULTS if chosen(fault.name)]
    rows: list[Row] = []
    if small:
        image.send(context, folder)
        rows += release_rows(context, small, show)
    of_app = [fault for fault in APP_FAULTS if chosen(fault.name)]
    of_machine = [fault for fault in MACHINE_FAULTS if chosen(fault.name)]
    if of_app or of_machine:
        ground = Ground(install(context, folder / "todo"), own)
        try:
            for row in _on_app(of_app, of_machine, ground):
                rows.append(row)
                show(row)
        finally:
            ground.app.checkout.invoke("down", "--data", "--yes", *ENGINE)
    return rows


def _on_app(faults: Sequence[AppFault], of_machine: Sequence[MachineFault], ground: Ground) -> Iterator[Row]:
    drift = [fault for fault in faults if fault.code == "drifted"]
    yield from drift_rows(drift, ground) if drift else ()
    yield from (app_row(fault, ground) for fault in faults if fault not in drift)
    yield from (machine_row(fault, ground) for fault in of_machine)


if __name__ == "__main__":
    sys.exit(main())
