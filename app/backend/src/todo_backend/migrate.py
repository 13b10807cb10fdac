"""Bring the database's schema up to date: `python -m todo_backend.migrate`.

Waits for the database, so that it can be an init container; safe to run at the same time from several pods, and again.
"""

import asyncio
import logging
import os
import re
import sys
from pathlib import Path

import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, wait_exponential_jitter

from todo_backend.database import database_target, describe_failure, querying
from todo_backend.database_url import DatabaseUrlError
from todo_backend.logs import configure_logs
from todo_backend.settings import Settings, SettingsError
from todo_backend.tables import metadata

logger = logging.getLogger(__name__)

# Any constant will do; it only has to differ from the locks of others in the same database.
_LOCK = 0x70D0
_ANOTHERS = (
    "this database belongs to another application: its alembic_version is {!r}. Nothing was changed."
    " Set DATABASE_URL to a database of its own, for instance with CREATE DATABASE todo"
)
_LASTING = ("authentication failed", "login refused", "the database does not exist")
_DROPPED = "the table todos is gone from this database: somebody has dropped it. Restore a backup (invoke restore FILE)"


class MigrationError(Exception):
    """The schema is not up to date; the message names the cause."""


async def migrate(engine: AsyncEngine, patience: float) -> str:
    """Apply every migration that the database lacks, waiting up to `patience` seconds for it to answer; say what is.

    Raises:
        MigrationError: the database did not answer in time, is not ours, or a migration failed. Nothing was changed.
    """
    attempts = AsyncRetrying(
        retry=retry_if_exception(_worth_waiting_for),
        stop=stop_after_delay(patience),
        wait=wait_exponential_jitter(initial=0.5, max=5),
        before_sleep=_log_wait,
        reraise=True,
    )
    try:
        return await attempts(_upgrade, engine)
    except MigrationError:
        raise
    except Exception as error:
        outage = describe_failure(error)
        raise MigrationError(outage[1] if outage else f"migration failed: {_first_line(error)}") from error


async def _upgrade(engine: AsyncEngine) -> str:
    async with engine.begin() as connection:
        # A transaction's lock, not a session's: behind a transaction pooler a session is not ours to keep.
        with querying():
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            return await connection.run_sync(_run_alembic)


def _run_alembic(connection: Connection) -> str:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    revision = _revision_of(connection)
    if revision is None:
        _refuse_strangers(connection)
    elif not sqlalchemy.inspect(connection).has_table("todos"):
        raise MigrationError(_DROPPED if revision in known and _ours_in(connection) else _ANOTHERS.format(revision))
    elif revision not in known:
        return _accept_unknown(connection, revision, max(known))
    command.upgrade(config, "head")
    return "the schema is up to date"


def _revision_of(connection: Connection) -> str | None:
    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return None
    revisions = list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    return revisions[0] if revisions else None


def _accept_unknown(connection: Connection, revision: str, newest: str) -> str:
    """Serve with the schema of a later version or another branch: migrations only add, so all that we need is there.

    Raises:
        MigrationError: it is another application's, or something that this version needs is gone.
    """
    if 2 * len(_ours_in(connection)) <= len(metadata.tables):  # such as one table `todos` alone
        raise MigrationError(_ANOTHERS.format(revision))
    is_newer = re.fullmatch(r"\d{4}", revision) and revision > newest
    at = f"the schema is at revision {revision}, " + (
        f"newer than this version's {newest}" if is_newer else f"which this version, at {newest}, does not know"
    )
    if lacking := _lacking(connection):
        raise MigrationError(
            f"{at}, and lacks what it needs: {', '.join(lacking)}"
            f". Run a version that knows revision {revision}, or restore a backup from before it"
        )
    return f"{at}, and has all that it needs"


def _lacking(connection: Connection) -> list[str]:
    """Return our tables and columns that the database lacks, and its columns that we could not leave out."""
    inspector = sqlalchemy.inspect(connection)
    lacking: list[str] = []
    for table in metadata.sorted_tables:
        if not inspector.has_table(table.name):
            lacking.append(f"table {table.name}")
            continue
        there = {column["name"]: column for column in inspector.get_columns(table.name)}
        lacking += [f"column {table.name}.{column.name}" for column in table.columns if column.name not in there]
        lacking += [
            f"a default for column {table.name}.{name}"
            for name, column in there.items()
            if name not in table.columns
            and not column["nullable"]
            and column["default"] is None
            and not column.get("identity")
        ]
    return lacking


def _ours_in(connection: Connection) -> list[str]:
    """Return the tables in the database that have names of ours."""
    return sorted(set(sqlalchemy.inspect(connection).get_table_names()) & metadata.tables.keys())


def _refuse_strangers(connection: Connection) -> None:
    """Refuse a database with tables of our names that no migration of ours made.

    Raises:
        MigrationError: there are such tables.
    """
    if taken := _ours_in(connection):
        raise MigrationError(
            f"this database holds tables of another application with the names of ours: {', '.join(taken)}."
            " Nothing was changed. Set DATABASE_URL to a database of its own, for instance with CREATE DATABASE todo"
        )


def _worth_waiting_for(error: BaseException) -> bool:
    outage = describe_failure(error)
    return outage is not None and not outage[1].startswith(_LASTING)


def _log_wait(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    outage = describe_failure(error) if error else None
    logger.info("waiting for the database", extra={"reason": outage[1] if outage else None})


def _first_line(error: BaseException) -> str:
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig else error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


async def _main(settings: Settings) -> str:
    engine = database_target(settings).engine(poolclass=pool.NullPool)
    try:
        return await migrate(engine, settings.migrate_timeout_seconds)
    finally:
        await engine.dispose()


def main() -> int:
    """Run the migrations with the settings of the environment; return the exit code."""
    try:
        settings = Settings.from_environment(os.environ)
        configure_logs(settings.log_level)
        outcome = asyncio.run(_main(settings))
    except (SettingsError, DatabaseUrlError, MigrationError) as error:
        what = "DATABASE_URL " if isinstance(error, DatabaseUrlError) else ""
        print(f"error: {what}{error}", file=sys.stderr)
        return 1
    print(outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
