"""Reads the rendered chart for the Docker engine: pods become container plans, and what cannot be honoured is refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from scripts.config.settings import KUBERNETES_ENGINES
from scripts.core.errors import InputError
from scripts.core.hashes import FINGERPRINT, short_hash
from scripts.desired.labels import COMPONENT
from scripts.kubernetes.objects import annotations_of, labels_of, name_of
from scripts.kubernetes.quantity import parse_quantity

WORKLOADS = ("StatefulSet", "Deployment")
NOT_IN_PREVIEW = {
    "HorizontalPodAutoscaler": "autoscaling",
    "PodDisruptionBudget": "disruption budgets",
    "NetworkPolicy": "network policies",
    "ResourceQuota": "quotas",
    "LimitRange": "limit ranges",
    "ServiceMonitor": "monitoring",
    "Ingress": "ingress",
}
WITHOUT_MEANING_HERE = {"ServiceAccount", "PriorityClass"}  # there is no API to have an account with, nor a scheduler

SOURCES = "in-sources-"
"""How the chart names the writable source folders that the containers of a pod share; any other emptyDir is its container's own here."""

# What each level of a pod may say. Keys outside these sets change what runs, and are refused.
POD_KEYS = {"containers", "initContainers", "volumes", "securityContext", "terminationGracePeriodSeconds"}
POD_KEYS_WITHOUT_MEANING_HERE = {
    "serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "topologySpreadConstraints", "restartPolicy",
    "imagePullSecrets", "affinity", "nodeSelector", "tolerations", "priorityClassName",
}  # fmt: skip
CONTAINER_KEYS = {
    "name", "image", "imagePullPolicy", "command", "args", "env", "ports", "resources", "securityContext", "volumeMounts",
    "startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "workingDir",
}  # fmt: skip
SECURITY_KEYS = {
    "allowPrivilegeEscalation", "capabilities", "privileged", "readOnlyRootFilesystem", "runAsNonRoot", "runAsUser", "runAsGroup",
    "seccompProfile", "fsGroup", "fsGroupChangePolicy",
}  # fmt: skip


@dataclass(frozen=True)
class SecretKey:
    """A value that comes from a Secret when the container is made."""

    secret: str
    key: str


@dataclass(frozen=True)
class Probe:
    """A probe: an HTTP path, a command in the container, or, with neither, a connection; and how patient it is, in seconds."""

    path: str = ""
    command: tuple[str, ...] = ()
    period: float = 10
    timeout: float = 1


@dataclass(frozen=True)
class ContainerPlan:
    """One container as Docker is to run it."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    working_dir: str
    env: Mapping[str, str | SecretKey]
    user: str
    read_only: bool
    drop: tuple[str, ...]
    new_privileges: bool
    memory: int
    cpus: float
    tmpfs: Mapping[str, int]
    """Path -> bytes, 0 for no limit."""
    volumes: Mapping[str, str]
    """Path -> claim."""
    files: Mapping[str, Mapping[str, str]]
    """Folder -> name -> text, from ConfigMaps."""
    ports: tuple[int, ...]
    startup: Probe | None
    readiness: Probe | None
    grace: int
    sources: Mapping[str, str] = field(default_factory=dict)
    """Path -> volume that the pod's containers share: a writable source folder of `invoke dev`."""

    def secret_names(self) -> list[str]:
        """The Secrets that this container takes values from."""
        return sorted({value.secret for value in self.env.values() if isinstance(value, SecretKey)})


@dataclass(frozen=True)
class PodPlan:
    """One workload's pod: its container, what runs before it, and the host names that lead to it."""

    workload: str
    service: str
    container: ContainerPlan
    init: tuple[ContainerPlan, ...]
    aliases: tuple[str, ...]
    group: int

    @property
    def digest(self) -> str:
        """A hash over the plan; Secrets count by their names, which change with their content."""
        return short_hash(json.dumps(asdict(self), sort_keys=True), FINGERPRINT)


@dataclass
class Plan:
    """What the Docker engine runs of a chart, and what the preview leaves out."""

    pods: list[PodPlan] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)


def plan(objects: Sequence[Mapping[str, Any]]) -> Plan:
    """Return what to run for the rendered objects. Raises InputError that names every field that cannot be honoured."""
    made, problems = Plan(), _Problems()
    services = [o for o in objects if o["kind"] == "Service"]
    configs = {name_of(o): dict(o.get("data") or {}) for o in objects if o["kind"] == "ConfigMap"}
    for thing in sorted(objects, key=lambda each: each["kind"] != "StatefulSet"):  # the database before those that call it
        kind = thing["kind"]
        if "helm.sh/hook" in annotations_of(thing):
            continue
        if kind in WORKLOADS:
            made.pods.append(_pod(thing, services, configs, problems))
        elif kind in NOT_IN_PREVIEW:
            made.left_out.add(NOT_IN_PREVIEW[kind])
        elif kind not in ("Service", "ConfigMap") and kind not in WITHOUT_MEANING_HERE:
            problems.add(f"{kind} {name_of(thing)}")
    problems.refuse()
    made.pods.sort(key=lambda pod: bool(pod.init))  # what waits for others in an init container comes last
    return made


class _Problems:
    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, problem: str) -> None:
        self.found.append(problem)

    def unknown(self, where: str, given: Mapping[str, Any], known: set[str]) -> None:
        self.found += [f"{where}.{key}" for key in given if key not in known]

    def refuse(self) -> None:
        if self.found:
            action = f"use a Kubernetes engine for it (engine: {' or '.join(KUBERNETES_ENGINES)}), or leave it out"
            raise InputError("the docker engine cannot honour a part of the chart", action, self.found, code="unsupported-by-engine")


def _pod(
    workload: Mapping[str, Any],
    services: Sequence[Mapping[str, Any]],
    configs: Mapping[str, Mapping[str, str]],
    problems: _Problems,
) -> PodPlan:
    kind, name, spec = workload["kind"], name_of(workload), workload["spec"]
    template, where = spec["template"], f"{kind}/{name}: pod"
    pod, labels = template["spec"], labels_of(template)
    problems.unknown(where, pod, POD_KEYS | POD_KEYS_WITHOUT_MEANING_HERE)
    if len(pod["containers"]) != 1:
        problems.add(f"{where}: {len(pod['containers'])} containers in one pod")
    claims = {name_of(claim): f"{name_of(claim)}-{name}-0" for claim in spec.get("volumeClaimTemplates", ())}
    volumes = {claim: {"claim": full} for claim, full in claims.items()} | {v["name"]: dict(v) for v in pod.get("volumes", ())}
    for volume in volumes.values():
        if set(volume) == {"name", "configMap"} and set(volume["configMap"]) == {"name"} and volume["configMap"]["name"] in configs:
            volume["files"] = configs[volume["configMap"]["name"]]
    read = _ContainerReader(where, name, pod, volumes, problems)
    return PodPlan(
        workload=name,
        service=labels.get(COMPONENT, name),
        container=read(pod["containers"][0], "containers"),
        init=tuple(read(container, "initContainers") for container in pod.get("initContainers", ())),
        aliases=tuple(sorted(name_of(s) for s in services if _selects(s, labels))),
        group=int(pod.get("securityContext", {}).get("fsGroup", 0)),
    )


def _selects(service: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    selector = service["spec"].get("selector") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


class _ContainerReader:
    """Reads the containers of one pod."""

    def __init__(self, where: str, workload: str, pod: Mapping[str, Any], volumes: Mapping[str, Any], problems: _Problems) -> None:
        self.where, self.workload, self.pod, self.volumes, self.problems = where, workload, pod, volumes, problems

    def __call__(self, container: Mapping[str, Any], kind: str) -> ContainerPlan:
        where = f"{self.where}.{kind}.{container['name']}"
        self.problems.unknown(where, container, CONTAINER_KEYS)
        security = {**self.pod.get("securityContext", {}), **container.get("securityContext", {})}
        self._check_security(where, security)
        limits = container.get("resources", {}).get("limits", {})
        tmpfs, volumes, files, sources = self._mounts(where, container)
        return ContainerPlan(
            name=container["name"],
            image=container["image"],
            command=tuple(container.get("command", ())),
            args=tuple(container.get("args", ())),
            working_dir=container.get("workingDir", ""),
            env=dict(self._env(where, container)),
            user=f"{security['runAsUser']}:{security.get('runAsGroup', security['runAsUser'])}" if "runAsUser" in security else "",
            read_only=bool(security.get("readOnlyRootFilesystem")),
            drop=tuple(security.get("capabilities", {}).get("drop", ())),
            new_privileges=bool(security.get("allowPrivilegeEscalation", True)),
            memory=quantity(limits.get("memory", "0")),
            cpus=cpus(limits.get("cpu", "0")),
            tmpfs=tmpfs,
            volumes=volumes,
            sources=sources,
            files=files,
            ports=tuple(port["containerPort"] for port in container.get("ports", ())),
            startup=self._probe(where, container, "startupProbe"),
            readiness=self._probe(where, container, "readinessProbe"),
            grace=int(self.pod.get("terminationGracePeriodSeconds", 30)),
        )

    def _check_security(self, where: str, security: Mapping[str, Any]) -> None:
        self.problems.unknown(f"{where}.securityContext", security, SECURITY_KEYS)
        if security.get("privileged"):
            self.problems.add(f"{where}.securityContext.privileged: true")
        if security.get("capabilities", {}).get("add"):
            self.problems.add(f"{where}.securityContext.capabilities.add")
        if security.get("seccompProfile", {}).get("type", "RuntimeDefault") != "RuntimeDefault":
            self.problems.add(f"{where}.securityContext.seccompProfile: {security['seccompProfile']['type']}")
        if security.get("runAsNonRoot") and str(security.get("runAsUser", "")) in ("", "0"):
            self.problems.add(f"{where}.securityContext: runAsNonRoot without a numeric runAsUser")

    def _env(self, where: str, container: Mapping[str, Any]) -> Iterator[tuple[str, str | SecretKey]]:
        for entry in container.get("env", ()):
            source = entry.get("valueFrom")
            if source is None:
                yield entry["name"], str(entry.get("value", ""))
            elif set(source) == {"secretKeyRef"}:
                yield entry["name"], SecretKey(source["secretKeyRef"]["name"], source["secretKeyRef"]["key"])
            else:
                self.problems.add(f"{where}.env.{entry['name']}.valueFrom.{next(iter(source))}")

    def _mounts(
        self, where: str, container: Mapping[str, Any]
    ) -> tuple[dict[str, int], dict[str, str], dict[str, Mapping[str, str]], dict[str, str]]:
        tmpfs: dict[str, int] = {}
        volumes: dict[str, str] = {}
        sources: dict[str, str] = {}
        files: dict[str, Mapping[str, str]] = {}
        for mount in container.get("volumeMounts", ()):
            volume = self.volumes.get(mount["name"], {})
            self.problems.unknown(f"{where}.volumeMounts.{mount['name']}", mount, {"name", "mountPath"})
            if "claim" in volume:
                volumes[mount["mountPath"]] = volume["claim"]
            elif "files" in volume:
                files[mount["mountPath"]] = volume["files"]
            elif "emptyDir" in volume and mount["name"].startswith(SOURCES):
                # Named by the image that fills it, so that an old container keeps what it runs on.
                sources[mount["mountPath"]] = f"{self.workload}-{mount['name']}-{container['image'].rpartition(':')[2]}"
            elif "emptyDir" in volume:
                tmpfs[mount["mountPath"]] = quantity((volume["emptyDir"] or {}).get("sizeLimit", "0"))
            else:
                kind = next((key for key in volume if key != "name"), "missing")
                self.problems.add(f"{where}: volume `{mount['name']}` of kind {kind}")
        return tmpfs, volumes, files, sources

    def _probe(self, where: str, container: Mapping[str, Any], key: str) -> Probe | None:
        probe = container.get(key)
        if not probe:
            return None
        patience = (float(probe.get("periodSeconds", 10)), float(probe.get("timeoutSeconds", 1)))
        if "httpGet" in probe:
            return Probe(probe["httpGet"].get("path", "/"), (), *patience)
        if "exec" in probe:
            return Probe("", tuple(probe["exec"]["command"]), *patience)
        if "tcpSocket" in probe:
            return Probe("", (), *patience)
        self.problems.add(f"{where}.{key}: neither httpGet, exec nor tcpSocket")
        return None


def quantity(text: str | int) -> int:
    """Return a Kubernetes quantity of memory or storage in bytes: `64Mi`, `1Gi`, `500M`, `1024`. Raises InputError."""
    return int(_number(text))


def cpus(text: str | float) -> float:
    """Return a Kubernetes quantity of CPU in cores: `250m`, `1`, `0.5`. Raises InputError."""
    return float(_number(text))


def _number(text: str | float) -> Decimal:
    try:
        return parse_quantity(text)
    except ValueError:
        raise InputError(
            f"`{text}` is not a quantity", "write it as Kubernetes does: 64Mi, 1Gi, 250m or a number", code="values-invalid"
        ) from None
