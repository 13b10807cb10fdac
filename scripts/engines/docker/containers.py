"""Containers of the app: each carries the project's labels, and is replaced only when its successor is made."""

from __future__ import annotations

import http
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import Mount

from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.hashes import FINGERPRINT, short_hash
from scripts.core.paths import STATE
from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.desired import labels
from scripts.desired.secrets import Secret
from scripts.engines.docker.pod_spec import ContainerPlan, PodPlan, SecretKey
from scripts.engines.docker.volumes import ensure_volumes
from scripts.machine.docker_client import docker_client
from scripts.machine.docker_errors import told

LOG_LINES = 15
REMOVAL_SECONDS = 60
MOUNTS = STATE / "mounts"
INIT_SECONDS = 180
INIT_ATTEMPTS = 3
INIT_PAUSE_SECONDS = 2
NEXT, OLD = "-next", "-old"
"""A successor until it takes over, and a predecessor until its successor has started."""


def secrets_of(container: Any) -> set[str]:
    """Return the names of the Secrets that a container was made with."""
    return set(filter(None, container.labels.get("todo.secrets", "").split(",")))


def grace_of(container: Any) -> int:
    """Return how many seconds a container gets to stop."""
    return int(container.labels.get("todo.grace", "10"))


def end_container(container: Any) -> None:
    """Stop a container within its grace, and remove it. Raises what Docker's library raises."""
    container.stop(timeout=grace_of(container))
    remove_container(container)


def remove_container(container: Any) -> None:
    """Remove a container, and wait until it is gone where somebody removes it already. Raises what Docker's library raises."""
    try:
        container.remove(force=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != http.HTTPStatus.CONFLICT:
            raise
        with suppress(NotFound):
            container.wait(condition="removed", timeout=REMOVAL_SECONDS)


class Containers:
    """The containers of one release."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.network = settings.release
        self.labels = labels.of_project(settings.release)

    def every(self) -> list[Any]:
        """Return all containers of ours: what runs, what runs before it, and what a killed run left."""
        with told("the containers cannot be listed"):
            found: list[Any] = docker_client().containers.list(all=True, filters={"label": labels.pairs(self.labels)})
        return found

    def by_workload(self) -> dict[str, Any]:
        """Return the container that stands for each workload."""
        return {container.name: container for container in self.every() if container.name == container.labels.get("todo.workload")}

    def by_service(self) -> dict[str, Any]:
        """Return the container of each service."""
        return {container.labels["todo.service"]: container for container in self.by_workload().values()}

    def published_ports(self) -> set[int]:
        """Return the ports of this machine that running containers of ours were given."""
        running = [container for container in self.every() if container.status == "running"]
        bound = [binds for c in running for binds in (c.attrs["HostConfig"].get("PortBindings") or {}).values()]
        return {int(bind["HostPort"]) for binds in bound for bind in binds or () if bind["HostPort"]}

    def local_port(self, service: str) -> int:
        """Return the port of this machine that leads to a service; 0: none, or it does not run."""
        declared = self._settings.services.get(service)
        if declared is None or not declared.port:
            return 0
        if declared.wanted_local_port:
            return declared.wanted_local_port
        container = self.by_service().get(service)
        bound = (container.attrs["NetworkSettings"].get("Ports") or {}).get(f"{declared.port}/tcp") if container else None
        return int(bound[0]["HostPort"]) if bound else 0

    def address(self, service: str) -> str:
        """Return the address of a service's container in Docker's own network; empty: it does not run."""
        container = self.by_service().get(service)
        networks = container.attrs["NetworkSettings"]["Networks"] if container else {}
        return str(networks.get(self.network, {}).get("IPAddress", ""))

    def restore(self) -> None:
        """Bring back each predecessor whose successor never took its name, and remove what else a killed run left."""
        there = {container.name: container for container in self.every()}
        with told("what an earlier run left cannot be cleared away"):
            for name, container in there.items():
                workload = container.labels.get("todo.workload", name)
                if name == f"{workload}{OLD}" and workload not in there:
                    container.rename(workload)
                    container.start()
                elif name != workload:
                    remove_container(container)

    def replace(self, pod: PodPlan, current: Any, secrets: Mapping[str, Secret], step: StepReport) -> None:
        """Replace the pod's containers: what runs before it first, to its end. What cannot be replaced goes on. Raises TaskError."""
        missing = [name for plan in (pod.container, *pod.init) for name in plan.secret_names() if name not in secrets]
        if missing:
            raise TaskError(f"{pod.workload} needs the Secret {missing[0]}, which does not exist", "invoke up", code="secret-missing")
        ensure_volumes(pod, self.labels)
        for init in pod.init:
            self._run_init(pod, init, secrets, step)
        self._refuse_a_stranger(pod.workload)
        successor = self._create(pod, pod.container, f"{pod.workload}{NEXT}", "main", secrets)
        if current:
            step.progress(f"stopping the old {pod.workload}")
            with told(f"the old {pod.workload} cannot be stopped"):
                current.stop(timeout=pod.container.grace)
                current.rename(f"{pod.workload}{OLD}")
        step.progress(f"starting {pod.workload}")
        try:
            with told(f"{pod.workload} cannot start"):
                successor.rename(pod.workload)
                successor.start()
        except TaskError:
            self._take_back(pod.workload, successor, current)
            raise
        if current:
            with told(f"the old {pod.workload} cannot be removed"):
                remove_container(current)

    def _take_back(self, workload: str, successor: Any, current: Any) -> None:
        with suppress(TaskError), told(f"the old {workload} cannot come back"):
            remove_container(successor)
            if current:
                current.rename(workload)
                current.start()

    def _create(self, pod: PodPlan, container: ContainerPlan, name: str, kind: str, secrets: Mapping[str, Secret]) -> Any:
        self._refuse_a_stranger(name)
        service = self._settings.services.get(pod.service)
        port = service.port if service and kind == "main" and service.port in container.ports else None
        wanted = service.wanted_local_port if service else 0
        ports = {f"{port}/tcp": ("127.0.0.1", wanted) if wanted else ("127.0.0.1",)} if port else {}
        marks = {
            **self.labels,
            "todo.kind": kind,
            "todo.workload": pod.workload,
            "todo.service": pod.service,
            "todo.spec": pod.digest,
            "todo.secrets": ",".join(container.secret_names()),
            "todo.grace": str(container.grace),
        }
        environment = {key: _value(value, secrets) for key, value in container.env.items()}
        api: Any = docker_client().api
        with told(f"{pod.workload} cannot be made"):
            with suppress(NotFound):
                remove_container(docker_client().containers.get(name))  # what a killed run left
            aliases = list(pod.aliases) if kind == "main" else []
            created = api.create_container(
                image=container.image,
                name=name,
                entrypoint=list(container.command) or None,
                command=list(container.args) or None,
                working_dir=container.working_dir or None,
                environment=environment,
                user=container.user or None,
                # At SIGTERM the app waits for clients to turn to another replica; here there is none.
                stop_signal="SIGINT",
                ports=[port] if port else [],
                labels=marks,
                host_config=self._host_config(container, ports, kind),
                networking_config=api.create_networking_config({self.network: api.create_endpoint_config(aliases=aliases)}),
                # The proxy of Docker's client configuration, and the password in it, are no business of what runs.
                use_config_proxy=False,
            )
            return docker_client().containers.get(created["Id"])

    def _host_config(self, container: ContainerPlan, ports: Mapping[str, tuple[str] | tuple[str, int]], kind: str) -> Any:
        uid = container.user.partition(":")[0] or "0"
        api: Any = docker_client().api
        return api.create_host_config(
            network_mode=self.network,
            port_bindings=dict(ports),
            read_only=container.read_only,
            cap_drop=list(container.drop),
            security_opt=[] if container.new_privileges else ["no-new-privileges:true"],
            mem_limit=container.memory or None,
            memswap_limit=container.memory or None,
            nano_cpus=int(container.cpus * 1e9) or None,
            tmpfs={path: _tmpfs_options(size, uid) for path, size in container.tmpfs.items()},
            mounts=[
                *(Mount(path, claim, type="volume", no_copy=True) for path, claim in {**container.volumes, **container.sources}.items()),
                *(Mount(path, str(_folder_of(files)), type="bind", read_only=True) for path, files in container.files.items()),
            ],
            restart_policy={"Name": "unless-stopped"} if kind == "main" else None,
            init=False,
        )

    def _refuse_a_stranger(self, name: str) -> None:
        """Raise TaskError where a container that is not ours holds the name."""
        with told(f"{name} cannot be looked for"):
            container = _get(name)
        if container and any(container.labels.get(key) != value for key, value in self.labels.items()):
            raise TaskError(
                f"a container named {name} exists and does not belong to this project",
                f"rename or remove it: docker rm {name}",
                code="name-taken",
            )

    def _run_init(self, pod: PodPlan, init: ContainerPlan, secrets: Mapping[str, Secret], step: StepReport) -> None:
        """Run an init container to its end; like the kubelet, again after a failure, until the time is over."""
        name, deadline = f"{pod.workload}-{init.name}", time.monotonic() + INIT_SECONDS
        for attempt in range(1, INIT_ATTEMPTS + 1):
            step.progress(f"{pod.workload}: {init.name}" + (f" (attempt {attempt})" if attempt > 1 else ""))
            container = self._create(pod, init, name, "init", secrets)
            with told(f"{pod.workload}: the init container `{init.name}` cannot run"):
                try:
                    container.start()
                    code = _wait_for_exit(container, deadline - time.monotonic())
                    log = container.logs(tail=LOG_LINES).decode(errors="replace").splitlines()
                finally:
                    remove_container(container)
            if code == 0:
                return
            if code is None:
                break
            shell.pause(INIT_PAUSE_SECONDS)
        ended = f"ended with exit code {code}" if code is not None else f"did not end within {INIT_SECONDS} s"
        raise TaskError(f"{pod.workload}: the init container `{init.name}` {ended}", "its last lines say why", log, code="init-failed")


def _get(name: str) -> Any:
    try:
        return docker_client().containers.get(name)
    except NotFound:
        return None


def _wait_for_exit(container: Any, seconds: float) -> int | None:
    """Return the exit code, or None where the container has not ended in time."""

    def exited() -> bool:
        container.reload()
        return bool(container.status == "exited")

    try:
        until(exited, seconds=seconds, pause=0.2, what="the init container to end")
    except OverdueError:
        return None
    return int(container.attrs["State"]["ExitCode"])


def _value(value: str | SecretKey, secrets: Mapping[str, Secret]) -> str:
    if isinstance(value, str):
        return value
    secret = secrets[value.secret]
    if value.key not in secret.values:
        raise TaskError(
            f"the Secret {value.secret} has no key {value.key}", f"add it to services.{secret.service}.secrets", code="secret-key-missing"
        )
    return secret.values[value.key]


def _tmpfs_options(size: int, uid: str) -> str:
    return f"rw,nosuid,nodev,uid={uid},gid={uid},mode=1777" + (f",size={size}" if size else "")


def remove_files() -> None:
    """Remove the files that the containers were given, when those are gone."""
    shutil.rmtree(MOUNTS, ignore_errors=True)


def _folder_of(files: Mapping[str, str]) -> Path:
    """Return a folder on this machine that holds the files; its name is their hash. It is whole before it has its name."""
    folder = MOUNTS / short_hash(json.dumps(files, sort_keys=True), FINGERPRINT)
    if not folder.exists():
        MOUNTS.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=MOUNTS))
        for name, text in files.items():
            (new / name).write_text(text, encoding="utf-8")
            (new / name).chmod(0o644)
        new.chmod(0o755)
        with suppress(OSError):  # another run was faster
            new.rename(folder)
    return folder
