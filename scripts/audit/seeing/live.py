"""What runs, seen from inside its containers, by its answers and by its logs, whatever engine runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scripts.audit.facts import Asked, Attempt, Live
from scripts.audit.seeing.inside import Execute, Told, look
from scripts.config.database_url import PORT
from scripts.config.service_problems import DATABASE
from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.kubernetes.service_client import ServiceClient

AT_ONCE = 4
SAMPLE_NO = "#"


@dataclass(frozen=True)
class Running:
    """One container that runs: how to run something in it, and the address that others find it at."""

    service: str
    name: str
    execute: Execute
    address: str = ""


@dataclass(frozen=True)
class Asking:
    """What the services are, which paths they are asked for beside those of probes and metrics, and by what."""

    settings: Settings
    paths: Sequence[str]
    ask: ServiceClient


def see(on: str, running: Sequence[Running], asking: Asking, logged: Callable[[Running], bool]) -> Live:
    """Look into every container, ask every service, and see whether each has logged."""
    settings = asking.settings
    targets = _targets(running, settings)
    first = {service: next(each.name for each in running if each.service == service) for service in {each.service for each in running}}

    def look_into(each: Running) -> Told:
        others = [where for service, where in targets.items() if service != each.service] if first[each.service] == each.name else []
        return look(each.name, each.execute, others)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = list(pool.map(look_into, running))
        written = list(pool.map(logged, running))
    attempts = [attempt for each, found in zip(running, told, strict=True) for attempt in _attempts(each, found, targets, settings)]
    return Live(
        on,
        [each.inside for each in told],
        attempts,
        list(_answers(asking)),
        dict(zip((e.name for e in running), written, strict=True)),
    )


def _targets(running: Sequence[Running], settings: Settings) -> dict[str, str]:
    """Where each service with a port is found, as `host:port`."""
    ports = {name: service.port for name, service in settings.services.items() if service.port} | {DATABASE: PORT}
    return {each.service: f"{each.address}:{ports[each.service]}" for each in reversed(running) if each.service in ports and each.address}


def _attempts(source: Running, told: Told, targets: Mapping[str, str], settings: Settings) -> Iterator[Attempt]:
    declared = settings.services.get(source.service)
    allowed = declared.calls if declared else ()
    for target, where in targets.items():
        if where in told.opened:
            yield Attempt(source.service, target, target in allowed, told.opened[where])


def _answers(asking: Asking) -> Iterator[Asked]:
    for name, service in asking.settings.services.items():
        own = [*service.probe_paths, *([service.metrics] if service.metrics else [])]
        for path in dict.fromkeys([*asking.paths, *own] if service.port else own):
            try:
                answer = asking.ask(name, "GET", path)
            except TaskError:
                yield Asked(name, path, 0)
                continue
            samples = [line for line in answer.body.splitlines() if line.strip() and not line.startswith(SAMPLE_NO)]
            yield Asked(name, path, answer.status, len(samples) if path == service.metrics and answer.status == 200 else 0)
