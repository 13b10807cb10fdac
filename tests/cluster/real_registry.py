"""A real registry (the program of `distribution`) on this machine, with a login and a certificate of a CA that nobody knows."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.core import shell

PROGRAMS = ("registry", "docker-registry")
"""As `go install` and Debian call it."""
USER, PASSWORD = "puller", "push-and-pull"
HASHED = "$2b$05$abcdefghijklmnopqrstuu29iL5eU2wxiqEdPBAi1ANj6vTAMryzG"
"""The password as htpasswd keeps it, by bcrypt."""
SETTINGS = """version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/blobs}}, delete: {{enabled: true}}}}
http: {{addr: "0.0.0.0:{port}", tls: {{certificate: {folder}/server.crt, key: {folder}/server.key}}}}
auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}
"""


@dataclass(frozen=True)
class RealRegistry:
    """A registry that runs."""

    port: int
    ca: Path
    log: Path

    @property
    def address(self) -> str:
        """As this machine's Docker calls it, which asks no CA of a loopback address."""
        return f"localhost:{self.port}"

    def pulls(self) -> int:
        """How many manifests were handed out by digest."""
        return sum("GET /v2/" in line and "/manifests/sha256:" in line for line in self.log.read_text(errors="replace").splitlines())


@contextmanager
def running(folder: Path, host: str) -> Iterator[RealRegistry]:
    """Run it while the block runs, for this machine and for nodes that reach this machine as `host`. Skips where there is no program."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if not program:
        pytest.skip("no registry to run: Debian's docker-registry, or `registry` of github.com/distribution/distribution/v3, on PATH")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _certificates(folder, host)
    (folder / "htpasswd").write_text(f"{USER}:{HASHED}\n")
    (folder / "config.yml").write_text(SETTINGS.format(folder=folder, port=port))
    made = RealRegistry(port, folder / "ca.crt", folder / "registry.log")
    with made.log.open("w") as log:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
        try:
            _wait(made, process)
            yield made
        finally:
            process.terminate()
            process.wait(timeout=10)


def logged_in(registry: RealRegistry, folder: Path) -> Path:
    """Write a configuration of Docker's client that knows the password; return its folder."""
    folder.mkdir()
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry.address: {"auth": login}}}))
    return folder


def let_nodes_reach(registry: RealRegistry, folder: Path, host: str) -> None:
    """Tell containerd where the registry of this name is, and whose certificate it has: what an administrator of nodes does."""
    folder.mkdir(parents=True)
    here = f"https://{host}:{registry.port}"
    (folder / "hosts.toml").write_text(
        f'server = "{here}"\n[host."{here}"]\n  capabilities = ["pull", "resolve"]\n  ca = "{registry.ca}"\n'
    )


def _wait(registry: RealRegistry, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, registry.log.read_text()
        assert time.monotonic() < deadline, "the registry does not answer"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", registry.port), 1):
            return
        time.sleep(0.1)


def _certificates(folder: Path, host: str) -> None:
    def openssl(*argv: str) -> None:
        shell.run(["openssl", *argv], timeout=30, cwd=folder)

    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-subj", "/CN=a CA of tests", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2")
    openssl("req", *key, "-subj", "/CN=registry", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text(f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:{host}\n")
    by_ca = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *by_ca, "-out", "server.crt")
