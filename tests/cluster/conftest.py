"""A real Kubernetes for the tests: the context that is given, or a cluster of our own that goes away afterwards."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.settings import KubeContext
from scripts.engines import node_roads
from scripts.engines.cluster import Cluster
from tests.cluster.local_cluster.cluster import LocalCluster, explain

NAMESPACE_LABELS = {"todo-tests": "true"}
DELETE_SECONDS = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster", "tests on a real Kubernetes")
    group.addoption("--context", help="the kube context to test in; otherwise KUBECONFIG's, otherwise a cluster of our own")
    group.addoption("--keep", action="store_true", help="leave the cluster of our own, and namespaces of failed tests, as they are")
    group.addoption("--record", action="store_true", help="write what was seen of each fault to tests/recordings")


@dataclass(frozen=True)
class ClusterContext:
    """A cluster that tests may use, by its kubeconfig and context."""

    context: str
    kubeconfig: Path | None
    """None: the user's own."""
    containerd_socket: Path | None
    """Where the node's containerd listens, when the cluster is our own."""
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
        for road in node_roads.find(self.within("default", ""), wanted):
            road.send(archive)


@pytest.fixture(scope="session")
def cluster_context(pytestconfig: pytest.Config) -> Iterator[ClusterContext]:
    """The cluster of this run. Skips, with the reason, when there is none to be had."""
    context = pytestconfig.getoption("--context", default=None)
    if context or os.environ.get("KUBECONFIG"):
        yield _given(context)
        return
    own = LocalCluster()
    if lacks := own.lacks():
        pytest.skip(f"no context is given, and no cluster can be started here: {'; '.join(lacks)}")
    keep = bool(pytestconfig.getoption("--keep", default=False)) or own.is_up
    _reach(own)
    try:
        own.up(lambda text: print(f"local cluster: {text}", file=sys.stderr))
        yield ClusterContext(own.layout.name, own.layout.kubeconfig, own.layout.containerd_socket, own.enforces_policies)
    except TaskError as error:
        pytest.fail(explain(error), pytrace=False)
    finally:
        if not keep:
            own.down()


def _given(context: str | None) -> ClusterContext:
    name = context or shell.run(["kubectl", "config", "current-context"], timeout=10).stdout.strip()
    given = ClusterContext(name, None, None)
    answer = given.within("default", "").kubectl("get", "--raw", "/readyz", ok=None)
    if answer.code:
        pytest.fail(f"context {name} does not answer: {answer.stderr.strip()}", pytrace=False)
    return given


def _reach(own: LocalCluster) -> None:
    """Let every program of this run find kubectl, and the API server without a proxy."""
    os.environ["PATH"] = f"{os.environ['PATH']}{os.pathsep}{own.layout.bin}"
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name, ""), own.layout.node_ip]))


@pytest.fixture
def namespace(cluster_context: ClusterContext, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh namespace, removed after the test."""
    with temporary_namespace(cluster_context, request.config) as name:
        yield name


class temporary_namespace:  # noqa: N801 - used as a function
    """A context manager: a namespace that exists while the block runs."""

    def __init__(self, context: ClusterContext, config: pytest.Config, labels: dict[str, str] | None = None) -> None:
        self._name = f"test-{uuid.uuid4().hex[:8]}"
        self._cluster = context.within(self._name, "")
        self._keep = bool(config.getoption("--keep", default=False))
        self._labels = {**NAMESPACE_LABELS, **(labels or {})}

    def __enter__(self) -> str:
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._name, "labels": self._labels}}
        self._cluster.kubectl("create", "--filename", "-", input=json.dumps(manifest))
        return self._name

    def __exit__(self, failure: object, *_: object) -> None:
        if not (failure and self._keep):
            argv = ("delete", "namespace", self._name, "--ignore-not-found", f"--timeout={DELETE_SECONDS}s")
            self._cluster.kubectl(*argv, timeout=DELETE_SECONDS + 10)
