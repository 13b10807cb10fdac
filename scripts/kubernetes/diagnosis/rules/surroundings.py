"""Causes beside the release's own pods: the nodes, the network, the DNS and the autoscalers that it lives on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.rules.autoscalers import autoscalers
from scripts.kubernetes.diagnosis.rules.dns import dns
from scripts.kubernetes.diagnosis.rules.volumes import held_on
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import condition_of, name_of, status_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

SYSTEM = "kube-system"
CONDITIONS = "node.kubernetes.io/"
"""How the taints begin that tell a node's own condition, of which other rules tell."""
MACHINE = ("kubernetes.io/", "beta.kubernetes.io/", "node.kubernetes.io/")
"""How the labels begin by which a DaemonSet names its kind of machine."""
SHUTS = ("NoSchedule", "NoExecute")
NETWORK = re.compile(r"kube-proxy|kindnet|calico|canal|cilium|flannel|weave|antrea|kube-router|aws-node|network-policies")


def surroundings(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Yield what is wrong around the release; a root of what its pods suffer from."""
    yield from _nodes(snapshot)
    yield from _cordoned(snapshot)
    yield from _agents(snapshot)
    yield from dns(snapshot)
    yield from autoscalers(snapshot)


def _nodes(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """A node that is not ready, when a pod of ours is on it or no node is ready."""
    ready = [node for node in snapshot.nodes if condition_of(node, "Ready").get("status", "True") == "True"]
    used = {pod["spec"].get("nodeName") for pod in snapshot.pods}
    for node in snapshot.nodes:
        if node in ready or (ready and name_of(node) not in used):
            continue
        told = condition_of(node, "Ready")
        yield diagnosed(
            node,
            "node-not-ready",
            f"the node is not ready: {told.get('message', '')}",
            [
                f"node {name_of(node)}: Ready is {told['status']}, {told.get('reason', '')}",
                *(f"the volume of {pod} is on it: no other node can run that pod" for pod in held_on(snapshot, node)),
            ],
            f"kubectl describe node {name_of(node)}; a cluster that was stopped: invoke up",
        )


@dataclass(frozen=True)
class _Shut:
    """How a node is closed to pods of the release, by which field, and what opens it."""

    node: str
    how: str
    told: str
    way_out: str


def _cordoned(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Every node is closed to new pods: those that run stay, and none can come."""
    shut = [found for node in snapshot.nodes if (found := _shut(snapshot, node))]
    if shut and len(shut) == len(snapshot.nodes):
        yield diagnosed(
            snapshot.nodes[0],
            "nodes-cordoned",
            f"no node takes new pods: {', '.join(f'{each.node} {each.how}' for each in shut)}",
            [f"node {each.node}: {each.told}" for each in shut],
            "; ".join(each.way_out for each in shut),
        )


def _shut(snapshot: Snapshot, node: Object) -> _Shut | None:
    name, spec = name_of(node), node.get("spec", {})
    if spec.get("unschedulable"):
        return _Shut(name, "cordoned", "spec.unschedulable", f"kubectl uncordon {name}")
    if any(condition_of(pod, "PodScheduled").get("status") == "False" for pod in snapshot.pods):
        return None  # of a pod that waits, the scheduler tells which taint it is
    for taint in spec.get("taints") or ():
        told = f"{taint['key']}:{taint['effect']}"
        by_itself = taint["key"].startswith(CONDITIONS) or taint["effect"] not in SHUTS
        if not by_itself and not all(_tolerates(workload, taint) for workload in snapshot.workloads):
            return _Shut(name, f"tainted {told}", f"spec.taints: {told}", f"kubectl taint node {name} {told}-")
    return None


def _tolerates(workload: Object, taint: Object) -> bool:
    tolerations = workload["spec"].get("template", {}).get("spec", {}).get("tolerations") or ()
    return any(
        each.get("key") in (None, "", taint["key"])
        and (each.get("operator") == "Exists" or each.get("value", "") == taint.get("value", ""))
        and each.get("effect") in (None, "", taint["effect"])
        for each in tolerations
    )


def _nowhere(snapshot: Snapshot, agent: Object) -> str:
    """Why a DaemonSet wants no pod at all; empty for one that has some, or is for another kind of machine."""
    selector = agent.get("spec", {}).get("template", {}).get("spec", {}).get("nodeSelector") or {}
    by_hand = {key: value for key, value in selector.items() if not key.startswith(MACHINE)}
    if not by_hand or not snapshot.nodes or status_of(agent).get("desiredNumberScheduled", 1):
        return ""
    return "no node has " + ", ".join(f"{key}={value}" for key, value in by_hand.items())


def _agents(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """What the cluster's network is made of is not ready on a node: Services go on to pods that are gone, and new pods get no network."""
    for agent in snapshot.agents:
        status = status_of(agent)
        wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
        if NETWORK.search(name_of(agent)) and (nowhere := _nowhere(snapshot, agent)):
            yield diagnosed(
                agent,
                "network-down",
                f"a part of the cluster's network runs on no node, and does nothing, so policies may hold nobody back: {nowhere}",
                [f"daemonset {name_of(agent)} in {SYSTEM}: {wanted} pods wanted; {nowhere}"],
                f"put its nodeSelector back: kubectl --namespace {SYSTEM} edit daemonset {name_of(agent)}",
            )
        if ready < wanted and NETWORK.search(name_of(agent)):
            yield diagnosed(
                agent,
                "network-down",
                f"the cluster's network is not whole: it is ready on {ready} of {wanted} nodes",
                [f"daemonset {name_of(agent)} in {SYSTEM}: {ready} of {wanted} ready"],
                f"kubectl --namespace {SYSTEM} describe daemonset {name_of(agent)}; kubectl --namespace {SYSTEM} get pods --output wide",
            )
