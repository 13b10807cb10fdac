"""What every request passes: its id, access log and metrics; the token; the headers of every answer."""

import hmac
import json
import logging
import re
import time
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_backend.logs import request_id
from todo_backend.metrics import Metrics
from todo_backend.readiness import Readiness

logger = logging.getLogger("todo_backend.access")

MCP_PATH = "/mcp"
_PROBES = ("/health", "/ready", "/metrics")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class RequestScope:
    """Give each request an id, count and time it, log it in one line, and answer 500 when all else failed.

    While the process is shutting down, every answer asks the client to use another connection from now on.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, readiness: Readiness) -> None:
        self._app = app
        self._metrics = metrics
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(identity)
        status = 0
        started = time.monotonic()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = identity
                for name, value in _SECURITY_HEADERS.items():
                    headers[name] = value
                if self._readiness.is_stopping:
                    headers["Connection"] = "close"
            await send(message)

        counted = scope["path"] not in _PROBES
        if counted:
            self._metrics.http_in_flight.inc()
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            logger.exception("unexpected error")
            if status:  # the answer has begun; closing the connection is the only way to say that it is broken
                raise
            await _send_json(send_with_headers, 500, {"detail": f"internal error; request id {identity}"})
        finally:
            if counted:
                self._metrics.http_in_flight.dec()
                self._record(scope, status, time.monotonic() - started)
            request_id.reset(token)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        handler = _handler(scope)
        # Status 0: the client went away before there was an answer.
        self._metrics.http_requests.labels(method, handler, f"{status // 100}xx" if status else "aborted").inc()
        self._metrics.http_duration.labels(method, handler).observe(seconds)
        fields = {"method": method, "handler": handler, "status": status, "seconds": round(seconds, 4)}
        logger.info("request", extra=fields)


class BearerToken:
    """Refuse requests to the guarded paths that do not carry one of the tokens, before their body is read."""

    def __init__(self, app: ASGIApp, tokens: tuple[str, ...], guarded: tuple[str, ...]) -> None:
        self._app = app
        self._expected = [f"Bearer {token}".encode() for token in tokens]
        self._guarded = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] != "http" or not self._is_guarded(scope["path"]):
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if any(hmac.compare_digest(given, expected) for expected in self._expected):
            await self._app(scope, receive, send)
        else:
            headers = {"www-authenticate": "Bearer"}
            await _send_json(send, 401, {"detail": "a valid bearer token is required"}, headers)

    def _is_guarded(self, path: str) -> bool:
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in self._guarded)


def _handler(scope: Scope) -> str:
    """Return the template of the route that answered; never the path, which a user typed."""
    if scope["path"] == MCP_PATH:  # its route is Starlette's, which leaves no template behind
        return MCP_PATH
    route: Any = scope.get("route")
    return getattr(route, "path", "") or "unmatched"


async def _send_json(send: Send, status: int, body: dict[str, str], headers: dict[str, str] | None = None) -> None:
    content = json.dumps(body).encode()
    lines = {"content-type": "application/json", "content-length": str(len(content))} | (headers or {})
    raw = [(name.encode(), value.encode()) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
