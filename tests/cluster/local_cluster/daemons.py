"""Programs that stay: started once, detached, each with its own log, and ended by the process id that was written down."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.core.errors import TaskError

STOP_SECONDS = 5.0
PROXY_VARIABLES = {"http_proxy", "https_proxy", "all_proxy"}


class Daemons:
    """The programs of one cluster. A program is known by its process id and its start time, since ids come again."""

    def __init__(self, state: Path, netns: Path) -> None:
        self._logs = state / "log"
        self._pids = state / "pid"
        self._netns = netns

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Start a program in the cluster's network namespace, unless it runs."""
        if self.running(name):
            return
        for folder in (self._logs, self._pids):
            folder.mkdir(parents=True, exist_ok=True)
        # The programs speak to one another only; a proxy of this machine is not for them.
        environment = {key: value for key, value in os.environ.items() if key.lower() not in PROXY_VARIABLES}
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # it outlives us, which `shell.run` does not allow
                ["nsenter", f"--net={self._netns}", *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
                cwd="/",
            )
        (self._pids / name).write_text(f"{process.pid} {_start_time(process.pid)}\n", encoding="utf-8")

    def running(self, name: str) -> bool:
        """Return whether the program that we started runs."""
        return self._pid(name) is not None

    def stopped(self) -> list[str]:
        """Return the programs that we started and that do not run."""
        return sorted(file.name for file in self._pids.glob("*") if not self.running(file.name))

    def stop(self, name: str) -> None:
        """End a program, by force when asking does not help; do nothing when it does not run."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + STOP_SECONDS
            with contextlib.suppress(ProcessLookupError):
                if (pid := self._pid(name)) is not None:
                    os.kill(pid, number)
            while self._pid(name) is not None and time.monotonic() < deadline:
                time.sleep(0.05)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program that runs."""
        if (pid := self._pid(name)) is not None:
            os.kill(pid, number)

    def last_lines(self, name: str, count: int = 5) -> list[str]:
        """Return the end of a program's log."""
        with contextlib.suppress(OSError):
            return (self._logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        return []

    def _pid(self, name: str) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            pid, started = (self._pids / name).read_text(encoding="utf-8").split()
            if _start_time(int(pid)) == started:
                return int(pid)
        return None


def _start_time(pid: int) -> str:
    """The start time of a process that lives, in clock ticks (field 22 of proc(5) stat); empty for one that ended."""
    with contextlib.suppress(OSError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "" if state == "Z" else fields[18]
    return ""


def wait_until(seconds: float, what: str, holds: Callable[[], bool], evidence: Callable[[], Sequence[str]] = list) -> None:
    """Wait until `holds()`. Raises TaskError, with the evidence of that moment, when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TaskError(f"{what}: not within {seconds:g} s", "", evidence())
        time.sleep(0.3)
