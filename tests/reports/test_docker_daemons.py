"""Docker daemons as people have them: what would fail later is told by preflight, with what to do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from scripts.config.settings import load_settings
from scripts.engines.docker import engine
from scripts.engines.docker.engine import DockerEngine
from scripts.images import bases
from scripts.machine.docker_endpoint import Endpoint

pytestmark = pytest.mark.unit


def problems(monkeypatch: pytest.MonkeyPatch, host: str, **info: object) -> str:
    monkeypatch.setattr(engine, "docker_client", lambda: SimpleNamespace(info=lambda: info))
    monkeypatch.setattr(engine, "find_endpoint", lambda: Endpoint(host))
    monkeypatch.setattr(engine, "_listens", lambda _: False)
    subject = DockerEngine(load_settings())
    monkeypatch.setattr(subject._containers, "published_ports", set)
    return "\n".join(map(str, subject.preflight()))


def test_a_daemon_that_cannot_limit_processors_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "for rootless Docker, delegate it" in problems(monkeypatch, "unix:///run/user/1000/docker.sock", CpuCfsQuota=False)
    assert problems(monkeypatch, "unix:///var/run/docker.sock", CpuCfsQuota=True) == ""


def test_a_daemon_on_another_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "publishes no port on this one" in problems(monkeypatch, "tcp://10.0.0.7:2376")


def test_a_registry_that_limits_pulls_asks_for_a_login() -> None:
    refusal = "python:3.13-slim: toomanyrequests: You have reached your unauthenticated pull rate limit."
    assert bases._how([refusal]).startswith("docker login")
    assert "docker login" not in bases._how(["python:3.13-slim: no such host"])
