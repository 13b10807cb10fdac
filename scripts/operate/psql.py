"""`invoke psql`: the app's database in psql."""

from __future__ import annotations

from scripts.command import command
from scripts.core import shell
from scripts.core.errors import MissingError
from scripts.core.report import Report
from scripts.core.shell import CommandLine
from scripts.database import access
from scripts.operate import terminal
from scripts.program import run_command
from scripts.project import Project


@command(
    changes=False,
    help={"command": "run this SQL and exit", "key": "the key of .env that names the database, where there are several"},
)
def psql(project: Project, report: Report, *, command: str = "", key: str = "") -> None:
    """Open the app's database in psql.

    The bundled one in its own container, another with the psql of this machine.
    """
    terminal.refuse_json(report)
    options = ["--command", command] if command else []
    url = access.named(project, key)
    if url is None:
        line = access.in_bundled(project, "psql", *options, terminal=terminal.is_there())
    else:
        line = CommandLine([_psql(), *options], access.environment(url))
    terminal.run(line, "psql")


def _psql() -> str:
    try:
        return shell.which("psql")
    except MissingError:
        action = "install it (Debian: postgresql-client; macOS: brew install libpq)"
        raise MissingError("psql is not installed", action, code="program-missing") from None


if __name__ == "__main__":
    run_command()
