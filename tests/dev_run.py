"""A running `invoke dev --json`, and what it tells."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any


class DevRun:
    """The command, and the events that it has told so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.events += (json.loads(line) for line in self.process.stdout)

    def told(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
        """Wait for an event."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := next(filter(wanted, list(self.events)), None):
                return found
            time.sleep(0.05)
        raise AssertionError(self.events)

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=180)
        self._reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return code

    def watches(self) -> None:
        """Wait until the app is up and its sources are watched."""
        self.told(lambda event: event["event"] == "message" and "watching the sources" in event["text"], 400)

    def serves(self, service: str) -> None:
        """Wait until a service serves a change."""
        self.told(lambda event: event["event"] == "served" and event["service"] == service)
