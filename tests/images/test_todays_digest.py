"""Which image a name without a version means today: Docker's own copy, or what the registry has; nothing where neither tells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from docker.errors import ImageNotFound

import docker
from scripts.core.errors import MissingError
from scripts.images import todays_digest as module

pytestmark = pytest.mark.unit

HERE, THERE = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def answering(monkeypatch: pytest.MonkeyPatch, *, here: Any, there: Any) -> None:
    """Let Docker's own copy and the registry be these; an error is raised."""

    def give(found: Any) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    def own(_: str) -> Any:
        return SimpleNamespace(attrs={"RepoDigests": give(here)})

    registry = SimpleNamespace(images=SimpleNamespace(get_registry_data=lambda _: SimpleNamespace(id=give(there))), close=lambda: None)
    monkeypatch.setattr(module, "docker_client", lambda: SimpleNamespace(images=SimpleNamespace(get=own)))
    monkeypatch.setattr(docker, "DockerClient", lambda **_: registry)


@pytest.mark.parametrize(
    ("here", "there", "digest"),
    [
        ([f"nats@{HERE}"], THERE, HERE),
        (ImageNotFound("no such image"), THERE, THERE),
        ([], THERE, THERE),  # built here, and never pushed
        (ImageNotFound("no such image"), requests.ConnectionError(), ""),
        (MissingError("Docker is not running", ""), THERE, ""),
    ],
)
def test_what_a_name_means(monkeypatch: pytest.MonkeyPatch, here: Any, there: Any, digest: str) -> None:
    answering(monkeypatch, here=here, there=there)
    assert module.todays_digest("nats") == digest
