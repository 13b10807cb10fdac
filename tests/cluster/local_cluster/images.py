"""Images made of single static programs, and images from a Docker engine, into the node's containerd."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from scripts.core import shell

SECONDS = 120
PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}


def static_image(name: str, files: Mapping[str, bytes], entrypoint: Sequence[str], links: Sequence[str] = (), user: str = "") -> bytes:
    """Return an archive, as `docker save` would write it, of an image with one layer for this machine's processor.

    name: with a tag. files: path in the image, without the leading slash, -> content of the program. links: names beside the first
    file that stand for it. user: numeric; empty is root.
    """
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for path, content in files.items():
            _add(tar, path, content)
        first = Path(next(iter(files)))
        for link in links:
            member = tarfile.TarInfo(str(first.with_name(link)))
            member.type, member.linkname = tarfile.SYMTYPE, first.name
            tar.addfile(member)
    config = {
        "os": "linux",
        "architecture": PROCESSORS.get(platform.machine(), platform.machine()),
        "config": {"Entrypoint": list(entrypoint), "Env": ["PATH=/bin"], "User": user},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"]},
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        _add(tar, "layer.tar", layer.getvalue())
        _add(tar, "config.json", json.dumps(config).encode())
        _add(tar, "manifest.json", json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode())
    return archive.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o755
    tar.addfile(member, io.BytesIO(content))


def ctr(socket: Path, *argv: str, content: bytes | IO[bytes] | None = None, ok: tuple[int, ...] | None = (0,)) -> str:
    """Run containerd's own client in the namespace of Kubernetes' images; return what it prints."""
    return shell.run(["ctr", "--address", str(socket), "--namespace", "k8s.io", *argv], timeout=SECONDS, input=content, ok=ok).stdout


def has(socket: Path, name: str) -> bool:
    """Return whether the node has the image under its full name."""
    return name in ctr(socket, "images", "ls", "-q").split()


def load_archive(socket: Path, archive: bytes | IO[bytes]) -> None:
    """Put the images of an archive into the node's containerd."""
    ctr(socket, "images", "import", "-", content=archive)


def load_from_docker(socket: Path, image: str) -> None:
    """Put an image of this machine's Docker engine into the node's containerd."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as saved:
        shell.run(["docker", "save", "--output", saved.name, image], timeout=SECONDS)
        load_archive(socket, saved.file)
