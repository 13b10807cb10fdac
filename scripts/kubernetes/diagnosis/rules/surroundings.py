"""Causes beside the release's own pods: the nodes, the DNS and the metrics that it lives on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.rules.dns import dns
from scripts.kubernetes.diagnosis.rules.volumes import held_on
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.objects import condition_of, containers_of, name_of, status_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

SYSTEM = "kube-system"
NETWORK = re.compile(r"kube-proxy|kindnet|calico|canal|cilium|flannel|weave|antrea|kube-router|aws-node|network-policies")
METRICS_SETTLE = timedelta(minutes=3)
"""What a new pod's first metrics may take: metrics-server asks the nodes, and the autoscaler asks metrics-server."""


def surroundings(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Yield what is wrong around the release; a root of what its pods suffer from."""
    yield from _nodes(snapshot)
    yield from _cordoned(snapshot)
    yield from _agents(snapshot)
    yield from dns(snapshot)
    for autoscaler in snapshot.autoscalers:
        yield from _autoscaler(snapshot, autoscaler)
        yield from _at_limit(snapshot, autoscaler)


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


def _autoscaler(snapshot: Snapshot, autoscaler: Object) -> Iterator[Diagnosis]:
    """An autoscaler that cannot read what it scales by leaves the number of pods as it is, whatever the load."""
    active = condition_of(autoscaler, "ScalingActive")
    if active.get("status") != "False" or not str(active.get("reason", "")).startswith("FailedGet"):
        return
    down = [api for api in snapshot.metrics_apis if condition_of(api, "Available").get("status") == "False"]
    if not down and snapshot.taken - time_of(active.get("lastTransitionTime")) < METRICS_SETTLE:
        return
    if not down and _young(snapshot, autoscaler):
        return
    told = [f"{name_of(api)}: {condition_of(api, 'Available').get('message', '')}" for api in down]
    yield diagnosed(
        autoscaler,
        "autoscaler-blind",
        f"its autoscaler cannot read its metrics: {active.get('message', '')}",
        [*told, f"horizontalpodautoscaler {name_of(autoscaler)}: ScalingActive is False, {active.get('reason')}"],
        NO_METRICS if not snapshot.metrics_apis and NOT_SERVED in str(active.get("message")) else SEE_WHY,
    )


def _at_limit(snapshot: Snapshot, autoscaler: Object) -> Iterator[Diagnosis]:
    """An autoscaler that would run more pods than it may: the load is more than these can take, or one of them runs wild."""
    limited = condition_of(autoscaler, "ScalingLimited")
    if limited.get("status") != "True" or limited.get("reason") != "TooManyReplicas":
        return
    if snapshot.taken - time_of(limited.get("lastTransitionTime")) < METRICS_SETTLE:
        return
    yield diagnosed(
        autoscaler,
        "autoscaler-at-limit",
        f"its autoscaler would run more pods than the {autoscaler['spec'].get('maxReplicas')} that it may",
        [*_utilization(autoscaler), f"horizontalpodautoscaler {name_of(autoscaler)}: ScalingLimited, {limited.get('message', '')}"],
        "see which pod uses it (kubectl top pods): restart one that runs wild (invoke restart SERVICE), or raise autoscaling.maxReplicas",
    )


def _utilization(autoscaler: Object) -> Iterator[str]:
    """Each resource that it scales by, as it is and as it should be."""
    for metric in status_of(autoscaler).get("currentMetrics") or ():
        resource = metric.get("resource") or {}
        wanted = [
            each["resource"]
            for each in autoscaler["spec"].get("metrics", ())
            if each.get("resource", {}).get("name") == resource.get("name")
        ]
        if resource and wanted:
            now, target = (each.get("averageUtilization") for each in (resource.get("current", {}), wanted[0].get("target", {})))
            yield f"{resource['name']}: {now} % of what its pods request, {target} % wanted"


SEE_WHY = "see why the metrics API does not answer: kubectl --namespace kube-system get pods; kubectl get apiservices"
NOT_SERVED = "could not find the requested resource"
NO_METRICS = (
    "install metrics-server, which this cluster lacks (https://github.com/kubernetes-sigs/metrics-server; "
    "kind also needs its --kubelet-insecure-tls), or set autoscaling.enabled: false in the service's chart values"
)


def _young(snapshot: Snapshot, autoscaler: Object) -> bool:
    """Whether a pod of its target has only just started, or none runs at all, so that there are no metrics yet."""
    target = autoscaler["spec"]["scaleTargetRef"]["name"]
    starts = [
        time_of(status["state"]["running"].get("startedAt"))
        for workload in snapshot.workloads
        if name_of(workload) == target
        for pod in snapshot.pods_of(workload)
        for _, status, init in containers_of(pod)
        if not init and "running" in status.get("state", {})
    ]
    return not starts or snapshot.taken - max(starts) < METRICS_SETTLE
