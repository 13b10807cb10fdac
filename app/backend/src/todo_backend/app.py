"""Put the parts together."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from todo_backend import __version__
from todo_backend.database import Database, DatabaseUnavailableError, parse_database_url
from todo_backend.metrics import Metrics
from todo_backend.middleware import BearerToken, RequestScope
from todo_backend.probes import probe_routes
from todo_backend.readiness import Readiness, find_database
from todo_backend.routes import todo_routes
from todo_backend.schemas import Info
from todo_backend.settings import Settings
from todo_backend.todos import TodoNotFoundError, Todos

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024


def create_app(settings: Settings) -> FastAPI:
    """Make the app for these settings; `app.state.readiness` is for whoever learns of a shutdown first.

    Raises:
        DatabaseUrlError: DATABASE_URL cannot be used.
    """
    metrics = Metrics()
    readiness = Readiness(metrics.ready)
    database = Database(parse_database_url(settings.database_url.get_secret_value()), metrics, readiness)
    todos = Todos(database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        searching = asyncio.create_task(find_database(readiness, database.check, DatabaseUnavailableError))
        try:
            yield
        finally:
            readiness.stop()
            searching.cancel()
            with suppress(asyncio.CancelledError):
                await searching
            await database.close()

    app = FastAPI(
        title="Todo Chatbot",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        max_body_size=MAX_BODY_BYTES,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.readiness = readiness
    app.include_router(probe_routes(database, readiness, metrics))
    app.include_router(todo_routes(todos, Info(version=__version__, assistant="rules", model=None)))
    _add_error_answers(app)
    if token := settings.api_token.get_secret_value():
        app.add_middleware(BearerToken, token=token, guarded=("/api", "/mcp"))
    else:
        logger.warning("API_TOKEN is empty: /api and /mcp are open to everyone who can reach this port")
    app.add_middleware(RequestScope, metrics=metrics)
    return app


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(TodoNotFoundError)
    async def not_found(_: Request, _error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "there is no todo with this id"}, 404)

    @app.exception_handler(DatabaseUnavailableError)
    async def unavailable(_: Request, error: DatabaseUnavailableError) -> JSONResponse:
        detail = f"the database does not answer: {error.reason}"
        return JSONResponse({"detail": detail}, 503, headers={"Retry-After": "5"})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input: it may be large, secret, or text that UTF-8 cannot carry.
        detail = [{key: problem[key] for key in ("loc", "msg", "type")} for problem in error.errors()]
        return JSONResponse({"detail": detail}, 422)
