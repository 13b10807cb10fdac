"""Put the parts together."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from mcp import Client
from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import Route

from todo_backend import __version__
from todo_backend.answers import Answers
from todo_backend.assistant import Assistant, LazyAssistant
from todo_backend.chat import Chat
from todo_backend.clock import Clock
from todo_backend.conversations import ConversationNotFoundError, Conversations
from todo_backend.database import Database, DatabaseUnavailableError, database_target
from todo_backend.metrics import Metrics
from todo_backend.middleware import MCP_PATH, BearerToken, RequestScope
from todo_backend.probes import probe_routes
from todo_backend.readiness import Readiness, find_database
from todo_backend.routes import chat_routes, parse_routes, todo_routes
from todo_backend.rules_assistant import RulesAssistant
from todo_backend.schemas import Info
from todo_backend.settings import Settings
from todo_backend.todos import TodoNotFoundError, Todos
from todo_backend.tools import todo_server
from todo_backend.undo import ChangedSinceError, ChangeNotFoundError, Undo

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Make the app for these settings; `app.state.readiness` is for whoever learns of a shutdown first.

    The clock is the system's unless one is given.

    Raises:
        DatabaseUrlError: DATABASE_URL cannot be used.
    """
    metrics = Metrics()
    readiness = Readiness(metrics.ready)
    database = Database(database_target(settings), metrics, readiness)
    clock = clock or Clock()
    todos = Todos(database)
    undo = Undo(database)
    conversations = Conversations(database)
    tools = todo_server(todos, metrics)
    tools_over_http = tools.streamable_http_app(
        streamable_http_path=MCP_PATH,
        stateless_http=True,  # any replica can answer the next call
        max_request_body_size=MAX_BODY_BYTES,
        # The Host header differs in every cluster; the token is what keeps strangers out.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    tools_in_memory = Client(todo_server(todos, metrics, trusts_change=True))
    assistant = _assistant(settings, metrics)
    chat = Chat(
        conversations, assistant, tools_in_memory, undo, clock, metrics, timeout_seconds=settings.chat_timeout_seconds
    )
    answers = Answers()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        searching = asyncio.create_task(find_database(readiness, database.check, DatabaseUnavailableError))
        try:
            async with tools.session_manager.run(), tools_in_memory:
                yield
                await answers.finish()
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
    info = Info(version=__version__, assistant=assistant.name, model=assistant.model)
    app.include_router(todo_routes(todos, info))
    app.include_router(parse_routes(clock))
    app.include_router(chat_routes(chat, conversations, answers, undo))
    # POST alone: without sessions there is nothing that a GET could wait for, and it would wait through a shutdown.
    handler = cast(Route, tools_over_http.routes[0]).endpoint
    app.router.routes.append(Route(MCP_PATH, handler, methods=["POST"]))
    _add_error_answers(app)
    if token := settings.api_token.get_secret_value():
        also = settings.api_token_also.get_secret_value()
        app.add_middleware(BearerToken, tokens=(token, also) if also else (token,), guarded=("/api", MCP_PATH))
    else:
        logger.warning("API_TOKEN is empty: /api and /mcp are open to everyone who can reach this port")
    app.add_middleware(RequestScope, metrics=metrics, readiness=readiness)
    return app


def _assistant(settings: Settings, metrics: Metrics) -> Assistant:
    if not (key := settings.gemini_api_key.get_secret_value()):
        return RulesAssistant()

    def load() -> Assistant:
        # Imported here, since the SDK costs memory and half a second.
        from todo_backend.gemini_assistant import GeminiAssistant

        return GeminiAssistant(
            key,
            settings.gemini_model,
            metrics,
            timeout_seconds=settings.gemini_timeout_seconds,
            base_url=settings.gemini_base_url,
        )

    return LazyAssistant("gemini", settings.gemini_model, load)


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(TodoNotFoundError)
    async def not_found(_: Request, _error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "there is no todo with this id"}, 404)

    @app.exception_handler(ConversationNotFoundError)
    async def no_conversation(_: Request, _error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "there is no conversation with this id"}, 404)

    @app.exception_handler(ChangeNotFoundError)
    async def no_change(_: Request, _error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "there is no change with this id"}, 404)

    @app.exception_handler(ChangedSinceError)
    async def changed_since(_: Request, error: ChangedSinceError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 409)

    @app.exception_handler(DatabaseUnavailableError)
    async def unavailable(_: Request, error: DatabaseUnavailableError) -> JSONResponse:
        detail = f"the database does not answer: {error.reason}"
        return JSONResponse({"detail": detail}, 503, headers={"Retry-After": "5"})

    @app.exception_handler(405)
    async def wrong_method(request: Request, _error: Exception) -> JSONResponse:
        # Starlette names the methods of the first route on this path; there is a route for each method.
        path = getattr(request.scope.get("route"), "path", "")
        allowed = sorted(method.upper() for method in app.openapi()["paths"].get(path, {"post": {}}))
        return JSONResponse({"detail": "Method Not Allowed"}, 405, headers={"Allow": ", ".join(allowed)})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input: it may be large, secret, or text that UTF-8 cannot carry.
        detail = [{key: problem[key] for key in ("loc", "msg", "type")} for problem in error.errors()]
        return JSONResponse({"detail": detail}, 422)
