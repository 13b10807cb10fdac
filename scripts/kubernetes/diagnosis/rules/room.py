"""Causes in the room that nodes have: for a pod that waits, and for the one more that an update needs while the old one serves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from scripts.kubernetes.cluster_dns import NAMESPACE as SYSTEM
from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import condition_of, has_ended, name_of, request_of, status_of
from scripts.kubernetes.quantity import parse_quantity

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

MOST_TAKERS = 3
WORDS = {"cpu": "CPU", "memory": "memory"}


def no_room(snapshot: Snapshot, workload: Object, pod: Object, resource: str, evidence: Sequence[str]) -> Diagnosis:
    """Too little CPU or memory: the request against what each node offers and has given away."""
    asked = request_of(pod, resource)
    largest = max((_offers(node, resource) for node in snapshot.nodes), default=Decimal(0))
    return diagnosed(
        workload,
        f"unschedulable-{resource}",
        "; ".join([f"no node has {_amount(asked, resource)} of {WORDS[resource]} free for its pod", *_sizes(snapshot, resource)]),
        [*evidence, *_takers(snapshot, pod, resource)],
        _way_to_room(snapshot, pod, resource, too_big=bool(snapshot.nodes) and asked > largest),
    )


def no_room_for_update(snapshot: Snapshot, workload: Object) -> Diagnosis | None:
    """It is rolled out, and an update would wait: it starts a new pod before it ends an old one, and no node has room for both."""
    nodes = [node for node in snapshot.nodes if _takes_pods(node)]
    if not nodes or not snapshot.placed_pods or not _starts_before_it_ends(workload):
        return None
    template = workload["spec"]["template"]
    lacking = [[each for each in WORDS if request_of(template, each) > _free(snapshot, node, each)] for node in nodes]
    if not all(lacking):
        return None
    resource = min(lacking, key=len)[0]
    return diagnosed(
        workload,
        "no-room-for-update",
        f"it runs, and no node has {_amount(request_of(template, resource), resource)} of {WORDS[resource]} free for one pod more: "
        "its next update will wait",
        [*_sizes(snapshot, resource), *_takers(snapshot, template, resource)],
        _way_to_room(snapshot, template, resource, too_big=False),
    )


def _starts_before_it_ends(workload: Object) -> bool:
    strategy = workload["spec"].get("strategy") or {}
    surge = (strategy.get("rollingUpdate") or {}).get("maxSurge", 0)
    return workload["kind"] == "Deployment" and strategy.get("type") == "RollingUpdate" and surge not in (0, "0", "0%")


def _takes_pods(node: Object) -> bool:
    """Whether the node is open to new pods; of a closed one, other rules tell."""
    spec = node.get("spec", {})
    closed = spec.get("unschedulable") or any(taint["effect"] != "PreferNoSchedule" for taint in spec.get("taints") or ())
    return not closed and condition_of(node, "Ready").get("status") == "True"


def _offers(node: Object, resource: str) -> Decimal:
    return parse_quantity(node["status"]["allocatable"][resource])


def _taken(snapshot: Snapshot, node: Object, resource: str) -> Decimal:
    placed = [pod for pod in snapshot.placed_pods if _runs_on(pod, name_of(node))]
    return sum((request_of(pod, resource) for pod in placed), Decimal(0))


def _free(snapshot: Snapshot, node: Object, resource: str) -> Decimal:
    return _offers(node, resource) - _taken(snapshot, node, resource)


def _sizes(snapshot: Snapshot, resource: str) -> list[str]:
    """What each of the first nodes offers and has given away."""
    return [
        f"node {name_of(node)} offers {_amount(_offers(node, resource), resource)}, "
        f"{_amount(_taken(snapshot, node, resource), resource)} of it taken"
        for node in snapshot.nodes[:3]
    ]


def _way_to_room(snapshot: Snapshot, pod: Object, resource: str, *, too_big: bool) -> str:
    words = WORDS[resource]
    largest = next(iter(_others(snapshot, pod, resource)), None)
    end = _way_to_end(largest) if largest and not too_big else "end other pods"
    action = f"lower the {words} request" if too_big else f"lower {words} requests or replicas, or {end}"
    more = f"or give the cluster more (on Minikube: {'minikube.cpus' if resource == 'cpu' else 'minikube.memory_mib'} in invoke.yaml)"
    return f"{action}, {more}"


def _way_to_end(pod: Object) -> str:
    """How to end another pod for good: a pod of a Deployment comes back."""
    owner: Object = next(iter(pod["metadata"].get("ownerReferences") or ()), {})
    place, kind, name = pod["metadata"]["namespace"], owner.get("kind", ""), owner.get("name", "")
    if kind == "ReplicaSet":  # a Deployment's has its name, and a hash behind it
        kind, name = "Deployment", name.rpartition("-")[0]
    if kind in ("Deployment", "StatefulSet"):
        return f"have others make room: kubectl --namespace {place} scale {kind.lower()} {name} --replicas=0"
    return f"have others make room: kubectl --namespace {place} delete {f'{kind.lower()} {name}' if kind else f'pod {name_of(pod)}'}"


def _others(snapshot: Snapshot, pod: Object, resource: str) -> list[Object]:
    """The pods of other namespaces, but for the cluster's own, that ask for as much as this one, the largest first."""
    others = [p for p in snapshot.placed_pods if p["metadata"].get("namespace") not in (snapshot.namespace, SYSTEM, None)]
    there = [p for p in others if any(_runs_on(p, name_of(node)) for node in snapshot.nodes)]
    asking = [p for p in there if request_of(p, resource) >= request_of(pod, resource)]
    return sorted(asking, key=lambda each: -request_of(each, resource))


def _takers(snapshot: Snapshot, pod: Object, resource: str) -> Iterator[str]:
    """The pods of other namespaces that ask for the most, a line each: what takes the room of ours."""
    nodes = {name_of(node) for node in snapshot.nodes}
    others = [p for p in snapshot.placed_pods if p["metadata"].get("namespace") not in (snapshot.namespace, None)]
    asking = [(request_of(p, resource), p) for p in others if any(_runs_on(p, node) for node in nodes)]
    for amount, other in sorted(asking, key=lambda each: -each[0])[:MOST_TAKERS]:
        first = ", and goes before ours by its priority" if _priority(other) > _priority(pod) else ""
        if amount >= request_of(pod, resource) or first:
            yield f"pod {name_of(other)} in {other['metadata']['namespace']} asks for {_amount(amount, resource)}{first}"


def _priority(pod: Object) -> int:
    return int(pod["spec"].get("priority") or 0)


def _runs_on(pod: Object, node: str) -> bool:
    """Whether it is there, or its room is kept free for it."""
    there = pod["spec"].get("nodeName") or status_of(pod).get("nominatedNodeName")
    return bool(there == node) and not has_ended(pod)


def _amount(value: Decimal, resource: str) -> str:
    if resource == "cpu":
        return f"{value.normalize():f}" if value >= 1 else f"{int(value * 1000)}m"
    return f"{round(value / 2**30, 1).normalize():f}Gi" if value >= 2**30 else f"{int(value / 2**20)}Mi"
