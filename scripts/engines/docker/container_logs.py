"""The logs of the app's containers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from scripts.config.validation import meant
from scripts.core.errors import InputError
from scripts.engines.docker.containers import Containers
from scripts.logs.line import LogLine, LogQuery, Source, followed, merged
from scripts.machine.docker_errors import told


def read(containers: Containers, query: LogQuery) -> Iterator[LogLine]:
    """Yield the lines that are asked for. Raises InputError for a service that has no container."""
    sources = _sources(containers, query)
    with told("the logs cannot be read"):
        yield from followed(partial(_sources, containers, query)) if query.follow else merged(sources)


def _sources(containers: Containers, query: LogQuery) -> list[Source]:
    there = containers.by_service()
    if unknown := query.services - there.keys():
        name, known = min(unknown), sorted(there)
        raise InputError(f"no container of `{name}`{meant(name, known)}", f"one of: {', '.join(known) or 'none'}", code="service-unknown")
    read = _previous if query.previous else _lines
    return [
        Source(service, container.name, container.name, f"{container.id} {_started(container)}", partial(read, container, query))
        for service, container in there.items()
        if query.wants(service)
    ]


def _started(container: Any) -> str:
    return str(container.attrs["State"].get("StartedAt", ""))


def _previous(container: Any, query: LogQuery, _after: str) -> Iterator[str]:
    """Yield what was written before the container started last: Docker keeps one log for all its runs."""
    before = (line for line in _lines(container, replace(query, lines=0), "") if line < _started(container))
    yield from deque(before, maxlen=query.lines or None)


def _lines(container: Any, query: LogQuery, after: str) -> Iterator[str]:
    options: dict[str, Any] = {"timestamps": True, "stream": True, "follow": query.follow}
    options["tail"] = query.lines if query.lines and not after else "all"
    if after:
        options["since"] = _seconds(after)
    elif query.since_seconds:
        options["since"] = time.time() - query.since_seconds
    rest = b""
    for chunk in container.logs(**options):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(f"{text[:19]}+00:00").timestamp() + float(f"0{text[19:].rstrip('Z')}")
