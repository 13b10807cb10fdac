"""Bring the database's schema up to date: `python -m todo_backend.migrate`.

Waits for the database, so that it can be an init container; safe to run at the same time from several pods, and again.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path

import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, wait_exponential_jitter

from todo_backend.database import describe_failure, parse_database_url
from todo_backend.database_url import DatabaseUrlError
from todo_backend.logs import configure_logs
from todo_backend.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

# Any constant will do; it only has to differ from the locks of others in the same database.
_LOCK = 0x70D0


class MigrationError(Exception):
    """The schema is not up to date; the message names the cause."""


async def migrate(engine: AsyncEngine, patience: float) -> None:
    """Apply every migration that the database lacks, waiting up to `patience` seconds for it to answer.

    Raises:
        MigrationError: the database did not answer in time, or a migration failed. Nothing was changed.
    """
    attempts = AsyncRetrying(
        retry=retry_if_exception(_worth_waiting_for),
        stop=stop_after_delay(patience),
        wait=wait_exponential_jitter(initial=0.5, max=5),
        before_sleep=_log_wait,
        reraise=True,
    )
    try:
        await attempts(_upgrade, engine)
    except Exception as error:
        outage = describe_failure(error)
        raise MigrationError(outage[1] if outage else f"migration failed: {_first_line(error)}") from error


async def _upgrade(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        # A transaction's lock, not a session's: behind a transaction pooler a session is not ours to keep.
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_run_alembic)


def _run_alembic(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _worth_waiting_for(error: BaseException) -> bool:
    outage = describe_failure(error)
    return outage is not None and outage[1] not in ("authentication failed", "the database does not exist")


def _log_wait(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    outage = describe_failure(error) if error else None
    logger.info("waiting for the database", extra={"reason": outage[1] if outage else None})


def _first_line(error: BaseException) -> str:
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig else error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


async def _main(settings: Settings) -> None:
    target = parse_database_url(settings.database_url.get_secret_value())
    engine = target.engine(poolclass=pool.NullPool)
    try:
        await migrate(engine, settings.migrate_timeout_seconds)
    finally:
        await engine.dispose()


def main() -> int:
    """Run the migrations with the settings of the environment; return the exit code."""
    try:
        settings = Settings.from_environment(os.environ)
        configure_logs(settings.log_level)
        asyncio.run(_main(settings))
    except (SettingsError, DatabaseUrlError, MigrationError) as error:
        what = "DATABASE_URL " if isinstance(error, DatabaseUrlError) else ""
        print(f"error: {what}{error}", file=sys.stderr)
        return 1
    print("the schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
