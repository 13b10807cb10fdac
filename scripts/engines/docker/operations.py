"""By hand, on a service in the Docker engine: a restart, a program in its container or beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from scripts.config.validation import unknown_service
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Outcome, StepReport, changed
from scripts.core.shell import CommandLine
from scripts.engines.docker.containers import Containers, end_container, grace_of
from scripts.engines.docker.pod_spec import PodPlan
from scripts.engines.docker.probes import await_ready
from scripts.kubernetes.operations import SMALL_IMAGE
from scripts.machine.docker_client import CLI_ENVIRONMENT
from scripts.machine.docker_errors import told


class ContainerOperations:
    """Operations on the containers of a release: one a service."""

    def __init__(self, containers: Containers, pods: Callable[[], Sequence[PodPlan]]) -> None:
        """Take the containers, and what renders the pods with the settings: their probes."""
        self._containers = containers
        self._pods = pods

    def restart(self, service: str, timeout: float, step: StepReport) -> Outcome:
        """Stop the container and start it again, as it is. Raises TaskError where it does not get ready."""
        container = self._container(service)
        step.progress(f"restarting {container.name}")
        with told(f"{container.name} cannot be restarted"):
            container.restart(timeout=grace_of(container))
        for pod in self._pods():
            if pod.service == service:
                await_ready(pod, container, self._containers.local_port(service), timeout, step)
        return changed(f"{service}: 1 container ready")

    def renew(self, services: Collection[str], step: StepReport) -> None:
        """Remove the containers of these services: `up` makes them again."""
        for service in services:
            container = self._container(service)
            step.progress(f"removing {container.name}")
            with told(f"{container.name} cannot be removed"):
                end_container(container)

    def scale(self, service: str, pods: int | None, chart: Path, timeout: float, step: StepReport) -> Outcome:  # noqa: ARG002 - the protocol's
        """Refuse it: there is one container a service. Raises InputError."""
        self._container(service)
        raise InputError(
            "the docker engine runs one container per service, and cannot scale it",
            "use a Kubernetes engine for it",
            code="unsupported-by-engine",
        )

    def inside(self, service: str, argv: Sequence[str], *, terminal: bool = False) -> CommandLine:
        """Return what runs a program in the service's container, as its user."""
        tty = ["--tty"] if terminal else []
        return CommandLine(["docker", "exec", "--interactive", *tty, self._running(service).name, *argv], CLI_ENVIRONMENT)

    def beside(self, service: str, argv: Sequence[str], image: str, *, terminal: bool) -> CommandLine:
        """Return what runs a program in a container of its own, in the service's network and among its processes; it goes afterwards."""
        target = self._running(service)
        name, user = target.name, target.attrs["Config"]["User"]
        share = (f"--network=container:{name}", f"--pid=container:{name}", f"--user={user or '0'}")
        rights = ("--cap-drop=ALL", "--security-opt=no-new-privileges:true")
        chosen = image or self._image_with_shell() or SMALL_IMAGE
        tty = ["--tty"] if terminal else []
        return CommandLine(
            ["docker", "run", "--rm", "--interactive", *tty, *share, *rights, "--entrypoint=", chosen, *argv], CLI_ENVIRONMENT
        )

    def _image_with_shell(self) -> str:
        for container in self._containers.by_workload().values():
            with told("the containers cannot be asked for a shell"):
                if container.status == "running" and container.exec_run(["sh", "-c", ":"]).exit_code == 0:
                    return str(container.attrs["Config"]["Image"])
        return ""

    def _running(self, service: str) -> Any:
        container = self._container(service)
        if container.status != "running":
            raise TaskError(f"the container of {service} is {container.status}", "invoke diagnose", code="not-healthy")
        return container

    def _container(self, service: str) -> Any:
        by_service = self._containers.by_service()
        if service not in by_service:
            raise unknown_service(service, by_service)
        return by_service[service]
