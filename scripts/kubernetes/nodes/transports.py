"""How images get into one node: one transport for each kind of node."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.images.archive import LIBRARY, Archive, SavedImage, docker_archive, full_name, oci_archive

LIST_SECONDS = 60
SEND_SECONDS = 600
NERDCTL = ("nerdctl", "--namespace", "k8s.io")


class NodeTransport(Protocol):
    """How images get into one node."""

    @property
    def node(self) -> str:
        """The node's name."""

    def images(self) -> Mapping[str, str]:
        """Return the full names of the images that are whole on the node, each with its id there: two names of one image have one."""

    def archive(self, saved: tarfile.TarFile, image: SavedImage, *, include_existing_layers: bool) -> Archive:
        """Return an archive of the image for this node: all of it, or without the layers that the node has now."""

    def send(self, archive: Iterable[bytes]) -> None:
        """Import an archive on the node. Raises CommandError."""

    def remove(self, names: Collection[str]) -> None:
        """Remove images from the node. Raises CommandError."""


@dataclass(frozen=True)
class ContainerdNode:
    """A node whose containerd answers to `ctr`: on this machine, or in a container of the local Docker engine."""

    node: str
    ctr: tuple[str, ...]
    """The command line up to ctr and its address."""

    def images(self) -> Mapping[str, str]:
        """Ask `ctr images check`: `ctr images ls` also names what an import that failed has left without content."""
        return {line.split()[0]: line.split()[2] for line in self._checked() if " complete (" in line}

    def _checked(self) -> list[str]:
        """The lines of `ctr images check`: name, type, digest, completeness, size, whether it is unpacked."""
        return self._ctr("images", "check", timeout=LIST_SECONDS).splitlines()[1:]

    def archive(self, saved: tarfile.TarFile, image: SavedImage, *, include_existing_layers: bool) -> Archive:
        """Leave out the blobs in containerd's content store."""
        present = set() if include_existing_layers else set(self._ctr("content", "ls", "--quiet", timeout=LIST_SECONDS).split())
        return oci_archive(saved, image, present)

    def send(self, archive: Iterable[bytes]) -> None:
        """Import the archive through standard input."""
        self._ctr("images", "import", "-", input=archive, timeout=SEND_SECONDS)

    def remove(self, names: Collection[str]) -> None:
        """Remove the names, and the id under which containerd's CRI plugin keeps the same image; what nothing uses is then collected."""
        digests = {line.split()[0]: line.split()[2] for line in self._checked()}
        dropped = {digests[name] for name in names if name in digests}
        used = {digest for name, digest in digests.items() if name not in names and not name.startswith("sha256:")}
        ids = {name for name, digest in digests.items() if name.startswith("sha256:") and digest in dropped - used}
        self._ctr("images", "rm", *sorted(ids.union(names)), timeout=LIST_SECONDS)

    def _ctr(self, *argv: str, timeout: float, input: Iterable[bytes] | None = None) -> str:  # noqa: A002 - as in shell.run
        return shell.run([*self.ctr, "--namespace", "k8s.io", *argv], timeout=timeout, input=input).stdout


@dataclass(frozen=True)
class DockerdNode:
    """A node whose kubelet runs containers through a Docker engine of its own, in a container of the local one."""

    node: str
    docker: tuple[str, ...]

    def images(self) -> Mapping[str, str]:
        """Ask the node's engine."""
        lines = self._docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}", timeout=LIST_SECONDS).splitlines()
        return {full_name(name): ident for name, ident in (line.split() for line in lines) if "<none>" not in name}

    def archive(self, saved: tarfile.TarFile, image: SavedImage, *, include_existing_layers: bool) -> Archive:
        """Leave out the layers that an image of the node has on the same layers."""
        return docker_archive(saved, image, [] if include_existing_layers else self._chains())

    def _chains(self) -> list[list[str]]:
        ids = set(self._docker("image", "ls", "--quiet", "--no-trunc", timeout=LIST_SECONDS).split())
        if not ids:
            return []
        argv = ("image", "inspect", "--format", "{{json .RootFS.Layers}}", *sorted(ids))
        return [json.loads(line) or [] for line in self._docker(*argv, timeout=LIST_SECONDS).splitlines() if line.strip()]

    def send(self, archive: Iterable[bytes]) -> None:
        """Load the archive through standard input."""
        self._docker("load", "--quiet", input=archive, timeout=SEND_SECONDS)

    def remove(self, names: Collection[str]) -> None:
        """Remove the names."""
        self._docker("image", "rm", *(name.removeprefix(LIBRARY) for name in sorted(names)), timeout=LIST_SECONDS)

    def _docker(self, *argv: str, timeout: float, input: Iterable[bytes] | None = None) -> str:  # noqa: A002 - as in shell.run
        return shell.run([*self.docker, *argv], timeout=timeout, input=input).stdout


@dataclass(frozen=True)
class NerdctlNode(DockerdNode):
    """A node in a virtual machine whose containerd this machine's nerdctl speaks to: that of Rancher Desktop, Colima, Lima."""

    docker: tuple[str, ...] = NERDCTL

    def archive(self, saved: tarfile.TarFile, image: SavedImage, *, include_existing_layers: bool) -> Archive:  # noqa: ARG002 - the protocol's
        """Return all of it: nerdctl does not list the blobs that are there."""
        return oci_archive(saved, image, ())

    def send(self, archive: Iterable[bytes]) -> None:
        """Load the archive through standard input; its --quiet is newer than nerdctl itself."""
        self._docker("load", input=archive, timeout=SEND_SECONDS)


@dataclass(frozen=True)
class LocalDaemonNode(DockerdNode):
    """A node that runs what the local Docker daemon has built: that of Docker Desktop, OrbStack, Rancher Desktop, Colima."""

    docker: tuple[str, ...] = ("docker",)

    def archive(self, saved: tarfile.TarFile, image: SavedImage, *, include_existing_layers: bool) -> Archive:  # noqa: ARG002 - the protocol's
        """There is nothing to send: an image that is not there was not built."""
        raise TaskError(f"the images are not in the Docker daemon that {self.node} shares", "invoke build", code="image-missing")

    def send(self, archive: Iterable[bytes]) -> None:
        """There is nothing to send."""

    def remove(self, names: Collection[str]) -> None:
        """Leave them: they are the build's, too."""
