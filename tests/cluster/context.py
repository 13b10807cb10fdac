"""A cluster that tests may use, and namespaces that are there for a while."""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from scripts.config.settings import KubeContext
from scripts.core import shell
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.nodes import detect
from tests.cluster.local_cluster.cluster import LocalCluster

NAMESPACE_LABELS = {"todo-tests": "true"}


@dataclass(frozen=True)
class ClusterContext:
    """A cluster that tests may use, by its kubeconfig and context."""

    context: str
    kubeconfig: Path | None
    """None: the user's own."""
    containerd_socket: Path | None
    """A pattern of where the nodes' containerds listen, when the cluster is our own."""
    must_enforce_policies: bool = False
    """Whether it is our own, with a policy engine; another one may or may not enforce them."""

    def within(self, namespace: str, release: str) -> Cluster:
        """Return the handle on a release in a namespace."""
        return Cluster(context=self.context, namespace=namespace, release=release, kubeconfig=self.kubeconfig)

    def load(self, image: str) -> None:
        """Put an image of this machine's Docker engine into every node."""
        with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
            shell.run(["docker", "save", "--output", archive.name, image], timeout=300)
            self.load_archive(Path(archive.name))

    def load_archive(self, archive: Path) -> None:
        """Put the images of an archive of `docker save` into every node. Raises TaskError when there is no way into one."""
        wanted = KubeContext(context=self.context, containerd_socket=str(self.containerd_socket or ""))
        for transport in detect.find(self.within("default", ""), wanted):
            with archive.open("rb") as file:
                transport.send(file)


def own_context(own: LocalCluster) -> ClusterContext:
    """Return the context of the test cluster, and let this run find its kubectl, and its API server without a proxy."""
    os.environ["PATH"] = f"{os.environ['PATH']}{os.pathsep}{own.layout.bin}"
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name, ""), own.layout.node_ip]))
    return ClusterContext(own.layout.name, own.layout.kubeconfig, own.layout.sockets, own.enforces_policies)


class temporary_namespace:  # noqa: N801 - used as a function
    """A context manager: a namespace that exists while the block runs."""

    def __init__(self, context: ClusterContext, *, keep: bool = False, labels: dict[str, str] | None = None) -> None:
        self._name = f"test-{uuid.uuid4().hex[:8]}"
        self._cluster = context.within(self._name, "")
        self._keep = keep
        self._labels = {**NAMESPACE_LABELS, **(labels or {})}

    def __enter__(self) -> str:
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._name, "labels": self._labels}}
        self._cluster.kubectl("create", "--filename", "-", input=json.dumps(manifest))
        return self._name

    def __exit__(self, failure: object, *_: object) -> None:
        if not (failure and self._keep):
            self._cluster.kubectl("delete", "namespace", self._name, "--ignore-not-found", "--wait=false")
