"""What the docker engine runs: its containers from inside, and their logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from docker.errors import APIError

from scripts.audit.facts import DOCKER, Live
from scripts.audit.seeing import live
from scripts.config.settings import Settings
from scripts.engines.protocol import Engine
from scripts.machine.docker_client import docker_client
from scripts.machine.docker_errors import told


def look(engine: Engine, settings: Settings, paths: Sequence[str]) -> Live:
    """Look into the app's containers, ask its services, and see whether they log. Raises TaskError."""
    running = [live.Running(pod.service, pod.name, _execute(pod.name)) for pod in engine.pods() if pod.ready]
    with engine.open_client() as ask:
        return live.see(DOCKER, running, live.Asking(settings, paths, ask), lambda each: bool(log(each.name, 1)))


def log(name: str, lines: int) -> str:
    """Return the last lines of a container's log. Raises TaskError."""
    with told(f"the log of {name} cannot be read"):
        return str(docker_client().containers.get(name).logs(tail=lines).decode(errors="replace"))


def _execute(name: str) -> Callable[[Sequence[str]], str]:
    def execute(argv: Sequence[str]) -> str:
        with told(f"nothing can be run in {name}"):
            container = docker_client().containers.get(name)
            try:
                return bytes(cast("bytes", container.exec_run(list(argv)).output)).decode(errors="replace")
            except APIError:  # older daemons: there is no such program
                return ""

    return execute
