"""The engine without Kubernetes: the pods of the rendered chart as plain containers of a local Docker engine. A preview."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import requests
import yaml
from docker.errors import ImageNotFound

from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import Image
from scripts.desired.secrets import Secret
from scripts.engines.docker.containers import Containers
from scripts.engines.docker.pod_spec import Plan, plan
from scripts.engines.docker.probes import await_probe, direct_session, plain
from scripts.engines.protocol import Address
from scripts.images.prune import prune
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.service_client import Answer, ServiceClient
from scripts.machine.docker_client import docker_client, docker_endpoint
from scripts.machine.docker_errors import told

RENDER_SECONDS = 60
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DockerEngine:
    """Runs the app on the local Docker engine. Everything it makes carries the project's labels; it touches nothing else."""

    name = "docker"
    tools: Sequence[str] = ("docker", "helm")
    deployment: Deployment | None = None

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._containers = Containers(settings)

    def unusable(self) -> str:
        """Return why Docker cannot be used, or an empty string."""
        try:
            docker_client()
        except MissingError as error:
            return error.cause
        return ""

    def deployed(self) -> bool:
        """Return whether containers of the app are there."""
        return not self.unusable() and bool(self._containers.by_workload())

    def silent(self) -> str:
        """Return why Docker cannot be asked, or an empty string."""
        return self.unusable()

    def preflight(self) -> list[str]:
        """Return what keeps the app from running here: Docker itself, or ports on this machine that others hold."""
        try:
            docker_client()
        except MissingError as error:
            return [f"{error.cause}: {error.action}"]
        if not docker_endpoint().local:
            where = f"Docker is on another machine ({docker_endpoint().host}), and publishes no port on this one"
            return [f"{where}: use one on this machine, or a Kubernetes engine"]
        ours = self._containers.published_ports()
        return [
            f"port {service.local_port} (services.{name}.local_port) is in use: end what listens there, or choose another in invoke.yaml"
            for name, service in self._settings.services.items()
            if service.local_port not in ours and _listens(service.local_port)
        ]

    def start(self, step: StepReport) -> Outcome:
        """Make the project's network."""
        step.progress("checking the network")
        network = self._containers.network
        with told(f"the network {network} cannot be made"):
            if docker_client().networks.list(names=[f"^{network}$"]):
                return unchanged(f"Docker {docker_client().version()['Version']}")
            docker_client().networks.create(network, labels=self._containers.labels)
        return changed(f"network {network}")

    def load_images(self, images: Sequence[Image], step: StepReport) -> Outcome:
        """Verify that the images are there: they were built by the engine that runs them."""
        for image in images:
            step.progress(image.reference)
            try:
                docker_client().images.get(image.reference)
            except ImageNotFound:
                raise TaskError(f"{image.reference} is not in the Docker daemon", "invoke build", code="image-missing") from None
        return unchanged("built where they run")

    def apply_secrets(self, secrets: Sequence[Secret], step: StepReport) -> Outcome:
        """Tell whether the running containers have these Secrets. Nothing keeps them but containers, which the chart's step makes."""
        step.progress(", ".join(secret.name for secret in secrets))
        used = {name for c in self._containers.by_workload().values() for name in c.labels.get("todo.secrets", "").split(",")}
        keys = f"{sum(len(secret.keys) for secret in secrets)} keys for {len(secrets)} workloads"
        new = not used.issuperset(secret.name for secret in secrets)
        return unchanged(f"{keys}, handed to their containers with the chart" if new else keys)

    def install(self, release: HelmRelease, secrets: Sequence[Secret], step: StepReport) -> Outcome:
        """Bring the containers to what the chart renders: make, replace, start or remove only what differs."""
        step.progress("rendering the chart")
        wanted = self._plan(release)
        self._containers.restore()
        by_name = {secret.name: secret for secret in secrets}
        there = self._containers.by_workload()
        touched = []
        for name in sorted(there.keys() - {pod.workload for pod in wanted.pods}):
            with told(f"{name} cannot be removed"):
                there[name].remove(force=True)
            touched.append(name)
        for pod in wanted.pods:
            current = there.get(pod.workload)
            if current and current.labels.get("todo.spec") == pod.digest and current.status == "running":
                continue
            self._containers.replace(pod, current, by_name, step)
            touched.append(pod.workload)
        preview = f"preview, without {', '.join(sorted(wanted.left_out))}" if wanted.left_out else ""
        return changed("; ".join((", ".join(touched), preview))) if touched else unchanged(preview)

    def await_rollout(self, release: HelmRelease, timeout: float, step: StepReport) -> Outcome:
        """Ask the chart's startup and readiness probes until every container is ready. Raises TaskError where one is not the release's."""
        deadline, waited = time.monotonic() + timeout, False
        pods, there = self._plan(release).pods, self._containers.by_workload()
        for pod in pods:
            container = there.get(pod.workload)
            if container is None or container.labels.get("todo.spec") != pod.digest:
                state = "is of other sources or settings than these" if container else "has no container"
                raise TaskError(f"{pod.workload} {state}", "invoke up", code="not-healthy")
            service = self._settings.services.get(pod.service)
            for probe in filter(None, (pod.container.startup, pod.container.readiness)):
                waited |= await_probe(pod, container, service.local_port if service else 0, probe, deadline, step)
        return Outcome("changed" if waited else "unchanged", f"{len(pods)} ready")

    def prune(self, secrets: Sequence[Secret], images: Sequence[Image]) -> None:  # noqa: ARG002 - only containers keep Secrets here
        """Remove images of this release that neither a container nor the current sources need."""
        prune(self._settings, images)

    def rollback(self, step: StepReport) -> Outcome:  # noqa: ARG002 - the protocol's
        """Docker keeps no releases. Raises InputError."""
        raise InputError(
            f"the {self.name} engine keeps no releases", "check out the commit that worked, and `invoke up`", code="unsupported-by-engine"
        )

    def open_client(self) -> AbstractContextManager[ServiceClient]:
        """Ask the services at their published ports."""
        return nullcontext(self._ask)

    def _ask(self, service: str, method: str, path: str, body: str | None = None, timeout: float = 10) -> Answer:
        url = f"http://127.0.0.1:{self._settings.services[service].local_port}{path}"
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            with direct_session() as session:
                answer = session.request(method, url, data=body, headers=headers, timeout=timeout)
        except requests.RequestException as error:
            raise TaskError(f"{service} does not answer at {path}", "invoke status", [plain(error)], code="service-silent") from None
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
            for _, container in sorted(self._containers.by_workload().items())
        ]

    def logs(self, workload: str, lines: int) -> str:
        """Return the last lines that a workload's container wrote."""
        there = self._containers.by_workload().values()
        for container in there:
            if workload in (container.labels["todo.workload"], container.labels["todo.service"]):
                with told(f"the log of {workload} cannot be read"):
                    return str(container.logs(tail=lines).decode(errors="replace"))
        raise InputError(
            f"no container of `{workload}`", f"one of: {', '.join(c.labels['todo.service'] for c in there)}", code="service-unknown"
        )

    def down(self, *, delete_data: bool, delete_cluster: bool, step: StepReport) -> Outcome:
        """Remove the containers and the network; the database's volume only when asked."""
        if delete_cluster:
            raise InputError("the docker engine has no cluster to delete", "leave --cluster out", code="unsupported-by-engine")
        if self.unusable():
            raise MissingError(f"{self.unusable()}, so nothing can be removed", "start Docker and run it again", code="engine-unusable")
        removed, label = [], {"label": self._containers.label_filter}
        with told("not everything could be removed"):
            for container in self._containers.every():
                step.progress(f"removing {container.name}")
                container.stop(timeout=int(container.labels.get("todo.grace", "10")))
                container.remove(force=True)
                removed.append(container.name)
            for network in docker_client().networks.list(filters=label):
                network.remove()
                removed.append(f"network {network.name}")
            volumes: list[Any] = docker_client().volumes.list(filters=label)
            for volume in volumes if delete_data else ():
                volume.remove()
                removed.append(f"volume {volume.name}")
        kept = f"; kept the data (volume {', '.join(v.name for v in volumes)})" if volumes and not delete_data else ""
        return changed(f"removed {', '.join(removed)}{kept}") if removed else unchanged(f"nothing was there{kept}")

    def _plan(self, release: HelmRelease) -> Plan:
        """Render the chart, and return what to run of it. Raises InputError for what cannot be honoured."""
        rendered = shell.run(
            [
                *("helm", "template", release.name, str(release.chart), "--namespace", release.namespace),
                *("--kube-version", self._settings.kubernetes_version, "--values", "-"),
            ],
            input=release.values_json,
            timeout=RENDER_SECONDS,
        )
        return plan([thing for thing in yaml.load_all(rendered.stdout, Loader=_YAML_LOADER) if thing])


def _listens(port: int) -> bool:
    """Return whether somebody listens on the port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
