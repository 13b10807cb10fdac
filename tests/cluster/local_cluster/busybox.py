"""Finds a static busybox: the one program that the sandbox image and the tests' own image are made of."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import MissingError
from tests.cluster.local_cluster.layout import Layout

SECONDS = 60
PACKAGE = "busybox-static"


def find(layout: Layout) -> Path:
    """Return a static busybox: among the server binaries, on PATH, or out of Debian's package, which is then kept in the state folder.

    Raises MissingError when there is none to be had.
    """
    kept = layout.state / "busybox"
    for path in (layout.bin / "busybox", kept, Path(shutil.which("busybox") or "")):
        if path.is_file() and is_static(path):
            return path
    if not shutil.which("apt-get"):
        raise MissingError("no static busybox", f"install your distribution's static busybox, or put one into {layout.bin}")
    with tempfile.TemporaryDirectory() as folder:
        shell.run(["apt-get", "download", PACKAGE], timeout=SECONDS, cwd=Path(folder))
        package = next(Path(folder).glob("*.deb"))
        shell.run(["dpkg-deb", "--extract", str(package), folder], timeout=SECONDS)
        found = next(p for p in Path(folder).rglob("bin/busybox") if not p.is_symlink())
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, kept)
    return kept


def is_static(program: Path) -> bool:
    """Return whether an ELF program names no dynamic linker (it has no PT_INTERP segment)."""
    with program.open("rb") as file:
        head = file.read(4096)
    if head[:4] != b"\x7fELF" or head[4] != 2:
        return False
    start, size, count = (int.from_bytes(head[a:b], "little") for a, b in ((32, 40), (54, 56), (56, 58)))
    interpreter = 3
    return all(int.from_bytes(head[start + i * size : start + i * size + 4], "little") != interpreter for i in range(count))
