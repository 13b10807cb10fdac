"""Requests to a Service through the API server's proxy: the answer's real status and body, with no port opened."""

from __future__ import annotations

import http.client
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.desired.helm_release import service_name
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.service_client import Answer, ServiceClient, send

START_SECONDS = 15


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@contextmanager
def open_client(cluster: Cluster) -> Iterator[ServiceClient]:
    """Yield a way to ask port `http` of the release's Services while the block runs.

    `kubectl proxy` on a socket in a private folder knows the kubeconfig's authentication, and lives as long as the block.
    Raises TaskError when it does not start.
    """
    services = f"/api/v1/namespaces/{cluster.namespace}/services/"
    with tempfile.TemporaryDirectory(prefix="todo-") as folder:
        listen = Path(folder) / "proxy"

        def ask(service: str, method: str, path: str, body: str | None = None, timeout: float = 10) -> Answer:
            proxied = f"{services}{service_name(cluster.release, service)}:http/proxy"
            return send(_Connection(listen, timeout), service, method, path, body, proxied)

        with _serving(cluster.kubectl_argv("proxy", f"--unix-socket={listen}", f"--accept-paths=^{services}"), cluster):
            yield ask


@contextmanager
def _serving(argv: Sequence[str], cluster: Cluster) -> Iterator[None]:
    serving = threading.Event()
    said: list[str] = []

    def take(line: str) -> None:
        said.append(line)
        if line.startswith("Starting to serve"):
            serving.set()

    with shell.background(argv, env=cluster.environment, on_line=take) as running:
        deadline = time.monotonic() + START_SECONDS
        while not serving.wait(0.05) and running() and time.monotonic() < deadline:
            pass
        if not serving.is_set():
            raise TaskError("the services cannot be asked: `kubectl proxy` does not start", "invoke doctor", said)
        yield
