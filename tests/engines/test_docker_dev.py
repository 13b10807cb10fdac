"""`invoke dev` in the Docker engine: a real edit, a source that is no Python, and the way back."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.checkout import RELEASE, Checkout

pytestmark = pytest.mark.engine


class Dev:
    """A running `invoke dev --json`, and what it has told."""

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


@pytest.fixture
def dev(installed: Checkout) -> Iterator[Dev]:
    running = Dev(installed.start("dev", "--json", "--engine", "docker"))
    yield running
    if running.process.poll() is None:
        running.end()


def version() -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://127.0.0.1:18000/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_a_source_goes_into_the_running_container_and_the_production_release_comes_back(
    installed: Checkout, docker_client: Any, dev: Dev
) -> None:
    source = installed.path / "app/backend/src/todo_backend/__init__.py"
    text = source.read_text()
    dev.told(lambda event: event["event"] == "message" and "watching the sources" in event["text"])
    container = docker_client.containers.get(f"{RELEASE}-backend")
    assert container.attrs["HostConfig"]["ReadonlyRootfs"] is True
    assert container.attrs["Config"]["User"] == "10001:10001"
    try:
        source.write_text(text.replace("__version__ = ", '__version__ = "of-the-edit" or '))
        dev.told(lambda event: event["event"] == "served" and event["service"] == "backend")
        assert 'version="of-the-edit"' in version()
        source.write_text("def broken(:\n")
        refused = dev.told(lambda event: event["event"] == "error")
        assert (refused["code"], refused["evidence"][1]) == ("sync-refused", "def broken(:")
        assert 'version="of-the-edit"' in version()
        assert docker_client.containers.get(f"{RELEASE}-backend").id == container.id
    finally:
        source.write_text(text)
    assert installed.invoke("status", "--engine", "docker").code == 0, "the lock is free while it waits"
    assert dev.end() == 0, dev.events
    run = installed.invoke("plan", "--engine", "docker")
    assert run.code == 0, run.stdout
    assert not docker_client.volumes.list(filters={"label": [f"app.kubernetes.io/part-of={RELEASE}", "todo.kind=sources"]})
