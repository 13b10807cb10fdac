"""Programs that own the terminal while they run: a shell, psql."""

from __future__ import annotations

import sys

from scripts.core import shell
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Report
from scripts.core.shell import CommandLine


def is_there() -> bool:
    """Return whether a person sits at a terminal; what comes through a pipe is a program's input."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def refuse_json(report: Report) -> None:
    """Raise InputError where a machine listens: what the program prints would be among our events."""
    if report.as_json:
        raise InputError("the command takes over the terminal, and prints no events", "leave --json out", code="terminal-owned")


def run(line: CommandLine, what: str, *, lenient: bool = False) -> None:
    """Run a program on our own terminal to its end. Raises TaskError where it ends with a failure.

    lenient: whether its exit code says nothing: a shell's is that of whatever a person typed last.
    """
    code = shell.attached(line.argv, env=line.environment)
    if code and not lenient:
        raise TaskError(f"{what} ended with exit code {code}", "what it printed says why", code="command-failed")
