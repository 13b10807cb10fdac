"""Requests to a Service through the API server's proxy: the answer's real status and body, with no port opened."""

from __future__ import annotations

import http.client
import socket
import tempfile
import threading
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.engines.cluster import Cluster
from scripts.engines.protocol import Answer

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


def request(cluster: Cluster, service: str, method: str, path: str, body: str | None, timeout: float) -> Answer:
    """Send one request to port `http` of a Service in the cluster's namespace.

    `kubectl proxy` on a socket in a private folder knows the kubeconfig's authentication; it lives as long as the request.
    timeout: seconds for the answer. Raises TaskError when there is none.
    """
    target = f"/api/v1/namespaces/{cluster.namespace}/services/{service}:http/proxy{path}"
    serving = threading.Event()
    said: list[str] = []

    def take(line: str) -> None:
        said.append(line)
        if line.startswith("Starting to serve"):
            serving.set()

    with tempfile.TemporaryDirectory(prefix="todo-") as folder:
        listen = Path(folder) / "proxy"
        argv = cluster.kubectl_argv("proxy", f"--unix-socket={listen}", f"--accept-paths=^/api/v1/namespaces/{cluster.namespace}/services/")
        with shell.background(argv, env=cluster.environment, on_line=take) as running:
            waited = 0.0
            while not serving.wait(0.05) and running() and waited < START_SECONDS:
                waited += 0.05
            if not serving.is_set():
                raise TaskError(f"{service} cannot be asked: `kubectl proxy` does not start", "invoke doctor", said)
            return _ask(_Connection(listen, timeout), service, method, target, body)


def _ask(connection: _Connection, service: str, method: str, target: str, body: str | None) -> Answer:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        connection.request(method, target, body=body.encode() if body is not None else None, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        path = target.partition("/proxy")[2]
        said = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        raise TaskError(f"{service} does not answer at {path}", "invoke status", [said]) from None
    finally:
        connection.close()
