"""`invoke dev` in the Docker engine: a real edit, a source that is no Python, and the way back."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.checkout import RELEASE, Checkout
from tests.dev_run import DevRun

pytestmark = pytest.mark.engine


@pytest.fixture
def dev(installed: Checkout) -> Iterator[DevRun]:
    running = DevRun(installed.start("dev", "--json", "--engine", "docker"))
    yield running
    if running.process.poll() is None:
        running.end()


def version() -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://127.0.0.1:18000/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_a_source_goes_into_the_running_container_and_the_production_release_comes_back(
    installed: Checkout, docker_client: Any, dev: DevRun
) -> None:
    source = installed.path / "app/backend/src/todo_backend/__init__.py"
    text = source.read_text()
    dev.watches()
    container = docker_client.containers.get(f"{RELEASE}-backend")
    assert container.attrs["HostConfig"]["ReadonlyRootfs"] is True
    assert container.attrs["Config"]["User"] == "10001:10001"
    try:
        source.write_text(text.replace("__version__ = ", '__version__ = "of-the-edit" or '))
        dev.serves("backend")
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
