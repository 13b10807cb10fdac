"""A cgroup of the cluster's own, so that its kubelet never meets, nor ends, the pods of another kubelet on this machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def unified() -> bool:
    """Return whether this machine has cgroup v2."""
    return (ROOT / "cgroup.controllers").exists()


def _roots(name: str) -> list[Path]:
    if unified():
        return [ROOT / name]
    return [folder / name for folder in sorted(ROOT.iterdir()) if (folder / "cgroup.procs").exists() and not folder.is_symlink()]


def create(name: str) -> None:
    """Make the cgroup, with all controllers."""
    for folder in _roots(name):
        folder.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # version 1 starts without any, and takes no process then
            if not unified() and (folder / setting).exists():
                (folder / setting).write_text((folder.parent / setting).read_text(encoding="utf-8"), encoding="utf-8")
    if unified():
        controllers = (ROOT / "cgroup.controllers").read_text(encoding="utf-8").split()
        for folder in (ROOT, ROOT / name):
            (folder / "cgroup.subtree_control").write_text(" ".join(f"+{c}" for c in controllers), encoding="utf-8")


def remove(name: str) -> None:
    """Take the cgroup away with all below it; what still has a process stays."""
    for root in _roots(name):
        for folder, _, _ in os.walk(root, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
