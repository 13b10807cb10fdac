"""Health, readiness and metrics: what the platform asks."""

import asyncio
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from todo_backend.database import Database, DatabaseUnavailableError
from todo_backend.metrics import Metrics
from todo_backend.readiness import Readiness

DEEP_CHECK_TIMEOUT = 5.0  # seconds
READ_ONLY = "the database is read-only"
_OWN_REVISIONS = sorted(
    file.stem.partition("_")[0] for file in (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py")
)


def _set_back(stamp: str) -> str:
    newest = _OWN_REVISIONS[-1]
    return (
        f"alembic_version says {stamp}, and the tables are those of {newest}: the next start would migrate them again."
        f" Set alembic_version.version_num to '{newest}' again"
    )


class Status(BaseModel):
    """The process can do its work."""

    status: Literal["ok"] = "ok"


class NotReady(BaseModel):
    """The process cannot do its work now, and why."""

    status: Literal["unavailable"] = "unavailable"
    reason: str


def probe_routes(database: Database, readiness: Readiness, metrics: Metrics) -> APIRouter:
    """Make the routes that Kubernetes and Prometheus ask."""
    router = APIRouter(tags=["probes"])

    @router.get("/health")
    async def health() -> Status:
        """Whether the process runs its event loop; nothing outside the process counts."""
        return Status()

    @router.get("/ready", response_model=Status, responses={503: {"model": NotReady}})
    async def ready(deep: bool = False) -> Status | JSONResponse:
        """Whether requests should come here; `deep` asks the database now instead of remembering."""
        if deep:
            try:
                async with asyncio.timeout(DEEP_CHECK_TIMEOUT):
                    stamp = await database.check()
                    if not await database.takes_writes():  # it serves what reads: no reason to take the pod out
                        return JSONResponse(NotReady(reason=READ_ONLY).model_dump(), status_code=503)
                    if stamp in _OWN_REVISIONS[:-1]:
                        return JSONResponse(NotReady(reason=_set_back(stamp)).model_dump(), status_code=503)
            except DatabaseUnavailableError:
                pass  # readiness knows why
            except TimeoutError:
                readiness.database_failed("timed out (egress blocked?)")
        if readiness.reason is None:
            return Status()
        return JSONResponse(NotReady(reason=readiness.reason).model_dump(), status_code=503)

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def expose_metrics() -> Response:
        """Return the process's metrics in the text format of Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
