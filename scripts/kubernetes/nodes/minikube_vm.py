"""Images into a Minikube node that is a virtual machine: through Minikube itself."""

from __future__ import annotations

import json
import tarfile
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from scripts.core.paths import SCRATCH
from scripts.core.shell import Result
from scripts.images.archive import Archive, SavedImage, docker_archive, full_name, oci_archive

LOAD_SECONDS = 600


@dataclass(frozen=True)
class MinikubeVmNode:
    """A node that is a virtual machine, or another thing that only Minikube itself can reach."""

    node: str
    runtime: str
    minikube: Callable[..., Result]
    turn: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def images(self) -> Mapping[str, str]:
        """Ask Minikube for the node's list; it prints an empty one, with exit code 0, when the node is stopped."""
        answer = self.minikube("image", "ls", "--profile", self.node, "--format", "json")
        listed = json.loads(answer.stdout or "[]") or []
        return {full_name(tag): str(image.get("id", "")) for image in listed for tag in image.get("repoTags") or ()}

    def archive(self, saved: tarfile.TarFile, image: SavedImage, *, include_existing_layers: bool) -> Archive:
        """Leave out the blobs in containerd's content store; with the docker runtime, nothing."""
        if self.runtime == "docker":
            return docker_archive(saved, image, ())
        argv = ("ssh", "--profile", self.node, "--", "sudo", "ctr", "--namespace", "k8s.io", "content", "ls", "--quiet")
        present = set() if include_existing_layers else set(self.minikube(*argv).stdout.split())
        return oci_archive(saved, image, present)

    def send(self, archive: Iterable[bytes]) -> None:
        """Load it from a file, one at a time: Minikube takes no other, and copies it to one place. It exits with 0 when that fails."""
        SCRATCH.mkdir(parents=True, exist_ok=True)
        with self.turn, tempfile.NamedTemporaryFile(dir=SCRATCH, suffix=".tar") as file:
            file.writelines(archive)
            file.flush()
            self.minikube("image", "load", "--profile", self.node, file.name, timeout=LOAD_SECONDS)

    def remove(self, names: Collection[str]) -> None:
        """Remove the names."""
        self.minikube("image", "rm", "--profile", self.node, *sorted(names))
