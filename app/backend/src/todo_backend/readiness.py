"""What /ready says: the outcome of the last real database operation, never a query of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from prometheus_client import Gauge
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

logger = logging.getLogger(__name__)


class Readiness:
    """Whether this process should get requests, and if not, why."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._database_problem: str | None = "the database has not answered yet"
        self._stopping = False
        self._database_lost = asyncio.Event()
        self._database_lost.set()
        gauge.set(0)

    @property
    def reason(self) -> str | None:
        """Why the process is not ready, or None when it is."""
        return "shutting down" if self._stopping else self._database_problem

    @property
    def is_stopping(self) -> bool:
        """Whether the process is shutting down."""
        return self._stopping

    def database_answered(self) -> None:
        """Note that the database did what it was asked."""
        self._database_problem = None
        self._database_lost.clear()
        self._gauge.set(self.reason is None)

    def database_failed(self, reason: str) -> None:
        """Note that an operation failed for lack of the database."""
        self._database_problem = reason
        self._database_lost.set()
        self._gauge.set(0)

    def stop(self) -> None:
        """Note that the process is shutting down; there is no way back."""
        self._stopping = True
        self._gauge.set(0)

    async def database_is_lost(self) -> None:
        """Return as soon as the database is known not to answer."""
        await self._database_lost.wait()


async def find_database(
    readiness: Readiness, check: Callable[[], Awaitable[object]], unavailable: type[Exception]
) -> None:
    """Connect at start and after every loss, with backoff; between losses query nothing, so that Neon may sleep.

    Without this an unready pod would stay so forever: it gets no request that could find the database back.
    Runs until cancelled. `check` asks the database once and raises `unavailable` when that fails.
    """
    while True:
        await readiness.database_is_lost()
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(unavailable), wait=wait_exponential_jitter(initial=0.2, max=15)
        ):
            with attempt:
                await check()
        logger.info("database answered")
