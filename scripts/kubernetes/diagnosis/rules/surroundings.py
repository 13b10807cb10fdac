"""Causes beside the release's own pods: the nodes, the network, the DNS and the autoscalers that it lives on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.rules.autoscalers import autoscalers
from scripts.kubernetes.diagnosis.rules.dns import dns
from scripts.kubernetes.diagnosis.rules.volumes import held_on
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import condition_of, name_of, status_of

if TYPE_CHECKING:
    pass

SYSTEM = "kube-system"
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


def _cordoned(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Every node is closed to new pods: those that run stay, and none can come."""
    if snapshot.nodes and all(node.get("spec", {}).get("unschedulable") for node in snapshot.nodes):
        names = ", ".join(name_of(node) for node in snapshot.nodes)
        yield diagnosed(
            snapshot.nodes[0],
            "nodes-cordoned",
            f"no node takes new pods: {names} cordoned",
            [f"node {name_of(node)}: spec.unschedulable" for node in snapshot.nodes],
            f"kubectl uncordon {names}",
        )


def _agents(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """What the cluster's network is made of is not ready on a node: Services go on to pods that are gone, and new pods get no network."""
    for agent in snapshot.agents:
        status = status_of(agent)
        wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
        if ready < wanted and NETWORK.search(name_of(agent)):
            yield diagnosed(
                agent,
                "network-down",
                f"the cluster's network is not whole: it is ready on {ready} of {wanted} nodes",
                [f"daemonset {name_of(agent)} in {SYSTEM}: {ready} of {wanted} ready"],
                f"kubectl --namespace {SYSTEM} describe daemonset {name_of(agent)}; kubectl --namespace {SYSTEM} get pods --output wide",
            )
