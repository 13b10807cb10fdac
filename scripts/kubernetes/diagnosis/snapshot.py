"""What was seen of a release at one moment, and the questions that it answers. Pure: nothing here runs or asks anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.desired.labels import COMPONENT, INSTANCE
from scripts.kubernetes.quantity import parse_quantity

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

LONG_AGO = datetime.min.replace(tzinfo=UTC)
REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True)
class Snapshot:
    """A release at one moment. Lists hold objects as the API server writes them; what was not asked for is empty."""

    release: str
    namespace: str
    taken: datetime
    workloads: Sequence[Object] = ()
    """Deployments and StatefulSets of the release."""
    replica_sets: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    claims: Sequence[Object] = ()
    events: Sequence[Object] = ()
    """All events of the namespace."""
    nodes: Sequence[Object] = ()
    dns: Sequence[Object] = ()
    """The Deployments of the cluster's DNS."""
    autoscalers: Sequence[Object] = ()
    """HorizontalPodAutoscalers of the release."""
    metrics_apis: Sequence[Object] = ()
    """The APIServices that autoscalers read."""
    secrets: Mapping[str, Sequence[str]] | None = None
    """The Secrets in the namespace and their keys, never a value; None where they may not be listed."""
    strange_secrets: Sequence[str] = ()
    """Those of them that are part of nothing by their labels."""
    agents: Sequence[Object] = ()
    """The DaemonSets of the cluster itself: what its network is made of, on each node."""
    bounds: Sequence[Object] = ()
    """ResourceQuotas and LimitRanges of the namespace."""
    budgets: Sequence[Object] = ()
    """PodDisruptionBudgets of the namespace."""
    slices: Sequence[Object] = ()
    """EndpointSlices of the namespace: where its Services send requests."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Workload -> why the API server would refuse one more pod of it now."""
    architectures: Mapping[str, str] = field(default_factory=dict)
    """Image -> the processor that it is made for, where its program has the wrong format and somebody knows."""
    placed_pods: Sequence[Object] = ()
    """Pods of every namespace, where a pod could not be placed."""
    volumes: Sequence[Object] = ()
    """PersistentVolumes that claims of the namespace are bound to, as far as they may be seen."""
    policies: Sequence[Object] = ()
    """NetworkPolicies of the namespace."""
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """`pod/container` -> last lines of the run that failed."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """`pod/container` -> what its readiness probe's address answers: status and body on one line."""

    def to_json(self) -> Object:
        """Return the snapshot as JSON values; `from_json` reads them."""
        return {**dataclasses.asdict(self), "taken": self.taken.isoformat()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Snapshot:
        """Return the snapshot that `to_json` wrote."""
        return cls(**{**value, "taken": datetime.fromisoformat(value["taken"])})

    def pods_of(self, workload: Object) -> list[Object]:
        """Return the pods of the workload's newest revision that are not on their way out."""
        owner = newest_replica_set(workload, self.replica_sets) if workload["kind"] == "Deployment" else workload
        if owner is None:
            return []
        pods = [p for p in self.pods if owned_by(p, owner) and not p["metadata"].get("deletionTimestamp")]
        update = workload.get("status", {}).get("updateRevision")
        if workload["kind"] == "StatefulSet" and update:
            newest = [p for p in pods if p["metadata"].get("labels", {}).get("controller-revision-hash") == update]
            pods = newest or pods
        return pods

    def events_of(self, thing: Object, *reasons: str) -> list[Object]:
        """Return the events about exactly this object, newest first; only those with one of the reasons, if any are given."""
        uid = thing["metadata"]["uid"]
        found = [
            event
            for event in self.events
            if event.get("involvedObject", {}).get("uid") == uid and (not reasons or event.get("reason") in reasons)
        ]
        return sorted(found, key=event_time, reverse=True)


def newest_replica_set(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    """Return the ReplicaSet of the Deployment's newest revision, or None before there is one."""
    own = [r for r in replica_sets if owned_by(r, deployment)]
    return max(own, key=lambda r: int(r["metadata"].get("annotations", {}).get(REVISION, 0)), default=None)


def owned_by(thing: Object, owner: Object) -> bool:
    """Return whether `owner` is among the owners of `thing`."""
    return any(o["uid"] == owner["metadata"]["uid"] for o in thing["metadata"].get("ownerReferences", ()))


def name_of(thing: Object) -> str:
    """Return the object's name."""
    return str(thing["metadata"]["name"])


def service_of(thing: Object) -> str:
    """Return the service that an object belongs to, by its label; empty where it has none."""
    return str(thing["metadata"].get("labels", {}).get(COMPONENT, ""))


def wanted_replicas(workload: Object) -> int:
    """Return how many pods the workload is to have."""
    return int(workload["spec"].get("replicas", 1))


def is_rolled_out(workload: Object) -> bool:
    """Return whether every wanted pod is of the newest revision and available, and no other is left.

    The rules are those of `kubectl rollout status` (kubectl's polymorphichelpers/rollout_status.go).
    """
    status = workload.get("status", {})
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return False
    want = wanted_replicas(workload)
    available = status.get("availableReplicas", 0)
    if workload["kind"] == "StatefulSet":
        current = status.get("currentRevision") == status.get("updateRevision")
        return bool(current and status.get("readyReplicas", 0) >= want and available >= want)
    updated = status.get("updatedReplicas", 0)
    return bool(updated >= want and status.get("replicas", 0) <= updated and available >= updated)


def condition_of(thing: Object, kind: str) -> Object:
    """Return the object's condition of a type, or an empty one."""
    return next((c for c in thing.get("status", {}).get("conditions", ()) if c["type"] == kind), {})


def is_ready(pod: Object) -> bool:
    """Return whether the pod's condition Ready holds."""
    return bool(condition_of(pod, "Ready").get("status") == "True")


def containers_of(pod: Object) -> Iterator[tuple[Object, Object, bool]]:
    """Yield (specification, status, whether it is an init container) in the order in which the containers start."""
    status = pod.get("status", {})
    for specs, statuses, init in (
        (pod["spec"].get("initContainers", ()), status.get("initContainerStatuses", ()), True),
        (pod["spec"]["containers"], status.get("containerStatuses", ()), False),
    ):
        by_name = {s["name"]: s for s in statuses}
        for spec in specs:
            yield spec, by_name.get(spec["name"], {}), init


def claims_of(pod: Object) -> list[str]:
    """Return the names of the volume claims that a pod mounts."""
    return [v["persistentVolumeClaim"]["claimName"] for v in pod["spec"].get("volumes", ()) if "persistentVolumeClaim" in v]


def secrets_of(pod: Object) -> dict[str, set[str]]:
    """Return the Secrets without which no such pod can start, and the keys that it needs of each."""
    sources: list[tuple[Object, str, list[str]]] = []
    for volume in pod["spec"].get("volumes", ()):
        secret = volume.get("secret") or {}
        sources.append((secret, secret.get("secretName", ""), [item["key"] for item in secret.get("items", ())]))
    for spec, _, _ in containers_of(pod):
        whole = [source.get("secretRef") or {} for source in spec.get("envFrom", ())]
        single = [variable.get("valueFrom", {}).get("secretKeyRef") or {} for variable in spec.get("env", ())]
        sources += [(source, source.get("name", ""), [source["key"]] if "key" in source else []) for source in [*whole, *single]]
    needed: dict[str, set[str]] = {}
    for source, name, keys in sources:
        if name and not source.get("optional"):
            needed.setdefault(name, set()).update(keys)
    return needed


def progress(snapshot: Snapshot, workload: Object) -> str:
    """Return a line about a workload's rollout: ready and wanted pods, and what the slowest pod does."""
    name = name_of(workload).removeprefix(f"{snapshot.release}-")
    pods = snapshot.pods_of(workload)
    ready = sum(is_ready(pod) for pod in pods)
    doing = sorted({_doing(pod) for pod in pods if not is_ready(pod)})
    if not doing and not is_rolled_out(workload):
        doing = ["making pods" if len(pods) < wanted_replicas(workload) else "ending old pods"]
    return f"{name} {ready}/{wanted_replicas(workload)}{f' ({doing[0]})' if doing else ''}"


def _doing(pod: Object) -> str:
    """What a pod that is not ready is doing, in a word or two."""
    if condition_of(pod, "PodScheduled").get("status") != "True":
        return "not placed on a node yet"
    for spec, status, init in containers_of(pod):
        state = status.get("state", {})
        if init and state.get("terminated", {}).get("exitCode") == 0:
            continue
        if waiting := state.get("waiting"):
            return str(waiting.get("reason", "waiting"))
        if terminated := state.get("terminated"):
            return f"{spec['name']} ended with exit code {terminated.get('exitCode')}"
        if init and state:
            return f"{spec['name']} runs"
        if state and not status.get("started"):
            return "starting"
    return "not ready yet"


def last_exit(status: Object) -> Object:
    """Return how a container's newest ended run ended, or an empty object when none has."""
    now = status.get("state", {}).get("terminated")
    return now or status.get("lastState", {}).get("terminated") or {}


def exit_count(status: Object) -> int:
    """Return how many runs of a container have ended."""
    return int(status.get("restartCount", 0)) + (1 if "terminated" in status.get("state", {}) else 0)


def time_of(text: str | None) -> datetime:
    """Return a time that the API server wrote; the beginning of time for none."""
    return datetime.fromisoformat(text) if text else LONG_AGO


def event_time(event: Object) -> datetime:
    """Return when an event last happened."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return max(time_of(t) for t in (*times, event["metadata"].get("creationTimestamp")))


def request_of(pod: Object, resource: str) -> Decimal:
    """Return what a pod asks of a node: the sum over its containers, or the largest init container if that is more."""

    def asked(spec: Object) -> Decimal:
        return parse_quantity(spec.get("resources", {}).get("requests", {}).get(resource, "0"))

    sidecars = [c for c in pod["spec"].get("initContainers", ()) if c.get("restartPolicy") == "Always"]
    together = sum((asked(c) for c in [*pod["spec"]["containers"], *sidecars]), Decimal(0))
    first = max((asked(c) for c in pod["spec"].get("initContainers", ()) if c not in sidecars), default=Decimal(0))
    return max(together, first)


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """Return whether a label selector (matchLabels and matchExpressions) selects these labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression_holds(e, labels) for e in selector.get("matchExpressions") or ())


def _expression_holds(expression: Object, labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return bool((key in labels) == (operator == "Exists"))


def egress_policies(pod: Object, policies: Sequence[Object]) -> list[str]:
    """Return the names of the NetworkPolicies that restrict what this pod may call."""
    return sorted(name_of(policy) for policy in policies if isolates(policy, pod["metadata"].get("labels", {}), "Egress"))


def isolates(policy: Object, labels: Mapping[str, str], direction: str) -> bool:
    """Return whether a NetworkPolicy shuts a direction (Ingress, Egress) of pods with these labels, but for what policies let through."""
    spec = policy["spec"]
    named = direction in spec.get("policyTypes", ()) or direction.lower() in spec
    return named and selects(spec.get("podSelector", {}), labels)


def is_of_release(thing: Object, release: str) -> bool:
    """Return whether the object's labels say that the release made it."""
    return bool(thing["metadata"].get("labels", {}).get(INSTANCE) == release)
