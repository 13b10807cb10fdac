"""A model of a test: it speaks OpenAI's and Gemini's protocol on a port of this machine, and says what it was told to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Run:
    """A turn in which the model asks for a command."""

    command: str
    tool: str = "kubectl"


@dataclass(frozen=True)
class Fail:
    """A turn that ends with a status of HTTP."""

    status: int
    message: str


Turn = str | Run | Fail | None
"""Words, a command, a failure, or None: no answer at all."""


@dataclass
class Model:
    """What it says, turn by turn, the last one again and again, and what it was sent."""

    turns: Sequence[Turn]
    address: str = ""
    heard: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def model(*turns: Turn) -> Iterator[Model]:
    """Serve a model while the block runs."""
    told = Model(turns)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.heard.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            told.keys.append(self.headers.get("x-goog-api-key") or self.headers.get("Authorization", "").removeprefix("Bearer "))
            turn = told.turns[min(len(told.heard), len(told.turns)) - 1]
            if turn is None:
                told.ended.wait(60)
                return
            if isinstance(turn, Fail):
                self._answer(turn.status, "application/json", json.dumps({"error": {"message": turn.message, "code": turn.status}}))
                return
            said = _gemini(turn) if "generativelanguage" in self.path or "streamGenerateContent" in self.path else _openai(turn)
            self._answer(200, "text/event-stream", "".join(f"data: {each}\n\n" for each in said))

        def _answer(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    told.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield told
    finally:
        told.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _openai(turn: str | Run) -> list[str]:
    delta: dict[str, Any] = {"role": "assistant", "content": turn}
    if isinstance(turn, Run):
        call = {"name": turn.tool, "arguments": json.dumps({"command": turn.command, "modifies_resource": "no"})}
        delta = {"role": "assistant", "tool_calls": [{"index": 0, "id": "call-1", "type": "function", "function": call}]}
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "test"}
    ends = "tool_calls" if isinstance(turn, Run) else "stop"
    choices = [{"index": 0, "delta": delta, "finish_reason": None}, {"index": 0, "delta": {}, "finish_reason": ends}]
    return [*(json.dumps({**head, "choices": [choice]}) for choice in choices), "[DONE]"]


def _gemini(turn: str | Run) -> list[str]:
    part: dict[str, Any] = {"text": turn}
    if isinstance(turn, Run):
        part = {"functionCall": {"name": turn.tool, "args": {"command": turn.command, "modifies_resource": "no"}}}
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}
    return [json.dumps({"candidates": [candidate]})]
