"""The app's database, bundled or somebody's: how a program of ours gets to it. No password is ever in an argv."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.config.database_url import DatabaseUrl
from scripts.config.service_problems import DATABASE
from scripts.config.validation import meant
from scripts.core.errors import InputError
from scripts.core.shell import CommandLine
from scripts.desired.database_reach import databases
from scripts.desired.secrets import uses_bundled_database
from scripts.project import Project

AS_OWNER = 'PSQL_HISTORY=/tmp/.psql_history exec "$0" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" "$@"'
AS_THE_APP = f'PGHOST="$(hostname -i | cut -d " " -f 1)" PGPASSWORD="$POSTGRES_PASSWORD" {AS_OWNER}'
"""From an address of the network and with the password, as the app's pods come in: pg_hba.conf trusts a loopback address."""
PARAMETERS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "channel_binding": "PGCHANNELBINDING", "options": "PGOPTIONS"}
"""libpq's variables for what a URL says beside its parts."""


def in_bundled(project: Project, program: str, *options: str, terminal: bool = False, login: bool = False) -> CommandLine:
    """Return what runs a program of Postgres as the owner of the bundled database, inside its container, where the socket asks no password.

    login: all the same log in as the app does, by which it is seen whether that is possible.
    Raises InputError where the app's database is another, TaskError where it does not run.
    """
    if project.settings.database is None or not uses_bundled_database(project.settings, project.env):
        raise InputError(
            "the app does not use the bundled Postgres",
            "use the backups of that database's provider, or pg_dump",
            code="database-not-bundled",
        )
    project.require_installed()
    return project.engine.operations.inside(DATABASE, ["sh", "-c", AS_THE_APP if login else AS_OWNER, program, *options], terminal=terminal)


def named(project: Project, key: str) -> DatabaseUrl | None:
    """Return the database that `.env` names under a key, or under its only one; None: the bundled one.

    Raises InputError for a key that names none, and where several could be meant.
    """
    known = dict(databases(project.settings, project.env))
    if key:
        if key not in known:
            raise InputError(f"{key} in .env names no database{meant(key, known)}", _keys(known), code="key-unknown")
        return known[key]
    if len(known) > 1:
        raise InputError("the app has several databases", f"--key with {_keys(known)}", code="key-unknown")
    return next(iter(known.values()), None)


def _keys(known: Sequence[str] | dict[str, DatabaseUrl]) -> str:
    return f"one of: {', '.join(known) or 'none, the database is the bundled Postgres'}"


def environment(url: DatabaseUrl) -> dict[str, str | None]:
    """Return libpq's variables for a database. The password is in the environment of one program, which only its user can read."""
    parts = {"PGHOST": url.host, "PGPORT": str(url.port or ""), "PGUSER": url.user, "PGPASSWORD": url.password, "PGDATABASE": url.database}
    parts |= {PARAMETERS[name]: value for name, value in url.parameters.items() if name in PARAMETERS}
    return {**parts, "PGSSLMODE": url.ssl_mode if url.parameters.get("channel_binding") != "require" else parts.get("PGSSLMODE", "require")}
