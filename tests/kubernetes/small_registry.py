"""An image registry in memory: what `docker push` needs of the distribution specification, and nothing else."""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BLOB = re.compile(r"/v2/(?P<name>.+)/blobs/(?P<digest>sha256:[0-9a-f]{64})$")
UPLOAD = re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<id>[^?]*)")
MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<tag>[^?]+)$")


class Registry(ThreadingHTTPServer):
    """Blobs and manifests by digest, manifests by name and tag as well, and the bytes of layers that came in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.blobs: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.received = 0

    @property
    def address(self) -> str:
        return f"localhost:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Registry

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), "Docker-Distribution-Api-Version": "registry/2.0", **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def do_GET(self) -> None:
        if self.path == "/v2/":
            return self.answer(200, b"{}")
        if (match := BLOB.match(self.path)) and match["digest"] in self.server.blobs:
            return self.answer(200, self.server.blobs[match["digest"]], Docker_Content_Digest=match["digest"])
        if (match := MANIFEST.match(self.path)) and (found := self.server.manifests.get((match["name"], match["tag"]))):
            return self.answer(200, found[1], Content_Type=found[0], Docker_Content_Digest=digest(found[1]))
        unknown = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'
        return self.answer(404, unknown, Content_Type="application/json")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        upload = uuid.uuid4().hex
        self.server.uploads[upload] = b""
        self.answer(202, Location=f"{self.path.split('?')[0]}{upload}", Docker_Upload_UUID=upload, Range="0-0")

    def do_PATCH(self) -> None:
        match = UPLOAD.match(self.path)
        data = self.body()
        self.server.received += len(data)
        self.server.uploads[match["id"]] += data
        self.answer(202, Location=self.path, Range=f"0-{len(self.server.uploads[match['id']]) - 1}", Docker_Upload_UUID=match["id"])

    def do_PUT(self) -> None:
        if match := UPLOAD.match(self.path):
            data = self.server.uploads.pop(match["id"]) + self.body()
            self.server.blobs[digest(data)] = data
        else:
            match = MANIFEST.match(self.path)
            data = self.body()
            for tag in (match["tag"], digest(data)):
                self.server.manifests[match["name"], tag] = (self.headers["Content-Type"], data)
        self.answer(201, Location=self.path, Docker_Content_Digest=digest(data))


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Registry]:
    """A registry on a free port of the loopback address, while the block runs; with a certificate (and its key in one file) by TLS."""
    with Registry() as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
