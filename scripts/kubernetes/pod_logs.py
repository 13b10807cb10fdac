"""The logs of a release's pods, through the API server."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from scripts.config.validation import meant
from scripts.core import log
from scripts.core.errors import InputError
from scripts.kubernetes import api_proxy
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import SECONDS, Cluster
from scripts.kubernetes.connection import Connect
from scripts.kubernetes.objects import name_of, service_of, status_of
from scripts.logs.line import LogLine, LogQuery, Source, followed, merged

FOLLOW_SECONDS = 86_400.0


def read(cluster: Cluster, query: LogQuery) -> Iterator[LogLine]:
    """Yield the lines that are asked for. Raises InputError for a service that has no pod."""
    with api_proxy.serving(cluster, api_proxy.collection(cluster, "pods")) as connect:
        sources = _sources(cluster, connect, query)
        yield from followed(partial(_sources, cluster, connect, query)) if query.follow else merged(sources)


def _sources(cluster: Cluster, connect: Connect, query: LogQuery) -> list[Source]:
    pods = cluster.get("pods", selector=cluster.selector)
    by_service = {name_of(pod): service_of(pod) for pod in pods}
    if unknown := query.services - set(by_service.values()):
        name, known = min(unknown), sorted(set(by_service.values()))
        raise InputError(f"no pod of `{name}`{meant(name, known)}", f"one of: {', '.join(known) or 'none'}", code="service-unknown")
    wanted = [(pod, by_service[name_of(pod)]) for pod in pods if query.wants(by_service[name_of(pod)])]
    return [
        Source(
            service,
            name_of(pod),
            status["name"],
            f"{pod['metadata']['uid']} {status['name']} {status.get('restartCount', 0)}",
            partial(_lines, connect, _path(cluster, pod), status["name"], query),
        )
        for pod, service in wanted
        for status in _statuses(pod)
        if not query.previous or status.get("restartCount", 0)
    ]


def _statuses(pod: Object) -> Sequence[Any]:
    """The containers that have run: init containers first, as they do."""
    status = status_of(pod)
    found = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return [each for each in found if "waiting" not in each.get("state", {}) or each.get("restartCount", 0)]


def _path(cluster: Cluster, pod: Object) -> str:
    return f"{api_proxy.collection(cluster, 'pods')}{name_of(pod)}/log"


def _lines(connect: Connect, path: str, container: str, query: LogQuery, after: str) -> Iterator[str]:
    """Yield a container's lines; none where it has no such run."""
    asked: dict[str, Any] = {"container": container, "timestamps": "true", "previous": str(query.previous).lower()}
    if query.follow:
        asked["follow"] = "true"
    if after:
        asked["sinceTime"] = after
    elif query.since_seconds:
        asked["sinceSeconds"] = query.since_seconds
    if query.lines and not after:
        asked["tailLines"] = query.lines
    connection = connect(FOLLOW_SECONDS if query.follow else SECONDS)
    try:
        connection.request("GET", f"{path}?{urlencode(asked)}")
        answer = connection.getresponse()
        if answer.status != http.client.OK:  # such as a pod that has just gone
            log.debug(f"GET {path} = {answer.status}: {answer.read()[:200]!r}")
            return
        while line := answer.readline():
            yield line.decode(errors="replace")
    finally:
        connection.close()
