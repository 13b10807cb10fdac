"""How images get into one node: one transport for each kind of node."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.images.archive import LIBRARY, SavedImage, Sent, full_name, write_docker, write_oci

LIST_SECONDS = 60
SEND_SECONDS = 600
NERDCTL = ("nerdctl", "--namespace", "k8s.io")
Writer = Callable[[tarfile.TarFile, Sequence[SavedImage], IO[bytes]], Sent]


class NodeTransport(Protocol):
    """How images get into one node."""

    @property
    def node(self) -> str:
        """The node's name."""

    def images(self) -> set[str]:
        """Return the full names of the images that are whole on the node."""

    def writer(self, *, include_existing_layers: bool) -> Writer:
        """Return what writes an archive for this node: all of it, or without the layers that the node has now."""

    def send(self, archive: Path) -> None:
        """Import an archive on the node. Raises CommandError."""

    def remove(self, names: Collection[str]) -> None:
        """Remove images from the node. Raises CommandError."""


@dataclass(frozen=True)
class ContainerdNode:
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

    def writer(self, *, include_existing_layers: bool) -> Writer:
        """Leave out the blobs in containerd's content store."""
        present = set() if include_existing_layers else set(self._ctr("content", "ls", "--quiet", timeout=LIST_SECONDS).split())
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
class DockerdNode:
    """A node whose kubelet runs containers through a Docker engine of its own, in a container of the local one."""

    node: str
    docker: tuple[str, ...]

    def images(self) -> set[str]:
        """Ask the node's engine."""
        lines = self._docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", timeout=LIST_SECONDS).splitlines()
        return {full_name(line) for line in lines if "<none>" not in line}

    def writer(self, *, include_existing_layers: bool) -> Writer:
        """Leave out the layers that an image of the node has on the same layers."""
        chains = [] if include_existing_layers else self._chains()
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
        self._docker("image", "rm", *(name.removeprefix(LIBRARY) for name in sorted(names)), timeout=LIST_SECONDS)

    def _docker(self, *argv: str, timeout: float, input: IO[bytes] | None = None) -> str:  # noqa: A002 - as in shell.run
        return shell.run([*self.docker, *argv], timeout=timeout, input=input).stdout


@dataclass(frozen=True)
class NerdctlNode(DockerdNode):
    """A node in a virtual machine whose containerd this machine's nerdctl speaks to: that of Rancher Desktop, Colima, Lima."""

    docker: tuple[str, ...] = NERDCTL

    def writer(self, *, include_existing_layers: bool) -> Writer:  # noqa: ARG002 - nerdctl does not list the blobs that are there
        """Write all of it."""
        return lambda saved, images, out: write_oci(saved, images, set(), out)

    def send(self, archive: Path) -> None:
        """Load the archive through standard input; its --quiet is newer than nerdctl itself."""
        with archive.open("rb") as file:
            self._docker("load", input=file, timeout=SEND_SECONDS)


@dataclass(frozen=True)
class LocalDaemonNode(DockerdNode):
    """A node that runs what the local Docker daemon has built: that of Docker Desktop, OrbStack, Rancher Desktop, Colima."""

    docker: tuple[str, ...] = ("docker",)

    def writer(self, *, include_existing_layers: bool) -> Writer:  # noqa: ARG002 - the protocol's
        """There is nothing to write: an image that is not there was not built."""
        raise TaskError(f"the images are not in the Docker daemon that {self.node} shares", "invoke build", code="image-missing")

    def send(self, archive: Path) -> None:
        """There is nothing to send."""

    def remove(self, names: Collection[str]) -> None:
        """Leave them: they are the build's, too."""
