"""HTTP through the API server, to a pod or a Service: the answer's real status and body, with no port opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from scripts.kubernetes import connection
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.connection import Connect


def collection(cluster: Cluster, resource: str) -> str:
    """Return the API server's path of the namespace's `pods` or `services`."""
    return f"{namespace(cluster)}{resource}/"


def namespace(cluster: Cluster) -> str:
    """Return the API server's path of the namespace."""
    return f"/api/v1/namespaces/{cluster.namespace}/"


@contextmanager
def serving(cluster: Cluster, path: str) -> Iterator[Connect]:
    """Yield what connects to the API server while the block runs: the run's own connection, or one for requests below this path alone.

    Raises TaskError when there is none.
    """
    if connect := cluster.connection():
        yield connect
        return
    with connection.proxy(cluster.kubectl_argv(), cluster.environment, path) as connect:
        yield connect
