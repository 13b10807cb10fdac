"""`invoke dev --on-host`: one service on this machine, with what its pods have, and ways to what it calls."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping

from scripts.config import database_url
from scripts.config.service_problems import DATABASE
from scripts.config.services import Service, filled
from scripts.config.settings import Settings
from scripts.config.validation import unknown_service
from scripts.core import shell
from scripts.core.errors import InputError
from scripts.desired.service_values import places, service_name
from scripts.project import Project

Place = tuple[str, int]


def wanted(settings: Settings, name: str) -> Service:
    """Return the service that is to run on this machine. Raises InputError where it is none, or nothing says how."""
    services = settings.services
    if name not in services:
        raise unknown_service(name, services)
    if not services[name].dev.on_host:
        action = f"write services.{name}.dev.on_host in invoke.yaml: its command on this machine"
        raise InputError(f"nothing says how {name} runs on this machine", action, code="service-unknown")
    return services[name]


@contextlib.contextmanager
def running(project: Project, name: str, on_line: Callable[[str], None]) -> Iterator[tuple[int, Callable[[], bool]]]:
    """Run the service while the block runs; yield its port (0: none) and what tells whether it still runs.

    Raises TaskError where it cannot start, or what it calls cannot be reached.
    """
    service = wanted(project.settings, name)
    port = _free_port(service.wanted_local_port) if service.port else 0
    with contextlib.ExitStack() as ways:
        reached: dict[str, Place] = {}
        for other in service.calls:
            if other in project.settings.services or other in project.sources:
                number = database_url.PORT if other == DATABASE else project.settings.services[other].port or 0
                reached[other] = ways.enter_context(project.engine.reach(other, number))
        values = next((secret.values for secret in project.secrets if secret.service == name), {})
        variables = environment(project.settings, service, values, reached, port)
        alive = ways.enter_context(shell.background(service.dev.on_host, env=variables, cwd=service.folder(), on_line=on_line))
        yield port, alive


def environment(
    settings: Settings, service: Service, secrets: Mapping[str, str], reached: Mapping[str, Place], port: int
) -> dict[str, str]:
    """Return the variables of a service on this machine: its pods' own, with what it calls where this machine reaches it."""
    known = places(settings)
    for other, (host, number) in reached.items():
        known |= {(other, "host"): host, (other, "port"): str(number), (other, "url"): f"http://{host}:{number}"}
    made = {key: filled(value, known) for key, value in service.env.items()} | dict(secrets)
    if DATABASE in reached:
        host, number = reached[DATABASE]
        inside = f"@{service_name(settings.release, DATABASE)}:{database_url.PORT}"
        made = {key: value.replace(inside, f"@{host}:{number}") for key, value in made.items()}
    return made | ({"PORT": str(port)} if port else {})


def _free_port(preferred: int) -> int:
    """Return a port of this machine that nobody listens on: the preferred one where it is free."""
    for number in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", number))
            return int(probe.getsockname()[1])
    raise InputError("no port on this machine is free", "end some of the programs that listen", code="input-invalid")
