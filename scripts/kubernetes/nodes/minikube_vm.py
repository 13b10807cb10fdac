"""Images into a Minikube node that is a virtual machine: through Minikube itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from scripts.core.shell import Result
from scripts.images.archive import full_name, write_docker, write_oci
from scripts.kubernetes.nodes.transports import Writer

LOAD_SECONDS = 600


@dataclass(frozen=True)
class MinikubeVmNode:
    """A node that is a virtual machine, or another thing that only Minikube itself can reach."""

    node: str
    runtime: str
    minikube: Callable[..., Result]

    def images(self) -> set[str]:
        """Ask Minikube for the node's list; it prints an empty one, with exit code 0, when the node is stopped."""
        answer = self.minikube("image", "ls", "--profile", self.node, "--format", "json")
        listed = json.loads(answer.stdout or "[]") or []
        return {full_name(tag) for image in listed for tag in image.get("repoTags") or ()}

    def writer(self, *, include_existing_layers: bool) -> Writer:
        """Leave out the blobs in containerd's content store; with the docker runtime, nothing."""
        if self.runtime == "docker":
            return lambda saved, images, out: write_docker(saved, images, (), out)
        argv = ("ssh", "--profile", self.node, "--", "sudo", "ctr", "--namespace", "k8s.io", "content", "ls", "--quiet")
        present = set() if include_existing_layers else set(self.minikube(*argv).stdout.split())
        return lambda saved, images, out: write_oci(saved, images, present, out)

    def send(self, archive: Path) -> None:
        """Load the file. Minikube exits with 0 when that fails: only the list tells."""
        self.minikube("image", "load", "--profile", self.node, str(archive), timeout=LOAD_SECONDS)

    def remove(self, names: Collection[str]) -> None:
        """Remove the names."""
        self.minikube("image", "rm", "--profile", self.node, *sorted(names))
