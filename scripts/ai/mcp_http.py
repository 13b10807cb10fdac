"""Our MCP server over HTTP: on the loopback address alone, and for nobody without the token."""

from __future__ import annotations

import hmac
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer

from scripts.core.errors import InputError
from scripts.core.redaction import redact

HOST = "127.0.0.1"
TOKEN = "MCP_TOKEN"  # noqa: S105 - the variable's name
SHORTEST = 16
GRACE_SECONDS = 2

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


def token() -> tuple[str, bool]:
    """Return the token that clients must show, and whether it was made for this run. Raises InputError for one that can be guessed."""
    given = os.environ.get(TOKEN, "")
    if given and len(given) < SHORTEST:
        raise InputError(f"{TOKEN} has fewer than {SHORTEST} characters", f"unset {TOKEN}: one is made for each run")
    wanted = given or secrets.token_urlsafe(32)
    redact.learn(wanted)
    return wanted, not given


def listen(port: int) -> socket.socket:
    """Take the port of the loopback address. Raises InputError where that cannot be."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((HOST, port))
    except (OSError, OverflowError) as error:
        taken.close()
        reason = error.strerror if isinstance(error, OSError) else "it is not a port"
        raise InputError(f"--port {port}: {reason}", "choose another, from 1024 to 65535") from None
    return taken


def serve(server: MCPServer[Any], taken: socket.socket, wanted: str) -> None:
    """Serve until an interrupt, and raise it: KeyboardInterrupt."""
    app = only_with(wanted, server.streamable_http_app(host=HOST))
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS)
    serving = uvicorn.Server(config)
    serving.run(sockets=[taken])
    if serving.should_exit:  # it was told to end; uvicorn raises that again by itself, but for a moment in which it does not
        raise KeyboardInterrupt


def only_with(wanted: str, app: App) -> App:
    """Let requests through that show the token; answer 401 to others."""
    expected = f"Bearer {wanted}".encode()

    async def guarded(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        shown = dict(scope.get("headers") or ()).get(b"authorization", b"")
        if scope["type"] != "http" or hmac.compare_digest(shown, expected):
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Bearer")]})
        await send({"type": "http.response.body", "body": b""})

    return guarded
