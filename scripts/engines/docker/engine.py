"""The engine without Kubernetes: the pods of the rendered chart as plain containers of a local Docker engine. A preview."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import requests
import yaml
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import Mount

from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import Image
from scripts.desired.secrets import Secret
from scripts.engines.docker.pod_spec import ContainerPlan, PodPlan, Probe, SecretKey, plan
from scripts.engines.protocol import Address
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.service_client import Answer, ServiceClient
from scripts.machine.docker_client import docker_client

LOG_LINES = 15
RENDER_SECONDS = 60
INIT_SECONDS = 180
INIT_ATTEMPTS = 3
INIT_PAUSE_SECONDS = 2
END_SECONDS = 5


class DockerEngine:
    """Runs the app on the local Docker engine. Everything it makes carries the project's labels; it touches nothing else."""

    name = "docker"
    tools: Sequence[str] = ("docker", "helm")
    deployment: Deployment | None = None

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._labels = {"app.kubernetes.io/part-of": settings.release, "app.kubernetes.io/managed-by": "todo-tasks"}

    def unusable(self) -> str:
        """Return why Docker cannot be used, or an empty string."""
        try:
            docker_client()
        except MissingError as error:
            return error.cause
        return ""

    def deployed(self) -> bool:
        """Return whether containers of the app are there."""
        return not self.unusable() and bool(self._containers())

    def preflight(self) -> list[str]:
        """Return the ports on this machine that others hold."""
        if self.unusable():
            return [f"{self.unusable()}: start Docker, or run `invoke setup`"]
        ours = {container.labels.get("todo.service") for container in self._containers() if container.status == "running"}
        return [
            f"port {service.local_port} (services.{name}.local_port) is in use: end what listens there, or choose another in invoke.yaml"
            for name, service in self._settings.services.items()
            if name not in ours and _listens(service.local_port)
        ]

    def start(self, step: StepReport) -> Outcome:
        """Make the project's network."""
        step.progress("checking the network")
        if self._client().networks.list(names=[f"^{self._network}$"]):
            return unchanged(f"Docker {self._client().version()['Version']}")
        self._client().networks.create(self._network, labels=self._labels)
        return changed(f"network {self._network}")

    def load_images(self, images: Sequence[Image], step: StepReport) -> Outcome:
        """Verify that the images are there: they were built by the engine that runs them."""
        for image in images:
            step.progress(image.reference)
            try:
                self._client().images.get(image.reference)
            except ImageNotFound:
                raise TaskError(f"{image.reference} is not in the Docker engine", "invoke build") from None
        return unchanged("built where they run")

    def apply_secrets(self, secrets: Sequence[Secret], step: StepReport) -> Outcome:
        """Tell whether the running containers have these Secrets; they stay in memory, for the containers to be made."""
        step.progress(", ".join(secret.name for secret in secrets))
        used = {name for c in self._containers() for name in c.labels.get("todo.secrets", "").split(",")}
        keys = sum(len(secret.keys) for secret in secrets)
        if used.issuperset(secret.name for secret in secrets):
            return unchanged(f"{keys} keys for {len(secrets)} workloads")
        return changed(f"{keys} keys for {len(secrets)} workloads, handed over in memory")

    def install(self, release: HelmRelease, secrets: Sequence[Secret], step: StepReport) -> Outcome:
        """Bring the containers to what the chart renders: make, replace, start or remove only what differs."""
        step.progress("rendering the chart")
        wanted = plan(self._render(release))
        by_name = {secret.name: secret for secret in secrets}
        there = {container.labels["todo.workload"]: container for container in self._containers()}
        touched = []
        for name in there.keys() - {pod.workload for pod in wanted.pods}:
            there[name].remove(force=True)
            touched.append(name)
        for pod in wanted.pods:
            current = there.get(pod.workload)
            if current and current.labels.get("todo.spec") == pod.digest and current.status == "running":
                continue
            self._replace(pod, current, by_name, step)
            touched.append(pod.workload)
        preview = f"preview, without {', '.join(sorted(wanted.left_out))}" if wanted.left_out else ""
        return changed("; ".join((", ".join(touched), preview))) if touched else unchanged(preview)

    def await_rollout(self, release: HelmRelease, timeout: float, step: StepReport) -> Outcome:
        """Ask the chart's startup and readiness probes until every container is ready."""
        deadline, waited = time.monotonic() + timeout, False
        pods = plan(self._render(release)).pods
        for pod in pods:
            for probe in (pod.container.startup, pod.container.readiness):
                if probe:
                    waited |= self._await_probe(pod, probe, deadline, step)
        return Outcome("changed" if waited else "unchanged", f"{len(pods)} ready")

    def prune(self, secrets: Sequence[Secret], images: Sequence[Image]) -> None:  # noqa: ARG002 - Secrets live in memory here
        """Remove images of this release that no container uses and that are not the current ones."""
        wanted = {image.reference for image in images}
        ours = {"label": f"app.kubernetes.io/part-of={self._settings.release}"}
        for image in images:
            for old in self._client().images.list(name=image.repository, filters=ours):
                if wanted.isdisjoint(old.tags):
                    try:
                        self._client().images.remove(old.id)
                    except APIError:  # a container uses it, or it has another name as well
                        continue

    def rollback(self, step: StepReport) -> Outcome:  # noqa: ARG002 - the protocol's
        """Docker keeps no releases. Raises InputError."""
        raise InputError(f"the {self.name} engine keeps no releases", "check out the commit that worked, and `invoke up`")

    def open_client(self) -> AbstractContextManager[ServiceClient]:
        """Ask the services at their published ports."""
        return nullcontext(self._ask)

    def _ask(self, service: str, method: str, path: str, body: str | None = None, timeout: float = 10) -> Answer:
        url = f"http://127.0.0.1:{self._settings.services[service].local_port}{path}"
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            with _direct_session() as session:
                answer = session.request(method, url, data=body, headers=headers, timeout=timeout)
        except requests.RequestException as error:
            raise TaskError(f"{service} does not answer at {path}", "invoke status", [_plain(error)]) from None
        return Answer(answer.status_code, answer.text)

    def addresses(self) -> list[Address]:
        """Return the URLs of the public services."""
        public = ((name, service) for name, service in self._settings.services.items() if service.public)
        return [Address(name, f"http://127.0.0.1:{service.local_port}") for name, service in public]

    def pods(self) -> list[PodState]:
        """Return the app's containers."""
        return [
            PodState(
                service=container.labels.get("todo.service", ""),
                name=container.name,
                state=container.status,
                ready=container.status == "running",
                restarts=int(container.attrs.get("RestartCount", 0)),
                image=container.attrs["Config"]["Image"],
            )
            for container in sorted(self._containers(), key=lambda c: str(c.name))
        ]

    def logs(self, workload: str, lines: int) -> str:
        """Return the last lines that a workload's container wrote."""
        for container in self._containers():
            if workload in (container.labels["todo.workload"], container.labels["todo.service"]):
                return str(container.logs(tail=lines).decode(errors="replace"))
        raise InputError(
            f"no container of `{workload}`",
            f"one of: {', '.join(c.labels['todo.service'] for c in self._containers())}",
        )

    def down(self, *, delete_data: bool, delete_cluster: bool = False, step: StepReport) -> Outcome:
        """Remove the containers and the network; the database's volume only when asked."""
        if delete_cluster:
            raise InputError("the docker engine has no cluster to delete", "leave --cluster out")
        if self.unusable():
            raise MissingError(f"{self.unusable()}, so nothing can be removed", "start Docker and run it again")
        removed = []
        for container in [*self._containers(), *self._containers(kind="init")]:
            step.progress(f"removing {container.name}")
            container.stop(timeout=int(container.labels.get("todo.grace", "10")))
            container.remove(force=True)
            removed.append(container.name)
        for network in self._client().networks.list(filters={"label": self._label_filter()}):
            network.remove()
            removed.append(f"network {network.name}")
        volumes = self._client().volumes.list(filters={"label": self._label_filter()})
        if delete_data:
            for volume in volumes:
                volume.remove()
                removed.append(f"volume {volume.name}")
        kept = f"; kept the data (volume {', '.join(v.name for v in volumes)})" if volumes and not delete_data else ""
        return changed(f"removed {', '.join(removed)}{kept}") if removed else unchanged(f"nothing was there{kept}")

    @property
    def _network(self) -> str:
        return self._settings.release

    def _client(self) -> Any:
        return docker_client()

    def _label_filter(self) -> list[str]:
        return [f"{key}={value}" for key, value in self._labels.items()]

    def _containers(self, kind: str = "main") -> list[Any]:
        found: list[Any] = self._client().containers.list(all=True, filters={"label": [*self._label_filter(), f"todo.kind={kind}"]})
        return found

    def _render(self, release: HelmRelease) -> list[dict[str, Any]]:
        rendered = shell.run(
            [
                *("helm", "template", release.name, str(release.chart), "--namespace", release.namespace),
                *("--kube-version", self._settings.kubernetes_version, "--values", "-"),
            ],
            input=release.values_json,
            timeout=RENDER_SECONDS,
        )
        return [thing for thing in yaml.load_all(rendered.stdout, Loader=_YAML_LOADER) if thing]

    def _replace(self, pod: PodPlan, current: Any, secrets: Mapping[str, Secret], step: StepReport) -> None:
        """Replace the pod's containers: what runs before it first, to its end."""
        missing = [name for plan in (pod.container, *pod.init) for name in plan.secret_names() if name not in secrets]
        if missing:
            raise TaskError(f"{pod.workload} needs the Secret {missing[0]}, which is not there", "invoke up")
        for path, claim in pod.container.volumes.items():
            self._ensure_volume(claim, path, pod)
        for init in pod.init:
            self._run_init(pod, init, secrets, step)
        if current:
            step.progress(f"stopping the old {pod.workload}")
            current.stop(timeout=pod.container.grace)
            current.remove(force=True)
        step.progress(f"starting {pod.workload}")
        container = self._create(pod, pod.container, pod.workload, "main", secrets)
        try:
            container.start()
        except APIError as error:
            container.remove(force=True)
            raise TaskError(f"{pod.workload} cannot start: {error.explanation}", "fix the cause and run `invoke up` again") from None

    def _create(self, pod: PodPlan, container: ContainerPlan, name: str, kind: str, secrets: Mapping[str, Secret]) -> Any:
        self._remove_left_over(name)
        service = self._settings.services.get(pod.service)
        ports = {f"{p}/tcp": ("127.0.0.1", service.local_port) for p in container.ports if service and p == service.port and kind == "main"}
        labels = {
            **self._labels,
            "todo.kind": kind,
            "todo.workload": pod.workload,
            "todo.service": pod.service,
            "todo.spec": pod.digest,
            "todo.secrets": ",".join(container.secret_names()),
            "todo.grace": str(container.grace),
        }
        uid = container.user.partition(":")[0] or "0"
        api = self._client().api
        host = api.create_host_config(
            network_mode=self._network,
            port_bindings=ports,
            read_only=container.read_only,
            cap_drop=list(container.drop),
            security_opt=[] if container.new_privileges else ["no-new-privileges:true"],
            mem_limit=container.memory or None,
            memswap_limit=container.memory or None,
            nano_cpus=int(container.cpus * 1e9) or None,
            tmpfs={path: _tmpfs_options(size, uid) for path, size in container.tmpfs.items()},
            mounts=[Mount(path, claim, type="volume", no_copy=True) for path, claim in container.volumes.items()],
            restart_policy={"Name": "unless-stopped"} if kind == "main" else None,
            init=False,
        )
        aliases = list(pod.aliases) if kind == "main" else []
        created = api.create_container(
            image=container.image,
            name=name,
            entrypoint=list(container.command) or None,
            command=list(container.args) or None,
            working_dir=container.working_dir or None,
            environment={key: _value(value, secrets) for key, value in container.env.items()},
            user=container.user or None,
            # At SIGTERM the app waits for clients to turn to another replica; here there is none.
            stop_signal="SIGINT",
            ports=[p for p in container.ports if ports],
            labels=labels,
            host_config=host,
            networking_config=api.create_networking_config({self._network: api.create_endpoint_config(aliases=aliases)}),
        )
        return self._client().containers.get(created["Id"])

    def _remove_left_over(self, name: str) -> None:
        """Remove a container of ours that holds the name, left by a run that was killed; refuse a stranger's."""
        try:
            container = self._client().containers.get(name)
        except NotFound:
            return
        if any(container.labels.get(key) != value for key, value in self._labels.items()):
            raise TaskError(f"a container named {name} is there, and is not the project's", f"rename or remove it: docker rm {name}")
        container.remove(force=True)

    def _run_init(self, pod: PodPlan, init: ContainerPlan, secrets: Mapping[str, Secret], step: StepReport) -> None:
        """Run an init container to its end; like the kubelet, again after a failure, until the time is over."""
        name, deadline = f"{pod.workload}-{init.name}", time.monotonic() + INIT_SECONDS
        for attempt in range(1, INIT_ATTEMPTS + 1):
            step.progress(f"{pod.workload}: {init.name}" + (f" (attempt {attempt})" if attempt > 1 else ""))
            container = self._create(pod, init, name, "init", secrets)
            try:
                container.start()
                code = self._wait_for_exit(container, deadline)
                log = container.logs(tail=LOG_LINES).decode(errors="replace").splitlines()
            finally:
                container.remove(force=True)
            if code == 0:
                return
            if code is None:
                break
            shell.pause(INIT_PAUSE_SECONDS)
        ended = f"ended with exit code {code}" if code is not None else f"did not end within {INIT_SECONDS} s"
        raise TaskError(f"{pod.workload}: the init container `{init.name}` {ended}", "its last lines say why", log)

    def _wait_for_exit(self, container: Any, deadline: float) -> int | None:
        while time.monotonic() < deadline:
            container.reload()
            if container.status == "exited":
                return int(container.attrs["State"]["ExitCode"])
            shell.pause(0.2)
        return None

    def _ensure_volume(self, claim: str, path: str, pod: PodPlan) -> None:
        """Make the volume, and give it to the pod's fsGroup as the kubelet does."""
        try:
            self._client().volumes.get(claim)
        except NotFound:
            self._client().volumes.create(claim, labels=self._labels)
        owner = f"{pod.container.user.partition(':')[0] or 0}:{pod.group}"
        self._client().containers.run(
            pod.container.image,
            entrypoint=["chown", owner, path],
            command=[],
            user="0:0",
            cap_drop=["ALL"],
            cap_add=["CHOWN"],
            network_mode="none",
            read_only=True,
            remove=True,
            labels={**self._labels, "todo.kind": "init", "todo.workload": pod.workload, "todo.service": pod.service},
            mounts=[Mount(path, claim, type="volume", no_copy=True)],
        )

    def _await_probe(self, pod: PodPlan, probe: Probe, deadline: float, step: StepReport) -> bool:
        """Ask one probe until it succeeds; return whether that took more than one look.

        Raises TaskError with the last answer and log lines when the container dies or the time is over.
        """
        service = self._settings.services.get(pod.service)
        container = self._client().containers.get(pod.workload)
        answer, looks = "", 0
        while time.monotonic() < deadline:
            container.reload()
            if container.status != "running" or int(container.attrs.get("RestartCount", 0)) > 2:
                break
            step.progress(f"{pod.workload}: {answer or 'waiting for its probe'}")
            good, answer = _ask(container, probe, service.local_port if service else 0)
            looks += 1
            if good:
                return looks > 1
            shell.pause(min(0.2, probe.period))
        raise self._not_ready(pod, container, probe, answer)

    def _not_ready(self, pod: PodPlan, container: Any, probe: Probe, answer: str) -> TaskError:
        container.reload()
        restarted = bool(container.attrs.get("RestartCount", 0))
        state = _between_two_runs(container) if restarted else container.attrs["State"]
        lines = container.logs(tail=LOG_LINES).decode(errors="replace").splitlines()
        if state.get("OOMKilled"):
            cause = f"{pod.workload} used more than its memory limit ({pod.container.memory // 2**20} MiB) and was killed"
            action = f"raise services.{pod.service}.resources.limits.memory in the chart's values"
        elif restarted or container.status != "running":
            cause = f"{pod.workload} ends with exit code {state.get('ExitCode')} soon after its start"
            action = "its last log lines say why"
        else:
            what = probe.path or " ".join(probe.command)
            cause = f"{pod.workload} does not get ready: {what} says {answer or 'nothing'}"
            action = "its last log lines say why"
        return TaskError(cause, action, lines)


def _value(value: str | SecretKey, secrets: Mapping[str, Secret]) -> str:
    if isinstance(value, str):
        return value
    secret = secrets[value.secret]
    if value.key not in secret.values:
        raise TaskError(f"the Secret {value.secret} has no key {value.key}", f"add it to services.{secret.service}.secrets")
    return secret.values[value.key]


_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _tmpfs_options(size: int, uid: str) -> str:
    return f"rw,nosuid,nodev,uid={uid},gid={uid},mode=1777" + (f",size={size}" if size else "")


def _between_two_runs(container: Any) -> dict[str, Any]:
    """Wait, for a moment, until a container that ends again and again has ended: while it runs, its exit code reads 0. Return its state."""
    deadline = time.monotonic() + END_SECONDS
    while container.attrs["State"]["Status"] == "running" and time.monotonic() < deadline:
        shell.pause(0.05)
        container.reload()
    state: dict[str, Any] = container.attrs["State"]
    return state


def _listens(port: int) -> bool:
    """Return whether somebody listens on the port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _ask(container: Any, probe: Probe, port: int) -> tuple[bool, str]:
    """Ask a probe once; return whether it is content, and what it said."""
    if probe.command:
        try:
            code, output = container.exec_run(list(probe.command))
        except (APIError, DockerException) as error:
            return False, str(error)
        lines = output.decode(errors="replace").strip().splitlines()
        return code == 0, lines[-1] if lines else f"exit code {code}"
    try:
        with _direct_session() as session:
            answer = session.get(f"http://127.0.0.1:{port}{probe.path}", timeout=probe.timeout)
    except requests.RequestException as error:
        return False, _plain(error)
    return 200 <= answer.status_code < 400, f"{answer.status_code} {_first_line(answer.text)}"


@contextmanager
def _direct_session() -> Iterator[requests.Session]:
    """A session that takes no proxy from the environment: the loopback address is never behind one."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def _plain(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "connection refused" if isinstance(error, requests.ConnectionError) else str(error)


def _first_line(text: str) -> str:
    try:
        return json.dumps(json.loads(text))[:200]
    except ValueError:
        return text.strip().split("\n", 1)[0][:200]
