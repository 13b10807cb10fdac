"""Marked secret values are planted, the app is brought up, and then everything is searched for them."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkout import Checkout

pytestmark = [pytest.mark.engine, pytest.mark.long, pytest.mark.timeout(900)]

SEED = "9f" + "3b"  # in two parts, since this file itself is searched
MARKS = {key: f"mark-{SEED}-{key.lower()}" for key in ("POSTGRES_PASSWORD", "API_TOKEN", "GRAFANA_ADMIN_PASSWORD")}
PROXY_MARK = f"mark-{SEED}-proxy"
MARK = f"mark-{SEED}".encode()
CA_MARK = f"MARK{SEED}".encode() * 3


class ArgumentWatch(threading.Thread):
    """Reads the arguments of every process on this machine until it is told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.seen: set[bytes] = set()

    def run(self) -> None:
        while not self.ended.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue
            time.sleep(0.005)


@pytest.fixture(scope="module")
def marked(docker_client: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Checkout, bytes, ArgumentWatch]]:
    checkout = Checkout.make(tmp_path_factory.mktemp("marked") / "todo")
    (checkout.path / ".env").write_text("".join(f"{key}={value}\n" for key, value in MARKS.items()))
    bundle = Path("/etc/ssl/certs/ca-certificates.crt").read_bytes()
    (checkout.path / "extra.pem").write_bytes(bundle + b"\n# " + CA_MARK + b"\n")
    checkout.edit("invoke.yaml", {'extra_ca: ""': "extra_ca: extra.pem"})
    for name in ("backend", "frontend"):  # a change at the top, so that every stage is built here and nothing comes from the cache
        dockerfile = checkout.path / f"docker/{name}.Dockerfile"
        dockerfile.write_text(dockerfile.read_text().replace("AS ca\n", "AS ca\nLABEL marked=yes\n", 1))
    watch = ArgumentWatch()
    watch.start()
    plain = checkout.invoke("up", "--engine", "docker", timeout=800, no_proxy=f"{PROXY_MARK}.invalid")
    machine = checkout.invoke("up", "--engine", "docker", "--json")
    status = checkout.invoke("status", "--engine", "docker", "--json")
    logs = [checkout.invoke("logs", service, "--engine", "docker").stdout for service in ("backend", "frontend", "postgres")]
    watch.ended.set()
    watch.join()
    assert plain.code == 0, plain.stdout + plain.stderr
    output = "".join((plain.stdout, plain.stderr, machine.stdout, machine.stderr, status.stdout, *logs)).encode()
    yield checkout, output, watch
    checkout.invoke("down", "--data", "--yes", "--engine", "docker")


def test_no_process_was_given_a_secret_as_an_argument(marked: tuple[Checkout, bytes, ArgumentWatch]) -> None:
    watch = marked[2]
    assert any(b"docker\0build" in arguments for arguments in watch.seen), "the watch saw nothing"
    assert [arguments for arguments in watch.seen if MARK in arguments and b"pytest" not in arguments] == []


def test_nothing_printed_holds_a_secret(marked: tuple[Checkout, bytes, ArgumentWatch]) -> None:
    assert b"todo-backend:h" in marked[1]
    assert MARK not in marked[1]


def test_no_file_but_env_holds_a_secret(marked: tuple[Checkout, bytes, ArgumentWatch]) -> None:
    checkout = marked[0]
    assert (checkout.path / ".state/last-run.log").exists()
    holding = [p for p in checkout.path.rglob("*") if p.is_file() and ".tools" not in p.parts and MARK in p.read_bytes()]
    assert [str(p.relative_to(checkout.path)) for p in holding] == [".env"]


def test_no_secret_and_no_extra_certificate_is_in_an_image(marked: tuple[Checkout, bytes, ArgumentWatch], docker_client: Any) -> None:
    names = {
        c.image.tags[0]: c.image
        for c in docker_client.containers.list(filters={"label": ["app.kubernetes.io/part-of=todo-chatbot-test", "todo.kind=main"]})
    }
    assert len(names) == 3
    for name, image in names.items():
        history = json.dumps(docker_client.api.history(image.id)).encode()
        config = json.dumps(docker_client.api.inspect_image(image.id)["Config"]).encode()
        for mark in (MARK, CA_MARK):
            assert mark not in history + config, f"{name}: history or configuration"
            assert list(files_with(mark, image)) == [], name


def files_with(mark: bytes, image: Any) -> Iterator[str]:
    """Yield the files in any layer of the image that hold the mark, deleted ones included."""
    saved = io.BytesIO(b"".join(image.save()))
    with tarfile.open(fileobj=saved) as outer:
        for member in outer:
            file = outer.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            if member.name.endswith(".json") or member.name == "repositories":
                if mark in file.read():
                    yield member.name
                continue
            try:
                layer = tarfile.open(fileobj=file)  # noqa: SIM115
            except tarfile.ReadError:
                continue
            for entry in layer:
                content = layer.extractfile(entry) if entry.isfile() else None
                if content and mark in content.read():
                    yield f"{member.name}: {entry.name}"


def test_the_search_finds_what_is_there(marked: tuple[Checkout, bytes, ArgumentWatch], docker_client: Any) -> None:
    """The positive control: a file that is in the image is found by the same search."""
    image = next(c.image for c in docker_client.containers.list() if "todo-chatbot-test-backend" in c.name)
    assert list(files_with(b"todo_backend", image))
