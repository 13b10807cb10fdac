"""Registries as people have them: each that cannot be pushed to says why, and what to do about it."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.core.shell import CommandError, Result
from scripts.desired.images import BaseImage, Image
from scripts.kubernetes.nodes import registry
from scripts.machine import docker_client as machine
from tests.doubles import Step
from tests.kubernetes import small_registry

REPORTED = yaml.safe_load((ROOT / "tests/reports/registries.yaml").read_text())
STEP = Step()


@pytest.mark.unit
@pytest.mark.parametrize("row", REPORTED, ids=lambda row: row["said"][:40])
def test_a_refused_push_says_why_and_what_to_do(row: dict[str, str]) -> None:
    told = registry._not_pushed("r/todo:h1", CommandError("docker ended", ["layer: Preparing", row["said"], ""], Result(1, "", "", 0.0)))
    assert told.cause == f"r/todo:h1 cannot be pushed: {row['said']}"
    assert row["do"] in told.action


@pytest.fixture
def image(docker_client: Any) -> Iterator[Image]:
    context, name = io.BytesIO(), f"h{uuid.uuid4().hex[:8]}"
    with tarfile.open(fileobj=context, mode="w") as archive:
        for file, data in {"Dockerfile": b"FROM scratch\nCOPY name /name\n", "name": name.encode()}.items():
            info = tarfile.TarInfo(file)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    context.seek(0)
    reference = f"todo-registry-test:{name}"
    docker_client.images.build(fileobj=context, custom_context=True, tag=reference, rm=True)
    yield Image("backend", "todo-registry-test", name, Path(), Path(), BaseImage("", "", ()))
    for tag in docker_client.images.get(reference).tags:
        docker_client.images.remove(tag)


@pytest.mark.engine
def test_a_registry_by_tls_on_the_loopback_address_gets_what_it_lacks(image: Image, tmp_path: Path) -> None:
    pem = tmp_path / "both.pem"
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True, timeout=60)
    pem.write_text(key.read_text() + certificate.read_text())
    with small_registry.running(pem) as server:
        assert registry.ImageRegistry(server.address).decide_push([image]).carry_out(STEP).kind == "changed"
        assert registry.ImageRegistry(server.address).decide_push([image]).carry_out(STEP).kind == "unchanged"


@pytest.mark.engine
def test_a_helper_for_passwords_that_is_missing_is_named(image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "nowhere"}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    machine._probe.cache_clear()
    try:
        with small_registry.running() as server, pytest.raises(TaskError) as error:
            registry.ImageRegistry(server.address).decide_push([image]).carry_out(STEP)
    finally:
        machine._probe.cache_clear()
    assert "docker-credential-nowhere" in error.value.cause
    assert "credsStore" in error.value.action


@pytest.mark.engine
def test_a_registry_that_nobody_serves_is_named_and_not_docker(image: Image) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with pytest.raises(TaskError, match=rf"localhost:{port}/{image.reference} cannot be pushed: .*connection refused") as error:
        registry.ImageRegistry(f"localhost:{port}").decide_push([image]).carry_out(STEP)
    assert error.value.action.startswith("start the registry")


@pytest.mark.engine
def test_a_registry_that_hangs_is_named_and_not_docker(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.docker_client().api, "timeout", 2)
    monkeypatch.setattr(registry, "docker_refusal", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"localhost:{silent.getsockname()[1]}"
        with pytest.raises(TaskError, match=f"the registry of {address}/{image.reference} does not answer"):
            registry.ImageRegistry(address).decide_push([image]).carry_out(STEP)
    assert shell.run(["docker", "image", "inspect", image.reference], timeout=20).code == 0
