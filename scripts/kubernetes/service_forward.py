"""Requests to a Service through port forwards, which reach a pod from its own node: no network policy can be in the way."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from scripts.desired.service_values import service_name
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.port_forward import ADDRESS, forward
from scripts.kubernetes.service_client import Answer, ServiceClient, send


@contextmanager
def open_client(cluster: Cluster) -> Iterator[ServiceClient]:
    """Yield a way to ask port `http` of the release's Services while the block runs.

    A forward starts with its first request. Raises TaskError then when there is none to be had.
    """
    ports: dict[str, int] = {}
    starting = threading.Lock()
    with ExitStack() as forwards:

        def ask(service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
            target = f"pod/{pod}" if pod else f"service/{service_name(cluster.release, service)}"
            with starting:  # several pods are asked side by side
                if target not in ports:
                    ports[target] = forwards.enter_context(forward(cluster, target, "http"))
            return send(http.client.HTTPConnection(ADDRESS, ports[target], timeout=timeout), service, method, path, body)

        yield ask
