"""Causes in the release's autoscalers: one that cannot read what it scales by, and one that would run more pods than it may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.objects import condition_of, containers_of, name_of, status_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

METRICS_SETTLE = timedelta(minutes=3)
"""What a new pod's first metrics may take: metrics-server asks the nodes, and the autoscaler asks metrics-server."""
NOT_SERVED = "could not find the requested resource"
NO_METRICS = (
    "install metrics-server, which this cluster lacks (https://github.com/kubernetes-sigs/metrics-server; "
    "kind also needs its --kubelet-insecure-tls), or set autoscaling.enabled: false in the service's chart values"
)
SILENT = "see why the metrics API does not answer: kubectl --namespace kube-system get pods; kubectl get apiservices"
NOTHING_OF_PODS = (
    "the metrics API answers, and has nothing of these pods: see whether it has of others (kubectl top pods --all-namespaces), and what "
    "the node measures (kubectl get --raw /api/v1/nodes/NODE/proxy/metrics/resource): zeros there are its kubelet's or its runtime's fault"
)


def autoscalers(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Yield what keeps autoscalers from scaling. Those that are blind for one reason are one cause."""
    blind: dict[str, Diagnosis] = {}
    for autoscaler in snapshot.autoscalers:
        for found in _blind(snapshot, autoscaler):
            why = found.cause.partition(": ")[2]
            first = blind.get(why)
            blind[why] = replace(first, evidence=tuple(dict.fromkeys([*first.evidence, *found.evidence]))) if first else found
    yield from blind.values()
    for autoscaler in snapshot.autoscalers:
        yield from _at_limit(snapshot, autoscaler)
    for autoscaler in snapshot.strange_autoscalers:
        yield from _strange(snapshot, autoscaler)


def _strange(snapshot: Snapshot, autoscaler: Object) -> Iterator[Diagnosis]:
    """Somebody else's autoscaler sets the pods of a workload of ours: what anybody else sets, it sets back."""
    spec, name = autoscaler["spec"], name_of(autoscaler)
    target = spec["scaleTargetRef"]
    for workload in snapshot.workloads:
        if (workload["kind"], name_of(workload)) == (target.get("kind"), target.get("name")):
            bounds = f"{spec.get('minReplicas', 1)} to {spec.get('maxReplicas')} pods"
            yield diagnosed(
                workload,
                "autoscaler-strange",
                f"somebody else's HorizontalPodAutoscaler {name} says how many pods it has: {bounds}",
                [f"horizontalpodautoscaler {name}: {bounds}, {status_of(autoscaler).get('currentReplicas', '?')} now"],
                f"kubectl --namespace {snapshot.namespace} delete horizontalpodautoscaler {name}; then invoke up sets its own number",
            )


def _blind(snapshot: Snapshot, autoscaler: Object) -> Iterator[Diagnosis]:
    """An autoscaler that cannot read what it scales by leaves the number of pods as it is, whatever the load."""
    active = condition_of(autoscaler, "ScalingActive")
    if active.get("status") != "False" or not str(active.get("reason", "")).startswith("FailedGet"):
        return
    if _is_fixed(autoscaler):
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
        _action(snapshot, active, served=not down),
    )


def _action(snapshot: Snapshot, active: Object, *, served: bool) -> str:
    if not snapshot.metrics_apis:
        return NO_METRICS if NOT_SERVED in str(active.get("message")) else SILENT
    return NOTHING_OF_PODS if served and "no metrics returned" in str(active.get("message")) else SILENT


def _is_fixed(autoscaler: Object) -> bool:
    """Whether there is nothing to scale: a person has said how many pods there are."""
    spec = autoscaler["spec"]
    return "maxReplicas" in spec and bool(spec.get("minReplicas", 1) == spec["maxReplicas"])


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
