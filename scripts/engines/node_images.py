"""Images into nodes: by tag, then by layer, each node's own list asked before and after. One road a kind of node."""

from __future__ import annotations

import contextlib
import json
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.images import Image, node_platform
from scripts.core.oci_archive import SavedImage, Sent, full_name, read_saved, write_docker, write_oci
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.core.settings import ROOT
from scripts.core.shell import CommandError

LIST_SECONDS = 60
SAVE_SECONDS = 600
SEND_SECONDS = 600
FOLDER = "load-"
Writer = Callable[[tarfile.TarFile, Sequence[SavedImage], IO[bytes]], Sent]


class Road(Protocol):
    """How images get into one node."""

    @property
    def node(self) -> str:
        """The node's name."""
        ...

    def images(self) -> set[str]:
        """Return the full names of the images that are whole on the node."""
        ...

    def writer(self, *, whole: bool) -> Writer:
        """Return what writes an archive for this node: all of it, or without the layers that the node has now."""
        ...

    def send(self, archive: Path) -> None:
        """Import an archive on the node. Raises CommandError."""
        ...

    def remove(self, names: Collection[str]) -> None:
        """Remove images from the node. Raises CommandError."""
        ...


@dataclass(frozen=True)
class Containerd:
    """A node whose containerd answers to `ctr`: on this machine, or in a container of the local Docker engine."""

    node: str
    ctr: tuple[str, ...]
    """The command line up to ctr and its address."""

    def images(self) -> set[str]:
        """Ask `ctr images check`: `ctr images ls` also names what an import that failed has left without content."""
        return {line.split()[0] for line in self._checked() if " complete (" in line}

    def _checked(self) -> list[str]:
        """The lines of `ctr images check`: name, type, digest, completeness, size, whether it is unpacked."""
        return self._ctr("images", "check", timeout=LIST_SECONDS).splitlines()[1:]

    def writer(self, *, whole: bool) -> Writer:
        """Leave out the blobs in containerd's content store."""
        present = set() if whole else set(self._ctr("content", "ls", "--quiet", timeout=LIST_SECONDS).split())
        return lambda saved, images, out: write_oci(saved, images, present, out)

    def send(self, archive: Path) -> None:
        """Import the archive through standard input."""
        with archive.open("rb") as file:
            self._ctr("images", "import", "-", input=file, timeout=SEND_SECONDS)

    def remove(self, names: Collection[str]) -> None:
        """Remove the names, and the id under which containerd's CRI plugin keeps the same image; what nothing uses is then collected."""
        digests = {line.split()[0]: line.split()[2] for line in self._checked()}
        dropped = {digests[name] for name in names if name in digests}
        used = {digest for name, digest in digests.items() if name not in names and not name.startswith("sha256:")}
        ids = {name for name, digest in digests.items() if name.startswith("sha256:") and digest in dropped - used}
        self._ctr("images", "rm", *sorted(ids.union(names)), timeout=LIST_SECONDS)

    def _ctr(self, *argv: str, timeout: float, input: IO[bytes] | None = None) -> str:  # noqa: A002 - as in shell.run
        return shell.run([*self.ctr, "--namespace", "k8s.io", *argv], timeout=timeout, input=input).stdout


@dataclass(frozen=True)
class Dockerd:
    """A node whose kubelet runs containers through a Docker engine of its own, in a container of the local one."""

    node: str
    docker: tuple[str, ...]

    def images(self) -> set[str]:
        """Ask the node's engine."""
        lines = self._docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", timeout=LIST_SECONDS).splitlines()
        return {full_name(line) for line in lines if "<none>" not in line}

    def writer(self, *, whole: bool) -> Writer:
        """Leave out the layers that an image of the node has on the same layers."""
        chains = [] if whole else self._chains()
        return lambda saved, images, out: write_docker(saved, images, chains, out)

    def _chains(self) -> list[list[str]]:
        ids = set(self._docker("image", "ls", "--quiet", "--no-trunc", timeout=LIST_SECONDS).split())
        if not ids:
            return []
        argv = ("image", "inspect", "--format", "{{json .RootFS.Layers}}", *sorted(ids))
        return [json.loads(line) or [] for line in self._docker(*argv, timeout=LIST_SECONDS).splitlines() if line.strip()]

    def send(self, archive: Path) -> None:
        """Load the archive through standard input."""
        with archive.open("rb") as file:
            self._docker("load", "--quiet", input=file, timeout=SEND_SECONDS)

    def remove(self, names: Collection[str]) -> None:
        """Remove the names."""
        self._docker("image", "rm", *(name.removeprefix("docker.io/library/") for name in sorted(names)), timeout=LIST_SECONDS)

    def _docker(self, *argv: str, timeout: float, input: IO[bytes] | None = None) -> str:  # noqa: A002 - as in shell.run
        return shell.run([*self.docker, *argv], timeout=timeout, input=input).stdout


@dataclass(frozen=True)
class Shared:
    """Docker Desktop's own Kubernetes: its node runs what the local Docker engine has built."""

    node: str

    def images(self) -> set[str]:
        """Ask the local engine."""
        lines = shell.run(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], timeout=LIST_SECONDS).stdout.splitlines()
        return {full_name(line) for line in lines if "<none>" not in line}

    def writer(self, *, whole: bool) -> Writer:  # noqa: ARG002 - the protocol's
        """There is nothing to write: an image that is not there was not built."""
        raise TaskError(f"the images are not in the Docker engine that {self.node} shares", "invoke build")

    def send(self, archive: Path) -> None:
        """There is nothing to send."""

    def remove(self, names: Collection[str]) -> None:
        """Leave them: they are the build's, too."""


def load(roads: Sequence[Road], images: Sequence[Image], step: StepReport) -> Outcome:
    """Bring the images to every node: send what a node lacks, and verify by the node's own list.

    Raises TaskError when a node still lacks an image after the whole of it was sent.
    """
    wanted = {full_name(image.reference): image.reference for image in images}
    lacking = {road.node: wanted.keys() - road.images() for road in roads}
    missing = sorted({wanted[name] for names in lacking.values() for name in names})
    if not missing:
        return unchanged(f"{_count(len(images), 'image')} there")
    step.progress(f"reading {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix=FOLDER, dir=_state()) as folder:
        saved = Path(folder) / "saved.tar"
        shell.run(["docker", "save", "--output", str(saved), *missing], timeout=SAVE_SECONDS)
        sent = [_send(road, saved, names, step) for road in roads if (names := lacking[road.node])]
    travelled, left_out = sum(each.bytes for each in sent), sum(each.left_out for each in sent)
    return changed(f"{_count(len(missing), 'image')}: {size(travelled)} sent, {size(left_out)} were there")


def _send(road: Road, saved: Path, names: Collection[str], step: StepReport) -> Sent:
    """Send images to one node: without the layers that it has, and, if that leaves one incomplete, whole."""
    for whole in (False, True):
        archive = saved.with_name(f"{road.node}.tar")
        with tarfile.open(saved) as source, archive.open("wb") as out:
            chosen = [image for image in read_saved(source, node_platform()) if image.name in names]
            sent = road.writer(whole=whole)(source, chosen, out)
        step.progress(f"sending {size(sent.bytes)} to {road.node}")
        try:
            road.send(archive)
        except CommandError:
            if whole:
                raise
        finally:
            archive.unlink()
        absent = sorted(set(names) - road.images())
        if not absent:
            return sent
    raise TaskError(f"{road.node} does not list {', '.join(absent)} after they were sent", "look for errors of the container runtime there")


def prune(roads: Sequence[Road], repositories: Collection[str], keep: Collection[str]) -> int:
    """Remove from the nodes every image of these repositories whose `repository:tag` is not in `keep`; return how many."""
    ours = tuple(f"{full_name(repository)}:" for repository in repositories)
    kept = {full_name(reference) for reference in keep}
    removed = 0
    for road in roads:
        old = {name for name in road.images() if name.startswith(ours)} - kept
        if old:
            road.remove(old)
            removed += len(old)
    return removed


def _state() -> Path:
    """Return the folder for archives, rid of what killed runs have left there."""
    folder = ROOT / ".state"
    folder.mkdir(exist_ok=True)
    for left in folder.glob(f"{FOLDER}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > SAVE_SECONDS + SEND_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    return folder


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def size(count: int) -> str:
    """Return a number of bytes as a person reads it: decimal units, one digit after the point."""
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
