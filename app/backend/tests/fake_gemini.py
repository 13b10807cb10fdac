"""A stand-in for Gemini's HTTP API at the process boundary: it answers with prepared replies in the real wire shape."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Chunk = dict[str, object]


@dataclass
class Reply:
    """One HTTP answer: chunks of a stream, or raw bytes with a status."""

    chunks: list[Chunk] = field(default_factory=list)
    status: int = 200
    raw: bytes | None = None
    delay: float = 0


def speak(*texts: str, prompt: int = 10, completion: int = 5) -> Reply:
    usage = {"promptTokenCount": prompt, "candidatesTokenCount": completion, "totalTokenCount": prompt + completion}
    chunks = [_chunk([{"text": text}]) for text in texts]
    chunks[-1] |= {"usageMetadata": usage}
    chunks[-1]["candidates"][0]["finishReason"] = "STOP"
    return Reply(chunks)


def call(*calls: tuple[str, dict]) -> Reply:
    parts = [{"functionCall": {"name": name, "args": args}, "thoughtSignature": "c2lnbmF0dXJl"} for name, args in calls]
    return Reply([_chunk(parts)])


def fail(status: int, message: str, code: str) -> Reply:
    body = {"error": {"code": status, "message": message, "status": code}}
    return Reply(status=status, raw=json.dumps(body).encode())


def _chunk(parts: list[dict]) -> Chunk:
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}], "modelVersion": "fake"}


class FakeGemini:
    """Answers one reply a request, the last one again and again, and keeps what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.replies: list[Reply] = []
        self.requests: list[dict] = []
        self.paths: list[str] = []
        self.keys: list[str] = []

    def next_reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def tool_results(self) -> list[dict]:
        parts = [part for content in self.requests[-1]["contents"] for part in content["parts"]]
        return [part["functionResponse"]["response"] for part in parts if "functionResponse" in part]


@contextmanager
def fake_gemini() -> Iterator[FakeGemini]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fake.requests.append(json.loads(body))
            fake.paths.append(self.path)
            fake.keys.append(self.headers["x-goog-api-key"])
            reply = fake.next_reply()
            time.sleep(reply.delay)
            content = reply.raw
            if content is None:
                content = b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in reply.chunks)
            self.send_response(reply.status)
            self.send_header("Content-Type", "text/event-stream" if reply.raw is None else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):  # the client may not have wanted to wait
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake = FakeGemini(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
