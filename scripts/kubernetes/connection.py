"""Connections to an API server through `kubectl proxy`, which knows the kubeconfig's authentication.

While `kept` lasts, a cluster is asked over one of them, side by side, instead of by a program for each question.
"""

from __future__ import annotations

import http.client
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.waiting import OverdueError, until

START_SECONDS = 15
LONGEST_SOCKET = 104
"""Bytes of the path of a socket, with the NUL at its end: macOS takes 104, Linux 108."""

Connect = Callable[[float], http.client.HTTPConnection]
"""Makes a connection with a timeout in seconds."""
Variables = Mapping[str, str | None]


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
def proxy(kubectl: Sequence[str], environment: Variables, below: str = "/") -> Iterator[Connect]:
    """Yield what connects to the API server for requests below this path, and no others, while the block runs.

    kubectl: the beginning of a command line, which names kubeconfig and context. The proxy listens on a socket in a private folder and
    lives as long as the block. Raises TaskError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="todo-", dir=_short_folder()) as folder:
        listen = Path(folder) / "proxy"
        with _running([*kubectl, "proxy", f"--unix-socket={listen}", f"--accept-paths=^{below}"], environment):
            yield lambda timeout: _Connection(listen, timeout)


def _short_folder() -> str | None:
    """Where sockets go: the usual place for temporary files, or /tmp where that makes paths too long for a socket."""
    return None if len(os.fsencode(tempfile.gettempdir())) < LONGEST_SOCKET - len("/todo-xxxxxxxx/proxy") else "/tmp"  # noqa: S108


@contextmanager
def _running(argv: Sequence[str], environment: Variables) -> Iterator[None]:
    ready = threading.Event()
    said: list[str] = []

    def take(line: str) -> None:
        said.append(line)
        if line.startswith("Starting to serve"):
            ready.set()

    with shell.background(argv, env=environment, on_line=take) as running:
        with suppress(OverdueError):
            until(lambda: ready.is_set() or not running(), seconds=START_SECONDS, pause=0.01, what="kubectl proxy")
        if not ready.is_set():
            raise TaskError("the services cannot be reached: `kubectl proxy` does not start", "invoke doctor", said, code="cluster-silent")
        yield


class _Kept:
    """The connections that last. A thread of its own opens them, since a program ends with the thread that started it."""

    def __init__(self) -> None:
        self._keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="connection")
        self._open: dict[tuple[str, ...], tuple[ExitStack, Connect] | None] = {}

    def connect(self, kubectl: Sequence[str], environment: Variables) -> Connect | None:
        return self._keeper.submit(self._connect, tuple(kubectl), environment).result()

    def _connect(self, kubectl: tuple[str, ...], environment: Variables) -> Connect | None:
        if kubectl not in self._open:
            stack = ExitStack()
            try:
                self._open[kubectl] = (stack, stack.enter_context(proxy(kubectl, environment)))
            except TaskError:
                self._open[kubectl] = None
        found = self._open[kubectl]
        return found[1] if found else None

    def close(self) -> None:
        self._keeper.submit(self._close).result()

    def _close(self) -> None:
        for found in self._open.values():
            if found:
                found[0].close()
        self._open.clear()

    def end(self) -> None:
        self.close()
        self._keeper.shutdown()


_kept: _Kept | None = None


@contextmanager
def kept() -> Iterator[None]:
    """Let clusters be asked over connections that last as long as the block."""
    global _kept  # noqa: PLW0603 - one run, whose threads all use it
    _kept = _Kept()
    try:
        yield
    finally:
        ending, _kept = _kept, None
        ending.end()


def kept_to(kubectl: Sequence[str], environment: Variables) -> Connect | None:
    """Return the connection that lasts; None outside of `kept`, and where there is none to be had: then kubectl says why."""
    return _kept.connect(kubectl, environment) if _kept else None


def renew() -> None:
    """Close what is open, since a cluster was started or made again: its certificate or its port may be another."""
    if _kept:
        _kept.close()
