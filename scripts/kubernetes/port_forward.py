"""A forward of a local port to a Service: bound to the loopback address, supervised, ended with the block and with us."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.core import log, shell
from scripts.core.errors import InterruptedRunError, TaskError
from scripts.core.waiting import OverdueError, until
from scripts.kubernetes.cluster import Cluster

ADDRESS = "127.0.0.1"
FIRST_SECONDS = 15.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
FIRST_POLL, POLL_SECONDS = 0.02, 0.1
FORWARDING = re.compile(rf"Forwarding from {re.escape(ADDRESS)}:(\d+) ")
BROKEN = ("lost connection to pod", "error forwarding port", "an error occurred forwarding")


@dataclass
class _Forward:
    """What the supervisor and the block tell each other."""

    port: int
    worked: bool = False
    ready: threading.Event = field(default_factory=threading.Event)
    ending: threading.Event = field(default_factory=threading.Event)
    broken: threading.Event = field(default_factory=threading.Event)
    said: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Read a line of kubectl."""
        if match := FORWARDING.match(line):
            self.port, self.worked = int(match[1]), True
            self.ready.set()
        else:
            self.said = [*self.said[-4:], line]
            if any(sign in line for sign in BROKEN):
                self.broken.set()


@contextlib.contextmanager
def forward(cluster: Cluster, target: str, port: int | str, local_port: int = 0) -> Iterator[int]:
    """Forward a local port to a port of `target` (`service/NAME`, `pod/NAME`) while the block runs; yields the local port.

    port: the number, or the name that the Service gives it.
    local_port: 0 takes a free one, and keeps it. kubectl binds to one pod: when that goes, kubectl is started again, with a growing pause,
    until the block ends. Raises TaskError with kubectl's words when the first start brings no forward.
    """
    state = _Forward(local_port)
    supervisor = threading.Thread(target=_supervise, args=(cluster, target, port, state), name=f"forward {target}", daemon=True)
    supervisor.start()
    try:
        if not _first(state, supervisor):
            raise _failure(target, local_port, state.said)
        yield state.port
    finally:
        state.ending.set()
        supervisor.join()


def _failure(target: str, local_port: int, said: list[str]) -> TaskError:
    if any("address already in use" in line for line in said):
        return TaskError(
            f"port {local_port} of this machine, for {target}, is in use",
            "end what listens there, or give the service another local_port in invoke.yaml",
            code="forward-failed",
        )
    return TaskError(f"{target} cannot be forwarded to {ADDRESS}", "invoke status", said, code="forward-failed")


def _first(state: _Forward, supervisor: threading.Thread) -> bool:
    """Wait for the first forward. Raises InterruptedRunError when the run is being stopped."""
    with contextlib.suppress(OverdueError):
        until(lambda: state.ready.is_set() or not supervisor.is_alive(), seconds=FIRST_SECONDS, pause=FIRST_POLL, what="the forward")
    return state.ready.is_set()


def _supervise(cluster: Cluster, target: str, port: int | str, state: _Forward) -> None:
    """Keep a kubectl running until the block ends. The thread lives as long as its child, which ends with it."""
    pause = FIRST_PAUSE
    while not state.ending.is_set() and not shell.stopping():
        state.broken.clear()
        state.ready.clear()
        argv = cluster.kubectl_argv("port-forward", f"--address={ADDRESS}", target, f"{state.port or ''}:{port}")
        forwarding = shell.background(argv, env=cluster.environment, on_line=state.take)
        with contextlib.suppress(TaskError, InterruptedRunError), forwarding as running:
            while running() and not state.broken.is_set() and not state.ending.wait(POLL_SECONDS):
                if state.ready.is_set():
                    pause = FIRST_PAUSE
        if not state.worked:
            return  # a first start that fails is for the caller to judge
        if not state.ending.is_set():
            log.debug(f"the forward to {target} ended; again in {pause:.1f} s")
            state.ending.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
