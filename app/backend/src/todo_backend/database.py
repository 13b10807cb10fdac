"""The database: how to connect to it, and one way to run an operation against it."""

import logging
import math
import re
import socket
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import asyncpg
import sqlalchemy.exc
from cryptography import x509
from sqlalchemy import URL, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from todo_backend import database_url
from todo_backend.database_url import DatabaseUrlError
from todo_backend.metrics import DatabaseErrorKind, Metrics
from todo_backend.readiness import Readiness
from todo_backend.settings import Settings
from todo_backend.tables import metadata

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

CONNECT_TIMEOUT = 15.0  # seconds; a suspended Neon compute may need several to wake
STATEMENT_TIMEOUT = 10.0
RETRY_FOR = 20.0  # a Postgres in a pod takes about 10 s to start again; whoever asks through the frontend waits 30 s
PING_AFTER = 5.0


class DatabaseUnavailableError(Exception):
    """The database did not do what it was asked, for a reason outside the request.

    `reason` is a short phrase for people; `repeatable` tells that nothing can have been committed.
    """

    def __init__(self, kind: DatabaseErrorKind, reason: str, *, repeatable: bool) -> None:
        super().__init__(reason)
        self.kind: DatabaseErrorKind = kind
        self.reason = reason
        self.repeatable = repeatable


class QueryTimeoutError(TimeoutError):
    """The database took the connection, and then a query got no answer in time: the network between is open."""


@contextmanager
def querying() -> Iterator[None]:
    """Tell a query that times out from a connection that does."""
    try:
        yield
    except TimeoutError as error:
        raise QueryTimeoutError from error


# A transaction pooler may give every transaction another server connection, so no prepared statement may outlive its
# transaction: no cache, and only the unnamed statement.
_UNPREPARED: dict[str, Any] = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}


@dataclass(frozen=True)
class DatabaseTarget:
    """Where and how to connect: a URL without parameters that asyncpg does not know, and what they meant."""

    url: URL
    tls: ssl.SSLContext | Literal["prefer", False]
    pooled: bool
    server_settings: dict[str, str]
    connect_timeout: float = CONNECT_TIMEOUT
    other_login: dict[str, str | None] | None = field(default=None, repr=False)
    """User and password for when the database refuses those of the URL."""

    def engine(self, **options: Any) -> AsyncEngine:
        """Make an engine for this target; `options` go to SQLAlchemy's `create_async_engine`."""
        connect: dict[str, Any] = {
            "ssl": self.tls,
            "timeout": self.connect_timeout,
            "command_timeout": STATEMENT_TIMEOUT,
            "server_settings": self.server_settings,
            "statement_cache_size": 0,
            # A name that no other process gives: behind a pooler that the URL does not tell, another's statement of the
            # same name would be run in place of ours.
            "prepared_statement_name_func": lambda: f"todo-{uuid.uuid4()}",
            **(_UNPREPARED if self.pooled else {}),
        }
        if self.other_login:
            connect["async_creator_fn"] = self._connect
        return create_async_engine(self.url, connect_args=connect, hide_parameters=True, **options)

    async def _connect(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await asyncpg.connect(*arguments, **options)
        except asyncpg.InvalidAuthorizationSpecificationError:
            return await asyncpg.connect(*arguments, **{**options, **(self.other_login or {})})


def database_target(settings: Settings) -> DatabaseTarget:
    """Return where and how to connect by the settings, with a second login where they have one.

    Of the second URL only user and password count, so it can lead to no other database.

    Raises:
        DatabaseUrlError: a URL is malformed or has a parameter that would be ignored.
    """
    target = parse_database_url(settings.database_url.get_secret_value())
    if not (also := settings.database_url_also.get_secret_value()):
        return target
    other = database_url.parse(also)
    return replace(target, other_login={"user": other.user, "password": other.password})


def parse_database_url(raw: str) -> DatabaseTarget:
    """Read a `postgres://` or `postgresql://` URL, with the parameters that Neon's console prints.

    Raises:
        DatabaseUrlError: the URL is malformed or has a parameter that would be ignored.
    """
    url = database_url.parse(raw)
    told = url.parameters
    passed_on = {key: told[key] for key in ("options",) if key in told}
    return DatabaseTarget(
        url=URL.create(
            "postgresql+asyncpg",
            username=url.user,
            password=url.password,
            host=url.host,
            port=url.port,
            database=url.database,
        ),
        tls=_tls(url.ssl_mode, told.get("sslrootcert")),
        pooled=url.pooled,
        server_settings={"application_name": told.get("application_name", "todo-backend")} | passed_on,
        connect_timeout=float(told.get("connect_timeout", 0)) or CONNECT_TIMEOUT,
    )


def _tls(mode: str, root: str | None) -> ssl.SSLContext | Literal["prefer", False]:
    """Turn libpq's `sslmode` and `sslrootcert` into what asyncpg takes.

    asyncpg cannot bind the channel, which proves that the TLS peer is the one that knows the password; a URL that asks
    for it has the mode `verify-full`, since verifying certificate and name gives the same assurance.
    """
    if mode == "disable":
        return False
    if mode in ("allow", "prefer"):
        return "prefer"
    try:
        context = ssl.create_default_context(cafile=None if root in (None, "system") else root)
    except (OSError, ssl.SSLError):
        raise DatabaseUrlError("names an sslrootcert that cannot be read") from None
    # libpq: `require` verifies the chain, but not the name, when a root certificate is given.
    context.check_hostname = mode == "verify-full"
    if mode == "require" and root is None:
        context.verify_mode = ssl.CERT_NONE
    return context


class Database:
    """The pool of connections, and how every operation uses it."""

    def __init__(self, target: DatabaseTarget, metrics: Metrics, readiness: Readiness) -> None:
        self._engine = target.engine(pool_size=5, max_overflow=5, pool_timeout=5, pool_recycle=240)
        self._metrics = metrics
        self._readiness = readiness
        pool: Any = self._engine.pool
        metrics.db_pool.labels("in_use").set_function(pool.checkedout)
        metrics.db_pool.labels("idle").set_function(pool.checkedin)
        self._unprepared = target.pooled
        event.listen(self._engine.sync_engine, "do_connect", self._connect_unprepared)
        event.listen(self._engine.sync_engine, "handle_error", self._find_pooler)
        event.listen(self._engine.sync_engine, "handle_error", _find_ended)
        event.listen(self._engine.sync_engine, "connect", self._note_certificate)
        event.listen(self._engine.sync_engine, "checkin", _note_rest)
        event.listen(self._engine.sync_engine, "checkout", self._ping_rested)

    async def run(
        self, operation: str, work: Callable[[AsyncConnection], Awaitable[Result]], *, reads: bool = False
    ) -> Result:
        """Run `work` in one transaction and commit it; repeat it from the start when the connection was lost.

        `operation` names it in the metrics. `work` may be called several times, so it must do nothing but SQL; one that
        only reads may be called again also when the connection was lost during COMMIT.

        Raises:
            DatabaseUnavailableError: the database did not answer in time, or went away during COMMIT.
        """
        attempts = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, DatabaseUnavailableError) and error.repeatable),
            stop=stop_after_delay(RETRY_FOR),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )
        started = time.monotonic()
        try:
            return await attempts(self._attempt, work, reads=reads)
        except DatabaseUnavailableError as error:
            logger.warning("database operation failed", extra={"operation": operation, "reason": error.reason})
            raise
        finally:
            self._metrics.db_duration.labels(operation).observe(time.monotonic() - started)

    async def check(self) -> str:
        """Ask the database once whether it answers and has been migrated; return the migration that it says it is at.

        Raises:
            DatabaseUnavailableError: it does not, or has not.
        """

        async def read_revision(connection: AsyncConnection) -> str:
            return str((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars().first())

        return await self._attempt(read_revision)

    async def takes_writes(self) -> bool:
        """Return whether a transaction may write: not on a standby, nor where `default_transaction_read_only` is set.

        Raises:
            DatabaseUnavailableError: it does not answer.
        """

        async def read_setting(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(text("SHOW transaction_read_only"))).scalar_one() != "on")

        return await self._attempt(read_setting, reads=True)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def _attempt(self, work: Callable[[AsyncConnection], Awaitable[Result]], *, reads: bool = False) -> Result:
        phase: Literal["connecting", "working", "committing"] = "connecting"
        try:
            async with self._engine.connect() as connection:
                phase = "working"
                with querying():
                    result = await work(connection)
                phase = "committing"
                with querying():
                    await connection.commit()
        except Exception as error:
            problem = describe_failure(error)
            if problem is None and phase != "connecting":
                raise
            kind, reason = problem or ("connect", "the database refuses connections")
            self._metrics.db_errors.labels(kind).inc()
            if not isinstance(error, sqlalchemy.exc.TimeoutError):  # a busy pool is no reason to take the pod out
                self._readiness.database_failed(reason)
            sent = phase == "committing" and not any(isinstance(link, _NEVER_SENT) for link in _chain(error))
            raise DatabaseUnavailableError(
                kind, reason, repeatable=(reads or not sent) and not _is_lasting(error)
            ) from error
        self._readiness.database_answered()
        return result

    def _find_pooler(self, context: ExceptionContext) -> None:
        """Take a lost prepared statement for a transaction pooler: replace all connections, and prepare none."""
        if any(isinstance(link, asyncpg.InvalidSQLStatementNameError) for link in _chain(context.original_exception)):
            context.is_disconnect = self._unprepared = True

    def _connect_unprepared(self, _dialect: object, _record: object, _arguments: object, named: dict[str, Any]) -> None:
        if self._unprepared:
            named.update(_UNPREPARED)

    def _ping_rested(self, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        """Have a connection replaced that was lost while it rested.

        SQLAlchemy's own pre-ping asks each time, with three round trips, also when the connection was just used.
        """
        if time.monotonic() - record.info.get("resting_since", math.inf) < PING_AFTER:
            return
        try:
            self._engine.dialect.do_ping(connection)
        except Exception as error:
            raise sqlalchemy.exc.DisconnectionError from error

    def _note_certificate(self, connection: Any, _record: object) -> None:
        transport = getattr(connection.driver_connection, "_transport", None)
        tls = transport.get_extra_info("ssl_object") if transport else None
        if certificate := tls.getpeercert(binary_form=True) if tls else None:
            expiry = x509.load_der_x509_certificate(certificate).not_valid_after_utc
            self._metrics.certificate_expires(expiry.timestamp())


def _find_ended(context: ExceptionContext) -> None:
    """Have a connection replaced that the database has ended between two queries: asyncpg only says that it is busy."""
    if any(isinstance(link, _NEVER_SENT) for link in _chain(context.original_exception)):
        context.is_disconnect = True


def _note_rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["resting_since"] = time.monotonic()


def describe_failure(error: BaseException) -> tuple[DatabaseErrorKind, str] | None:
    """Say what kind of outage `error` is, and its cause in a few words; None when it is no outage but a mistake."""
    for link in _chain(error):
        if isinstance(link, asyncpg.InterfaceError) and isinstance(link, ValueError):
            return None  # asyncpg's word for an argument that fits no column
        for types, kind, reason in _OUTAGES:
            if isinstance(link, types):
                return kind, _others_relation(link) or reason
    return None


def _others_relation(error: BaseException) -> str:
    """Say which relation is missing where none of ours is: somebody's trigger or view needs it."""
    found = _MISSING_RELATION.search(str(error)) if isinstance(error, asyncpg.UndefinedTableError) else None
    if found is None or found["name"].rpartition(".")[2] in (*metadata.tables, "alembic_version"):
        return ""
    return (
        f'relation "{found["name"]}" does not exist, and the app has none of that name: a trigger or a view asks for it'
    )


_MISSING_RELATION = re.compile(r'relation "(?P<name>[^"]+)" does not exist')


_OUTAGES: tuple[tuple[tuple[type[BaseException], ...], DatabaseErrorKind, str], ...] = (
    ((socket.gaierror,), "connect", "DNS name not found"),
    ((ssl.SSLError,), "connect", "TLS failed: the server's certificate could not be verified"),
    ((ConnectionRefusedError,), "connect", "connection refused"),
    ((asyncpg.InvalidPasswordError,), "connect", "authentication failed"),
    (
        (asyncpg.InvalidAuthorizationSpecificationError,),
        "connect",
        "login refused: pg_hba.conf has no line for it, or the role may not log in",
    ),
    ((asyncpg.InvalidCatalogNameError,), "connect", "the database does not exist"),
    ((asyncpg.CannotConnectNowError,), "connect", "the database is starting or stopping"),
    ((asyncpg.TooManyConnectionsError,), "connect", "too many connections"),
    ((asyncpg.InsufficientResourcesError,), "other", "the database is out of disk, memory or connections"),
    ((asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError), "other", "a file of the database is damaged"),
    ((asyncpg.PostgresSystemError, asyncpg.InternalServerError), "other", "the database has an internal error"),
    ((asyncpg.ReadOnlySQLTransactionError,), "connect", "the database is read-only"),
    ((asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError), "connect", "connection lost"),
    ((asyncpg.InvalidSQLStatementNameError,), "connect", "a pooler in between has changed the connection"),
    ((asyncpg.UndefinedTableError,), "other", "the tables do not exist: the migrations have not run"),
    ((asyncpg.TransactionRollbackError,), "conflict", "conflict with another transaction"),
    ((sqlalchemy.exc.TimeoutError,), "timeout", "every connection of the pool is busy"),
    ((QueryTimeoutError, asyncpg.QueryCanceledError), "timeout", "a query timed out (is a lock held?)"),
    ((TimeoutError,), "timeout", "timed out (egress blocked?)"),
    ((OSError, asyncpg.InterfaceError, asyncpg.InternalClientError), "connect", "connection lost"),
)

# asyncpg has sent nothing: a connection that the database has told of its end, between two queries, takes no other.
_NEVER_SENT = (asyncpg.InternalClientError,)


# What waiting a few seconds does not change.
_LASTING = (
    asyncpg.UndefinedTableError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
)


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _is_lasting(error: Exception) -> bool:
    return any(isinstance(link, _LASTING) for link in _chain(error))
