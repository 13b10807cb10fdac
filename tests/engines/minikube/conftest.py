"""A Minikube that answers as the real one does, and refuses every command line that it was not told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.config.settings import Settings, load_settings
from scripts.engines.minikube import checks, engine, first_start
from tests.engines.minikube.answers import PROXIES
from tests.programs import Programs, on_path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    monkeypatch.setattr(engine, "KUBECONFIG", tmp_path / "state" / "kubeconfig")
    monkeypatch.setattr(first_start, "NOTE", tmp_path / "state" / "minikube-first-start")
    monkeypatch.setenv("MINIKUBE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    docker = SimpleNamespace(
        images=SimpleNamespace(list=lambda: [SimpleNamespace(tags=["kicbase:1"])])
    )  # one that runs, with a node's image
    monkeypatch.setattr(checks, "docker_client", lambda: docker)
    for name in ("SSL_CERT_FILE", *PROXIES):
        monkeypatch.delenv(name, raising=False)
    fakes = on_path(tmp_path / "bin", monkeypatch)
    yield fakes
    fakes.check()


@pytest.fixture
def settings() -> Settings:
    wanted = load_settings().minikube.model_copy(
        update={"driver": "docker", "runtime": "containerd", "addons": ("metrics-server",), "cpus": 4, "memory_mib": 6144}
    )
    return load_settings().model_copy(update={"project": "todo", "minikube": wanted})
