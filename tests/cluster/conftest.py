"""A real Kubernetes for the tests: the context that is given, or a test cluster that goes away afterwards."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping

import pytest

from scripts.core import shell
from scripts.core.errors import TaskError
from tests.cluster.app import App, install
from tests.cluster.context import ClusterContext, own_context, temporary_namespace
from tests.cluster.local_cluster.cluster import LocalCluster, explain
from tests.cluster.made_cluster import made
from tests.faults import image

__all__ = ["ClusterContext", "temporary_namespace"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster", "tests on a real Kubernetes")
    group.addoption("--context", help="the kube context to test in; otherwise KUBECONFIG's, otherwise a test cluster")
    group.addoption("--keep", action="store_true", help="leave the test cluster, and namespaces of failed tests, as they are")
    group.addoption("--record", action="store_true", help="write what was seen of each fault to tests/recordings")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The programs of our own cluster are meant to outlive the call that starts them."""
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.filterwarnings(r"ignore:subprocess \d+ is still running:ResourceWarning"))


@pytest.fixture(scope="session")
def cluster_context(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterContext]:
    """The cluster of this run. Skips, with the reason, when there is none to be had."""
    context = pytestconfig.getoption("--context", default=None)
    if context or os.environ.get("KUBECONFIG"):
        yield _given(context)
        return
    own, keep = LocalCluster(), bool(pytestconfig.getoption("--keep", default=False))
    cluster, refusals = (None, {}) if own.is_up else made(tmp_path_factory.mktemp("cluster"))
    if cluster is None:
        yield from _own(own, refusals, keep=keep or own.is_up)
        return
    yield ClusterContext(cluster.context, cluster.kubeconfig, None)
    if not keep:
        cluster.down()


def _own(own: LocalCluster, refusals: Mapping[str, str], *, keep: bool) -> Iterator[ClusterContext]:
    """The cluster of plain processes, where no program makes one."""
    if lacks := own.lacks():
        reasons = [*(f"{program}: {why}" for program, why in refusals.items()), *lacks]
        pytest.skip(f"no context is given, and no cluster can be started here: {'; '.join(reasons)}")
    context = own_context(own)
    try:
        own.up(lambda text: print(f"local cluster: {text}", file=sys.stderr))
        yield context
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


@pytest.fixture(scope="session")
def fault_image(cluster_context: ClusterContext, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The images of the small releases, on every node."""
    image.send(cluster_context, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def app(cluster_context: ClusterContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The real app, brought up once by its own tasks, and taken away with its data at the end."""
    if not shutil.which("docker"):
        pytest.skip("no Docker engine to build the images with")
    installed = install(cluster_context, tmp_path_factory.mktemp("app") / "todo")
    yield installed
    installed.checkout.invoke("down", "--data", "--yes", "--engine", "kube_context")


@pytest.fixture
def namespace(cluster_context: ClusterContext, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh namespace, removed after the test."""
    with temporary_namespace(cluster_context, keep=request.config.getoption("--keep", default=False)) as name:
        yield name
