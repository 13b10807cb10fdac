"""What a release uses: CPU and memory of its pods, what its autoscalers do and why, what is left of its quota."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.core.errors import TaskError
from scripts.kubernetes import api
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import SECONDS, Cluster
from scripts.kubernetes.objects import condition_of, name_of, service_of, status_of
from scripts.kubernetes.quantity import parse_quantity

BLIND = "the HPA was unable to compute the replica count: "
METRICS = "/apis/metrics.k8s.io/v1beta1"


@dataclass(frozen=True)
class Amounts:
    """CPU in cores and memory in bytes; 0: none is known, or no limit."""

    cpu: float = 0.0
    memory: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        """Return both together."""
        return Amounts(self.cpu + other.cpu, self.memory + other.memory)

    def of(self, limits: Amounts) -> tuple[str, str]:
        """Return CPU in cores and memory in MiB as a person reads them, in use against their limit; empty where nothing is known."""
        cpu = f"{self.cpu:.2f}/{limits.cpu:g}" if self.cpu or self.memory else ""
        return cpu, f"{self.memory // 2**20}/{limits.memory // 2**20} MiB" if self.memory else ""


NOTHING = Amounts()


@dataclass(frozen=True)
class Scaling:
    """What an autoscaler does."""

    service: str
    now: int
    wanted: int
    least: int
    most: int
    metrics: str
    why: str
    """Why it does not do more: what keeps it blind, or at a bound. Empty where nothing does."""


@dataclass(frozen=True)
class QuotaUse:
    """How much of one figure of a quota is used."""

    resource: str
    used: str
    hard: str

    @property
    def share(self) -> float:
        """The part that is used."""
        hard = parse_quantity(self.hard)
        return float(parse_quantity(self.used) / hard) if hard else 0.0


def amounts(containers: Sequence[Any], where: str) -> Amounts:
    """Return what containers have together, of what a resource list says: `usage`, or `limits` under `resources`."""
    found = [each.get(where) or each.get("resources", {}).get(where) or {} for each in containers]
    return Amounts(
        float(sum(parse_quantity(each.get("cpu", 0)) for each in found)), int(sum(parse_quantity(each.get("memory", 0)) for each in found))
    )


def of_pods(cluster: Cluster) -> dict[str, Amounts]:
    """Return what each pod uses, by name; nothing where the cluster has no metrics."""
    path = f"{METRICS}/namespaces/{cluster.namespace}/pods"
    try:
        return {name_of(each): amounts(each["containers"], "usage") for each in _asked(cluster, path).get("items", ())}
    except TaskError:  # no metrics-server, or one that does not answer
        return {}


def _asked(cluster: Cluster, path: str) -> Object:
    if connect := cluster.connection():
        found = api.request(connect, "GET", path, SECONDS)
        return found[1] if found and found[0] == 200 else {}
    answer: Object = json.loads(cluster.kubectl("get", "--raw", path).stdout)
    return answer


def scaling(cluster: Cluster) -> list[Scaling]:
    """Return what each autoscaler of the release does."""
    found = cluster.get("horizontalpodautoscalers", selector=cluster.selector)
    return [read_autoscaler(each) for each in found]


def read_autoscaler(thing: Object) -> Scaling:
    """Return what an autoscaler does, as its object says. Pure."""
    spec, status = thing["spec"], status_of(thing)
    return Scaling(
        service=service_of(thing) or name_of(thing),
        now=int(status.get("currentReplicas", 0)),
        wanted=int(status.get("desiredReplicas", 0)),
        least=int(spec.get("minReplicas", 1)),
        most=int(spec["maxReplicas"]),
        metrics=", ".join(_metrics(spec.get("metrics") or (), status.get("currentMetrics") or ())),
        why=_why(thing),
    )


def _metrics(wanted: Sequence[Any], now: Sequence[Any]) -> Iterator[str]:
    """Yield each metric with its value and its target, where the object tells both."""
    values = {_name(each): _part(each).get("current", {}) for each in now if each.get("type")}
    for each in wanted:
        name, target = _name(each), _part(each)["target"]
        current = values.get(name, {})
        if "averageUtilization" in target:
            yield f"{name} {current.get('averageUtilization', '?')} of {target['averageUtilization']} %"
        else:
            yield f"{name} {current.get('averageValue', '?')} of {target.get('averageValue', target.get('value'))}"


def _part(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = str(metric["type"])
    part: Mapping[str, Any] = metric[kind[0].lower() + kind[1:]]
    return part


def _name(metric: Mapping[str, Any]) -> str:
    part = _part(metric)
    return str(part.get("name") or part.get("metric", {}).get("name", ""))


def _why(thing: Object) -> str:
    for kind in ("AbleToScale", "ScalingActive"):
        condition = condition_of(thing, kind)
        if condition.get("status") == "False":
            return str(condition.get("message") or condition.get("reason", "")).removeprefix(BLIND)
    limited = condition_of(thing, "ScalingLimited")
    return str(limited.get("message", "")) if limited.get("status") == "True" else ""


def quota(cluster: Cluster) -> list[QuotaUse]:
    """Return how much of each figure of the namespace's quotas is used, the fullest first."""
    found = [
        QuotaUse(resource, str(status_of(each).get("used", {}).get(resource, "0")), str(hard))
        for each in cluster.get("resourcequotas")
        for resource, hard in status_of(each).get("hard", {}).items()
        if str(hard) != "0"
    ]
    return sorted(found, key=lambda each: (-each.share, each.resource))
