"""What a Kubernetes object says of itself: its name, labels and status, and what follows from them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.desired.labels import COMPONENT, INSTANCE
from scripts.kubernetes.quantity import parse_quantity

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

REVISION = "deployment.kubernetes.io/revision"


def labels_of(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the labels of an object or of a pod template."""
    return thing.get("metadata", {}).get("labels") or {}


def annotations_of(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the annotations of an object."""
    return thing.get("metadata", {}).get("annotations") or {}


def status_of(thing: Mapping[str, Any]) -> Object:
    """Return the status of an object; empty before a controller has written one."""
    return thing.get("status") or {}


def conditions_of(thing: Mapping[str, Any]) -> Sequence[Object]:
    """Return the conditions in the status of an object."""
    return status_of(thing).get("conditions") or ()


def name_of(thing: Mapping[str, Any]) -> str:
    """Return the object's name."""
    return str(thing["metadata"]["name"])


def service_of(thing: Object) -> str:
    """Return the service that an object belongs to, by its label; empty where it has none."""
    return str(labels_of(thing).get(COMPONENT, ""))


def is_of_release(thing: Object, release: str) -> bool:
    """Return whether the object's labels say that the release made it."""
    return bool(labels_of(thing).get(INSTANCE) == release)


def owned_by(thing: Object, owner: Object) -> bool:
    """Return whether `owner` is among the owners of `thing`."""
    return any(o["uid"] == owner["metadata"]["uid"] for o in thing["metadata"].get("ownerReferences", ()))


def condition_of(thing: Object, kind: str) -> Object:
    """Return the object's condition of a type, or an empty one."""
    return next((c for c in conditions_of(thing) if c["type"] == kind), {})


def is_ready(pod: Object) -> bool:
    """Return whether the pod's condition Ready holds."""
    return bool(condition_of(pod, "Ready").get("status") == "True")


def is_leaving(thing: Mapping[str, Any]) -> bool:
    """Return whether the object is being deleted."""
    return bool(thing["metadata"].get("deletionTimestamp"))


def has_ended(pod: Object) -> bool:
    """Return whether all programs of the pod have run to their end, and none is started again."""
    return status_of(pod).get("phase") in ("Succeeded", "Failed")


def newest_replica_set(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    """Return the ReplicaSet of the Deployment's newest revision, or None before there is one."""
    own = [r for r in replica_sets if owned_by(r, deployment)]
    return max(own, key=lambda r: int(annotations_of(r).get(REVISION, 0)), default=None)


def wanted_replicas(workload: Object) -> int:
    """Return how many pods the workload is to have."""
    return int(workload["spec"].get("replicas", 1))


def is_rolled_out(workload: Object) -> bool:
    """Return whether every wanted pod is of the newest revision and available, and no other is left.

    The rules are those of `kubectl rollout status` (kubectl's polymorphichelpers/rollout_status.go).
    """
    status = status_of(workload)
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return False
    want = wanted_replicas(workload)
    available = status.get("availableReplicas", 0)
    if workload["kind"] == "StatefulSet":
        current = status.get("currentRevision") == status.get("updateRevision")
        return bool(current and status.get("readyReplicas", 0) >= want and available >= want)
    updated = status.get("updatedReplicas", 0)
    return bool(updated >= want and status.get("replicas", 0) <= updated and available >= updated)


def containers_of(pod: Object) -> Iterator[tuple[Object, Object, bool]]:
    """Yield (specification, status, whether it is an init container) in the order in which the containers start."""
    status = status_of(pod)
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


def isolates(policy: Object, labels: Mapping[str, str], direction: str) -> bool:
    """Return whether a NetworkPolicy shuts a direction (Ingress, Egress) of pods with these labels, but for what policies let through."""
    spec = policy["spec"]
    named = direction in spec.get("policyTypes", ()) or direction.lower() in spec
    return named and selects(spec.get("podSelector", {}), labels)


def egress_policies(pod: Object, policies: Sequence[Object]) -> list[str]:
    """Return the names of the NetworkPolicies that restrict what this pod may call."""
    return sorted(name_of(policy) for policy in policies if isolates(policy, labels_of(pod), "Egress"))
