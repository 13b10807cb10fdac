"""The engine without Kubernetes: the pods of the rendered chart as plain containers of a local Docker engine. A preview."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import requests

from scripts.config.service_problems import DATABASE
from scripts.config.services import called_by
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.check import Problem
from scripts.core.decision import Change, Decision
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.redaction import redact
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.core.shell import Result
from scripts.desired.helm_release import HelmRelease, provisional_release
from scripts.desired.images import Image
from scripts.desired.labels import pairs
from scripts.desired.secrets import ALSO, Secret
from scripts.desired.stages import Running
from scripts.engines import checked
from scripts.engines.docker import container_logs, usage
from scripts.engines.docker.containers import Containers, end_container, remove_container, remove_files, secrets_of
from scripts.engines.docker.operations import ContainerOperations
from scripts.engines.docker.pod_spec import Plan, PodPlan, plan
from scripts.engines.docker.probes import await_ready, diagnose, direct_session, just_restarted, plain, serves
from scripts.engines.docker.volumes import remove_sources
from scripts.engines.protocol import Address
from scripts.images import prune
from scripts.images.prune import Superfluous, Use
from scripts.kubernetes import helm, manifests
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.service_client import Answer, ServiceClient
from scripts.kubernetes.usage import Amounts, QuotaUse, Scaling
from scripts.logs.line import LogLine, LogQuery
from scripts.machine.docker_client import CLI_ENVIRONMENT, docker_client
from scripts.machine.docker_endpoint import find_endpoint
from scripts.machine.docker_errors import told

EXECUTE_SECONDS = 90
CONNECT_SECONDS = 3
NO_CPU_LIMITS = Problem(
    "Docker cannot limit processors here (no cgroup controller `cpu`), and the chart has limits",
    "for rootless Docker, delegate it (systemd: Delegate=cpu cpuset io memory pids for user@.service); elsewhere use a kernel with CFS "
    "bandwidth control",
)


class DockerEngine:
    """Runs the app on the local Docker engine. Everything it makes carries the project's labels; it touches nothing else."""

    name = "docker"
    tools: Sequence[str] = ("docker", "helm")
    deployment: Deployment | None = None

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._containers = Containers(settings)
        self._plans: dict[str, Plan] = {}  # of each release, by its fingerprint
        self._lock = threading.Lock()
        self._brought = False  # whether this run has made or removed a container

    def unusable(self) -> str:
        """Return why Docker cannot be used, with what to do about it, or an empty string."""
        return str(_obstacle() or "")

    def deployed(self) -> bool:
        """Return whether containers of the app are there."""
        return not self.unusable() and bool(self._containers.by_workload())

    def platform(self) -> str:
        """The daemon runs what it builds."""
        return ""

    def silent(self) -> str:
        """Return why Docker cannot be asked, or an empty string."""
        return self.unusable()

    def preflight(self) -> list[Problem]:
        """Return what keeps the app from running here: Docker itself, or ports on this machine that others hold."""
        if obstacle := _obstacle():
            return [obstacle]
        if not find_endpoint().local:
            where = f"Docker is on another machine ({find_endpoint().host}), and publishes no port on this one"
            return [Problem(where, "use one on this machine, or a Kubernetes engine")]
        if docker_client().info().get("CpuCfsQuota") is False:
            return [NO_CPU_LIMITS]
        ours = self._containers.published_ports()
        return [
            _taken(name, port)
            for name, service in self._settings.services.items()
            if (port := service.wanted_local_port) and port not in ours and _listens(port)
        ]

    def check(self, release: HelmRelease) -> None:
        """Render the chart, and judge what is in it, unless it was the same the last time. Raises TaskError or InputError."""
        checked.unless_known(self.name, release, self._settings.kubernetes_version, lambda: self._plan(release))

    def decide_start(self, step: StepReport) -> Decision:
        """Decide whether to make the project's network."""
        step.progress("checking the network")
        network = self._containers.network
        with told(f"the network {network} cannot be looked for"):
            there = bool(docker_client().networks.list(names=[f"^{network}$"]))
            found = f"Docker {docker_client().version()['Version']}"
        return Decision(found, () if there else (Change(f"make the network {network}", "it is not there"),), self._make_network)

    def _make_network(self, _step: StepReport) -> Outcome:
        network = self._containers.network
        with told(f"the network {network} cannot be made"):
            docker_client().networks.create(network, labels=self._containers.labels)
        return changed(f"network {network}")

    def decide_load(self, images: Sequence[Image], step: StepReport) -> Decision:  # noqa: ARG002 - there is nothing to send
        """Send nothing: the daemon that runs the images has built them."""
        return Decision("built where they run")

    def decide_secrets(self, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Tell whether the running containers have these Secrets. Nothing keeps them but containers, which the chart's step makes."""
        step.progress(", ".join(secret.name for secret in secrets))
        used = {name for container in self._containers.by_workload().values() for name in secrets_of(container)}
        keys = f"{sum(len(secret.keys) for secret in secrets)} keys for {len(secrets)} workloads"
        new = not used.issuperset(secret.name for secret in secrets)
        return Decision(f"{keys}, handed to their containers with the chart" if new else keys)

    def running(self, secrets: Sequence[Secret]) -> Running | None:  # noqa: ARG002 - the containers are at hand
        """Return what the containers hold of Secrets, where all of them run. The chart's step keeps what old ones need."""
        containers = self._containers.by_service()
        if any(container.status != "running" for container in containers.values()):
            return None
        held = {service: self._held(container) for service, container in containers.items()}
        redact.learn(*(value for values in held.values() for value in values.values()))
        return Running({}, held) if held else None

    def _held(self, container: Any) -> dict[str, str]:
        keys = {each for key in self._settings.env for each in (key, key + ALSO)}
        pairs = (each.partition("=") for each in container.attrs["Config"]["Env"])
        return {key: value for key, _, value in pairs if key in keys}

    def decide_install(self, release: HelmRelease, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Decide which containers to make, replace, start or remove: those that differ from what the chart renders."""
        step.progress("rendering the chart")
        wanted = self._plan(release)
        there = self._containers.by_workload()
        changes = [Change(f"remove {name}", "the chart has no such workload") for name in self._superfluous(wanted, there)]
        changes += [
            Change(f"{'replace' if pod.workload in there else 'make'} {pod.workload}", why)
            for pod in wanted.pods
            if (why := _why_not_current(pod, there.get(pod.workload)))
        ]
        preview = f"preview, without {', '.join(sorted(wanted.left_out))}" if wanted.left_out else ""
        return Decision(preview, tuple(changes), partial(self._bring, wanted, secrets, preview))

    def _bring(self, wanted: Plan, secrets: Sequence[Secret], preview: str, step: StepReport) -> Outcome:
        """Bring the containers to the plan, each by itself, and only where it differs."""
        self.decide_start(step).carry_out(step)  # a build takes minutes, in which a `docker network prune` may have come
        self._containers.restore()
        by_name = {secret.name: secret for secret in secrets}
        there = self._containers.by_workload()
        superfluous = self._superfluous(wanted, there)
        before = [name for name in superfluous if _publishes(there[name])]  # a new one may take its port
        touched = self._remove(before, there)
        for pod in wanted.pods:
            if _why_not_current(pod, there.get(pod.workload)):
                self._containers.replace(pod, there.get(pod.workload), by_name, step)
                touched.append(pod.workload)
        touched += self._remove([name for name in superfluous if name not in before], there)  # the old ones may have needed it
        self._brought = bool(touched)
        remove_sources(self._containers.labels, {name for pod in wanted.pods for name in pod.container.sources.values()})
        return changed("; ".join(part for part in (", ".join(touched), preview) if part))

    @staticmethod
    def _remove(names: Sequence[str], there: Mapping[str, Any]) -> list[str]:
        for name in names:
            with told(f"{name} cannot be removed"):
                remove_container(there[name])
        return list(names)

    @staticmethod
    def _superfluous(wanted: Plan, there: Mapping[str, Any]) -> list[str]:
        return sorted(there.keys() - {pod.workload for pod in wanted.pods})

    def await_rollout(self, release: HelmRelease, timeout: float, step: StepReport) -> Outcome:
        """Ask the chart's startup and readiness probes until every container is ready. Raises TaskError where one is not the release's."""
        deadline, waited = time.monotonic() + timeout, False
        pods, there = self._plan(release).pods, self._containers.by_workload()
        for pod in self._callees_first(pods):
            container = there.get(pod.workload)
            if container is None or container.labels.get("todo.spec") != pod.digest:
                state = "is of other sources or settings than these" if container else "has no container"
                raise TaskError(f"{pod.workload} {state}", "invoke up", code="not-healthy")
            left = deadline - time.monotonic()
            waited |= await_ready(pod, container, self._containers.local_port(pod.service), left, step)
        return Outcome("changed" if waited or self._brought else "unchanged", f"{len(pods)} ready")

    def superfluous(self, secrets: Sequence[Secret], images: Sequence[Image], *, everything: bool = False) -> list[Superfluous]:  # noqa: ARG002 - only containers keep Secrets, and each image names its release
        """Return images of this release that neither a container nor the current sources need, nor the way back to those before."""
        return prune.superfluous(self._settings, images, Use(one_before=not everything))

    def withdraw(self, secrets: Sequence[Secret], images: Sequence[Image]) -> list[str]:  # noqa: ARG002 - nothing else keeps a Secret
        """Return the containers that hold other Secrets."""
        names = {secret.name for secret in secrets}
        return [container.name for container in self._containers.every() if secrets_of(container) - names]

    def rollback(self, step: StepReport) -> Outcome:  # noqa: ARG002 - the protocol's
        """Docker keeps no releases. Raises InputError."""
        raise InputError(
            f"the {self.name} engine keeps no releases", "check out the commit that worked, and `invoke up`", code="unsupported-by-engine"
        )

    def open_client(self) -> AbstractContextManager[ServiceClient]:
        """Ask the services at their published ports."""
        return nullcontext(self._ask)

    def _ask(self, service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:  # noqa: ARG002 - each service has one
        url = f"http://127.0.0.1:{self._containers.local_port(service)}{path}"
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
        return [Address(name, f"http://localhost:{service.wanted_local_port}") for name, service in public]

    def pods(self) -> list[PodState]:
        """Return the app's containers. One is ready that runs, stays, and answers at its service's last probe."""
        there = sorted(self._containers.by_workload().items())
        with ThreadPoolExecutor(max_workers=max(1, len(there))) as pool:
            answers = list(pool.map(lambda item: self._answers(item[1]), there))
        return [
            PodState(
                service=container.labels.get("todo.service", ""),
                name=container.name,
                state=container.status,
                ready=answer and not just_restarted(container),
                restarts=int(container.attrs.get("RestartCount", 0)),
                image=container.attrs["Config"]["Image"],
                started=str(container.attrs["State"].get("StartedAt", "")),
                limits=usage.limits(container),
                secrets=frozenset(secrets_of(container)),
            )
            for (_, container), answer in zip(there, answers, strict=True)
        ]

    def _answers(self, container: Any) -> bool:
        """Whether it runs, and what runs in it answers, where it has a port of this machine to be asked at."""
        name = container.labels.get("todo.service", "")
        if container.status != "running" or not (port := self._containers.local_port(name)):
            return bool(container.status == "running")
        return serves(container, next(iter(self._settings.services[name].probe_paths[-1:]), ""), port)

    def usage(self) -> Mapping[str, Amounts]:
        """Return what each container uses."""
        return usage.of_containers(list(self._containers.by_workload().values()))

    def scaling(self) -> Sequence[Scaling]:
        """There is no autoscaler."""
        return ()

    def quota(self) -> Sequence[QuotaUse]:
        """There is no quota."""
        return ()

    @property
    def operations(self) -> ContainerOperations:
        """What a person does by hand to a service."""
        return ContainerOperations(self._containers, self._supposed_pods)

    def _supposed_pods(self) -> list[PodPlan]:
        """The pods that the settings make, with names for the images and Secrets to come."""
        return self._plan(provisional_release(self._settings, monitoring=False)).pods

    def diagnose(self) -> list[Diagnosis]:
        """Return why a workload is not ready, of each that is not."""
        there = self._containers.by_workload()
        found: dict[str, Diagnosis] = {}
        for pod in self._callees_first(self._supposed_pods()):
            if wrong := diagnose(pod, there.get(pod.workload), self._containers.local_port(pod.service)):
                called = next((name for name in self._callees(pod) if name in found), "")
                follows = wrong.code == "readiness-failing" and called
                found[pod.service] = replace(wrong, follows_from=found[called].workload) if follows else wrong
        return list(found.values())

    def _callees_first(self, pods: Sequence[PodPlan]) -> list[PodPlan]:
        """What a pod calls may be why it is not ready."""
        return sorted(pods, key=lambda pod: len(self._callees(pod)))

    def _callees(self, pod: PodPlan) -> list[str]:
        services = self._settings.services
        names = called_by(pod.service, services) if pod.service in services else []
        asks = any(DATABASE in services[name].calls for name in (pod.service, *names) if name in services)
        return [*names, *([DATABASE] if asks else [])]

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Yield what the containers wrote. Raises InputError for a service that has none."""
        return container_logs.read(self._containers, query)

    def reach(self, service: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Return a container's own address. Raises InputError where this machine is not in Docker's networks."""
        address = self._containers.address(service)
        try:
            socket.create_connection((address, port), CONNECT_SECONDS).close()
        except OSError as error:
            raise InputError(
                f"this machine cannot reach {service} at {address}:{port}, in Docker's own network: {error.strerror or error}",
                "use a Kubernetes engine, or Docker on Linux",
                code="unsupported-by-engine",
            ) from None
        return nullcontext((address, port))

    def execute(self, pod: PodState, argv: Sequence[str], given: str) -> Result:
        """Run a program in a container, as its user; return its exit code and what it wrote."""
        command = ["docker", "exec", "--interactive", pod.name, *argv]
        return shell.run(command, input=given, timeout=EXECUTE_SECONDS, ok=None, env=CLI_ENVIRONMENT, logged=False)

    def down(self, *, delete_data: bool, delete_cluster: bool, step: StepReport) -> Outcome:
        """Remove the containers and the network; the database's volume only when asked."""
        if delete_cluster:
            raise InputError("the docker engine has no cluster to delete", "leave --cluster out", code="unsupported-by-engine")
        docker_client()
        removed, label = [], {"label": pairs(self._containers.labels)}
        with told("not everything could be removed"):
            for container in self._containers.every():
                step.progress(f"removing {container.name}")
                end_container(container)
                removed.append(container.name)
            for network in docker_client().networks.list(filters=label):
                network.remove()
                removed.append(f"network {network.name}")
            remove_sources(self._containers.labels)
            volumes: list[Any] = docker_client().volumes.list(filters=label)
            for volume in volumes if delete_data else ():
                volume.remove()
                removed.append(f"volume {volume.name}")
        remove_files()
        kept = f"; kept the data (volume {', '.join(v.name for v in volumes)})" if volumes and not delete_data else ""
        return changed(f"removed {', '.join(removed)}{kept}") if removed else unchanged(f"nothing was there{kept}")

    def _plan(self, release: HelmRelease) -> Plan:
        """Render the chart, once a run, and return what to run of it. Raises InputError for what it cannot honour, or TaskError."""
        with self._lock:
            if release.fingerprint not in self._plans:
                rendered = helm.render(release, self._settings.kubernetes_version)
                self._plans[release.fingerprint] = plan(manifests.objects(rendered))
            return self._plans[release.fingerprint]


def _why_not_current(pod: PodPlan, container: Any) -> str:
    """Return why the container is not the plan's, or an empty string."""
    if container is None:
        return "it has no container"
    if container.labels.get("todo.spec") != pod.digest:
        return "its image, settings or Secrets differ"
    return "" if container.status == "running" else f"its container is {container.status}"


def _publishes(container: Any) -> bool:
    return bool(container.attrs["HostConfig"].get("PortBindings"))


def _obstacle() -> Problem | None:
    """Why Docker cannot be used."""
    try:
        docker_client()
    except MissingError as error:
        return Problem("; ".join((error.cause, *error.evidence)), error.action)
    return None


def _taken(name: str, port: int) -> Problem:
    """Who holds a port of this machine, and how to end it: one of Docker's is not seen by who may not look into the daemon's programs."""
    with told("the containers cannot be listed"):
        names = [each.name for each in docker_client().containers.list(filters={"publish": str(port)})]
    by, way = (f" by the container {names[0]}", f"docker stop {names[0]}") if names else ("", "end what listens there")
    return Problem(f"port {port} (services.{name}.local_port) is in use{by}", f"{way}, or choose another in invoke.yaml")


def _listens(port: int) -> bool:
    """Return whether somebody listens on the port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
