"""Requests to a Service through the API server's proxy: the answer's real status and body, with no port opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from scripts.desired.service_values import service_name
from scripts.kubernetes import api_proxy
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.service_client import Answer, ServiceClient, send


@contextmanager
def open_client(cluster: Cluster) -> Iterator[ServiceClient]:
    """Yield a way to ask port `http` of the release's Services while the block runs. Raises TaskError when there is none."""
    with api_proxy.serving(cluster, api_proxy.namespace(cluster)) as connect:

        def ask(service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
            of_service = f"{api_proxy.collection(cluster, 'services')}{service_name(cluster.release, service)}:http/proxy"
            proxied = f"{api_proxy.collection(cluster, 'pods')}{pod}/proxy" if pod else of_service  # a pod's first port
            return send(connect(timeout), service, method, path, body, proxied)

        yield ask
