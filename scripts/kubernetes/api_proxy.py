"""HTTP through the API server, to a pod or a Service: the answer's real status and body, with no port opened."""

from __future__ import annotations

import http.client
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.kubernetes.cluster import Cluster

START_SECONDS = 15
LONGEST_SOCKET = 104
"""Bytes of the path of a socket, with the NUL at its end: macOS takes 104, Linux 108."""

Connect = Callable[[float], http.client.HTTPConnection]
"""Makes a connection with a timeout in seconds."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def collection(cluster: Cluster, resource: str) -> str:
    """Return the API server's path of the namespace's `pods` or `services`."""
    return f"/api/v1/namespaces/{cluster.namespace}/{resource}/"


@contextmanager
def serving(cluster: Cluster, path: str) -> Iterator[Connect]:
    """Yield what connects to the API server for requests below this path, and no others, while the block runs.

    `kubectl proxy` on a socket in a private folder knows the kubeconfig's authentication, and lives as long as the block.
    Raises TaskError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="todo-", dir=_short_folder()) as folder:
        listen = Path(folder) / "proxy"
        argv = cluster.kubectl_argv("proxy", f"--unix-socket={listen}", f"--accept-paths=^{path}")
        with _running(argv, cluster):
            yield lambda timeout: _Connection(listen, timeout)


def _short_folder() -> str | None:
    """Where sockets go: the usual place for temporary files, or /tmp where that makes paths too long for a socket."""
    return None if len(os.fsencode(tempfile.gettempdir())) < LONGEST_SOCKET - len("/todo-xxxxxxxx/proxy") else "/tmp"  # noqa: S108


@contextmanager
def _running(argv: Sequence[str], cluster: Cluster) -> Iterator[None]:
    ready = threading.Event()
    said: list[str] = []

    def take(line: str) -> None:
        said.append(line)
        if line.startswith("Starting to serve"):
            ready.set()

    with shell.background(argv, env=cluster.environment, on_line=take) as running:
        deadline = time.monotonic() + START_SECONDS
        while not ready.wait(0.05) and running() and time.monotonic() < deadline:
            pass
        if not ready.is_set():
            raise TaskError("the services cannot be reached: `kubectl proxy` does not start", "invoke doctor", said, code="cluster-silent")
        yield
