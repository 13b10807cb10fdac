"""`invoke backup FILE`: all that the bundled Postgres holds, as compressed SQL in a file that is whole or not there."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from rich.filesize import decimal

from scripts.command import command
from scripts.core import shell
from scripts.core.errors import InputError
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport, changed
from scripts.core.shell import CommandLine
from scripts.database import access
from scripts.operate import dump
from scripts.program import run_command
from scripts.project import Project

SECONDS = 3600
OPTIONS = ("--no-owner", "--compress=gzip:6")
ONLY_MINE = 0o600
"""What the app has stored is nobody else's to read."""


@command(changes=False, positional=["file"], help={"file": "where it goes, such as todo.sql.gz", "yes": "answer yes to the question"})
def backup(project: Project, report: Report, *, file: str, yes: bool = False) -> None:
    """Dump the bundled Postgres to a file."""
    path = Path(file).expanduser().absolute()
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(
            f"{path} cannot be written: it is a folder, or its folder does not exist",
            "name a file in an existing folder",
            code="file-unwritable",
        )
    line = access.in_bundled(project, "pg_dump", *OPTIONS)
    if path.exists() and not yes and not report.confirm(f"{path} already exists. Replace it?"):
        report.say("nothing was written")
        return
    run_steps([Step("backup", partial(write, line, path))], report)


def write(line: CommandLine, path: Path, step: StepReport) -> Outcome:
    """Dump into a file beside the one that is wanted, look whether it is whole, and give it its name. Raises TaskError."""
    step.progress(f"writing {path}")
    partial_file = path.with_name(f".{path.name}.partial")
    try:
        with open(os.open(partial_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, ONLY_MINE), "wb") as out:  # noqa: PTH123 - with its mode
            shell.run(line.argv, timeout=SECONDS, env=line.environment, output=out)
            os.fsync(out.fileno())
        content, stored = dump.whole(partial_file), partial_file.stat().st_size
        partial_file.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", "name a file elsewhere", code="file-unwritable") from None
    finally:
        partial_file.unlink(missing_ok=True)
    return changed(f"{path}: {decimal(content)} of SQL in {decimal(stored)}")


if __name__ == "__main__":
    run_command()
