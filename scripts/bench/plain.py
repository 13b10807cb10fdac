"""The plain commands that bring the sources to a cluster by hand: docker build and save, load, helm upgrade, kubectl."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.core import shell
from scripts.core.paths import CACHE, ROOT
from scripts.desired.images import Image
from scripts.images import build, build_network, builder
from scripts.kubernetes import helm
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.nodes.transports import NodeTransport
from scripts.project import Project

SECONDS = 900
TAG = "p"
"""What plain tags begin with."""


@dataclass
class Plain:
    """One way by hand, of a project that is installed in a cluster."""

    project: Project

    @property
    def cluster(self) -> Cluster:
        """The cluster, with the app's release."""
        return self.project.cluster_deployment().cluster

    def all_of_it(self) -> None:
        """Build, send and deploy everything, as one who does not know what changed."""
        self.bring(self.project.images)

    def only(self, service: str) -> None:
        """Build, send and deploy the one service that changed: the least that any way must do."""
        self.bring([image for image in self.project.images if image.service == service])

    def bring(self, images: Sequence[Image]) -> None:
        """Bring images of these names from the sources as they are. Raises CommandError."""
        tags = {image.service: self._built(image) for image in images}
        with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
            archive = Path(folder) / "images.tar"
            shell.run(["docker", "save", "--output", str(archive), *tags.values()], timeout=SECONDS)
            for transport in self.transports():
                with archive.open("rb") as file:
                    transport.send(file)
        self._upgrade(tags)
        self._await()

    def _built(self, image: Image) -> str:
        """Build an image in place, tag it by its id as a person with unique tags would, and return the name."""
        name = f"{image.repository}:{TAG}lain"
        plain = replace(image, tag=f"{TAG}lain")
        ca = build_network.extra_ca_reference(self.project.settings)
        argv = build.build_argv(plain, ca, builder.buildx(), release=self.project.settings.release)
        shell.run([*argv, "--quiet", str(image.context)], timeout=SECONDS, env=build.BUILD_ENVIRONMENT)
        identity = shell.run(["docker", "image", "inspect", "--format", "{{.Id}}", name], timeout=60).stdout.strip()
        tag = f"{image.repository}:{TAG}{identity.rpartition(':')[2][:12]}"
        shell.run(["docker", "tag", name, tag], timeout=60)
        return tag

    def transports(self) -> Sequence[NodeTransport]:
        """Return how images get into each node. Raises TaskError or InputError where there is no way."""
        transports: Sequence[NodeTransport] = getattr(self.project.engine, "transports")()  # noqa: B009 - of engines with nodes
        return transports

    def _upgrade(self, tags: Mapping[str, str]) -> None:
        values = helm.values_of(self.cluster, helm.history(self.cluster)[-1])
        for service, reference in tags.items():
            section: Any = values["services"].get(service) or values.get(service)
            if section:
                section["image"]["tag"] = reference.rpartition(":")[2]
        chart = str(ROOT / self.project.settings.chart.path)
        argv = ("upgrade", self.cluster.release, chart, "--values", "-")
        self.cluster.helm(*argv, input=json.dumps(values), timeout=SECONDS)

    def _await(self) -> None:
        selector = self.cluster.selector
        names = self.cluster.kubectl("get", "deployments,statefulsets", "--selector", selector, "--output", "name").stdout.split()
        for name in names:
            self.cluster.kubectl("rollout", "status", name, f"--timeout={SECONDS}s", timeout=SECONDS)
        for service, declared in self.project.settings.services.items():
            if path := declared.probe("ready").get("path"):
                where = f"/api/v1/namespaces/{self.cluster.namespace}/services/{self.cluster.release}-{service}:{declared.port}/proxy{path}"
                self.cluster.kubectl("get", "--raw", where)

    def forget(self) -> None:
        """Remove the images that were built by hand, here and on the nodes."""
        for transport in self.transports():
            if old := {name for name in transport.images() if _is_plain(name, self.project.images)}:
                transport.remove(old)
        listed = shell.run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"], timeout=60).stdout.split()
        if old := {name for name in listed if _is_plain(name, self.project.images)}:
            shell.run(["docker", "rmi", *sorted(old)], timeout=120, ok=None)


def _is_plain(name: str, images: Iterable[Image]) -> bool:
    return any(f"{image.repository}:{TAG}" in name for image in images)


def _scratch() -> Path:
    CACHE.mkdir(exist_ok=True)
    return CACHE
