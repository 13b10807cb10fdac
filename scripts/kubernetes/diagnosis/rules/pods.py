"""Causes that keep a whole pod from its node, or take it from there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed, event_line
from scripts.kubernetes.diagnosis.rules.missing import missing_object
from scripts.kubernetes.diagnosis.rules.room import no_room
from scripts.kubernetes.diagnosis.rules.volumes import volume_elsewhere
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.objects import claims_of, condition_of, containers_of, name_of, status_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

UNMADE = timedelta(seconds=30)
UNSEEN = timedelta(seconds=20)
"""After so long it is not the scheduler's load."""


def evicted(_snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """The node evicted the pod, since it ran short of something."""
    status = status_of(pod)
    if status.get("reason") != "Evicted":
        return None
    message = str(status.get("message", "")).strip()
    return diagnosed(
        workload,
        "evicted",
        f"the node evicted its pod: {message}",
        [f"pod {name_of(pod)}: {status.get('phase')}, Evicted: {message}"],
        "raise the limit that the message names, or free the node's disk or memory",
    )


def ended_at_deadline(_snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """The pod had a time to run, which was over: of one that serves, somebody has set it."""
    status = status_of(pod)
    if status.get("reason") != "DeadlineExceeded":
        return None
    seconds = pod["spec"].get("activeDeadlineSeconds")
    return diagnosed(
        workload,
        "pod-changed",
        f"its pod {name_of(pod)} was ended {seconds} s after its start: somebody had set activeDeadlineSeconds in it",
        [f"pod {name_of(pod)}: {status.get('phase')}, DeadlineExceeded: {status.get('message', '')}"],
        "see who sets it (kubectl get pods --output yaml, managedFields); the next pod has none",
    )


def not_placed(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """The scheduler finds no node for the pod."""
    scheduled = condition_of(pod, "PodScheduled")
    if not scheduled and not pod["spec"].get("nodeName"):
        return _unseen(snapshot, workload, pod)
    if scheduled.get("status") != "False":
        return None
    message = str(scheduled.get("message", ""))
    evidence = [f"pod {name_of(pod)}: {scheduled.get('reason', 'Unschedulable')}: {message}"]
    if found := volume_elsewhere(snapshot, workload, pod, message):
        return found
    if re.search(r"persistentvolumeclaim|persistent volumes? to bind|unbound immediate", message, re.IGNORECASE):
        return _volume_unbound(snapshot, workload, pod, evidence)
    for resource in ("cpu", "memory"):
        if f"Insufficient {resource}" in message:
            return no_room(snapshot, workload, pod, resource, evidence)
    return diagnosed(
        workload,
        "unschedulable",
        f"no node takes its pod: {message}",
        [*evidence, *(f"node {node} has the taint {taint}" for node, taint in _taints(snapshot))] if "taint" in message else evidence,
        _way_onto_a_node(snapshot, message),
    )


def _taints(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Each node's taints that keep pods away, as kubectl writes them; the scheduler's words may not name them."""
    found = [(name_of(node), taint) for node in snapshot.nodes for taint in node.get("spec", {}).get("taints", ())]
    return [(node, f"{taint['key']}:{taint['effect']}") for node, taint in found if taint["effect"] != "PreferNoSchedule"]


def _way_onto_a_node(snapshot: Snapshot, message: str) -> str:
    if "Too many pods" in message:
        return "end other pods: the node runs as many as it may (kubectl get pods --all-namespaces)"
    taints = _taints(snapshot) if "taint" in message else []
    if pressed := [node for node, taint in taints if "-pressure" in taint]:
        return f"free what node {pressed[0]} is short of; it takes pods again then: kubectl describe node {pressed[0]}"
    if set_by_hand := [each for each in taints if not each[1].startswith("node.kubernetes.io/")]:
        return "; ".join(f"kubectl taint node {node} {taint}-" for node, taint in set_by_hand)
    return "compare what the pod asks for with the nodes' labels and taints"


def _unmade(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """Nobody says why: a runtime that fails tells so in an event, one that stands still tells nothing."""
    waited = snapshot.taken - time_of(condition_of(pod, "PodScheduled").get("lastTransitionTime"))
    pulls = snapshot.events_of(pod, "Pulling", "Pulled")
    if waited < UNMADE or pulls or not condition_of(pod, "PodScheduled"):
        return None
    node = pod["spec"].get("nodeName", "")
    return diagnosed(
        workload,
        "runtime-silent",
        f"node {node} has not begun its pod for {int(waited.total_seconds())} s, and does not say why",
        [f"pod {name_of(pod)} is placed on {node}; its containers are not created, and no event tells of them"],
        f"look at the kubelet and the container runtime of {node}: kubectl describe node {node}",
    )


def _unseen(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    waited = snapshot.taken - time_of(pod["metadata"].get("creationTimestamp"))
    if waited < UNSEEN:
        return None
    seconds = int(waited.total_seconds())
    return diagnosed(
        workload,
        "scheduler-silent",
        f"no scheduler has looked at its pod for {seconds} s",
        [f"pod {name_of(pod)} has neither a node nor the condition PodScheduled"],
        "see whether kube-scheduler runs: kubectl --namespace kube-system get pods",
    )


def _volume_unbound(snapshot: Snapshot, workload: Object, pod: Object, evidence: list[str]) -> Diagnosis:
    names = claims_of(pod)
    bound = [name_of(c) for c in snapshot.claims if status_of(c).get("phase") == "Bound"]
    missing = [name for name in names if name not in {name_of(c) for c in snapshot.claims}]
    if missing:
        cause = f"its volume claim {missing[0]} does not exist"
    else:
        claim = next((c for c in snapshot.claims if name_of(c) in names and name_of(c) not in bound), None)
        if claim is None:
            cause = "its volume cannot be bound"
        else:
            reasons = snapshot.events_of(claim, "ProvisioningFailed", "FailedBinding")
            why = reasons[0]["message"] if reasons else "no volume fits it"
            kind = claim["spec"].get("storageClassName")
            cause = f"its volume claim {name_of(claim)} ({f'class {kind}' if kind else 'no class'}) is not bound: {why}"
            evidence = [*evidence, *(event_line(e) for e in reasons[:1])]
    action = "set postgres.storage of the chart to a class that this cluster has, or to a smaller size"
    if missing:
        action = f"delete the pod, so that its StatefulSet makes the claim again: kubectl delete pod {name_of(pod)}"
    return diagnosed(workload, "volume-unbound", cause, evidence, action)


def not_prepared(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """Volumes or the sandbox of a placed pod cannot be made, so that no container of it has ever been configured."""
    statuses = [status for _, status, _ in containers_of(pod)]
    if any(s.get("state", {}).get("waiting", {}).get("reason") not in ("ContainerCreating", "PodInitializing") for s in statuses):
        return None
    events = snapshot.events_of(pod, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
    if not events:
        return _unmade(snapshot, workload, pod)
    message = str(events[0]["message"])
    evidence = [f"pod {name_of(pod)}: {event_line(events[0])}"]
    if found := missing_object(workload, message, evidence):
        return found
    if events[0]["reason"] == "FailedCreatePodSandBox":
        return diagnosed(
            workload, "sandbox-failed", f"the node cannot create its pod: {message}", evidence, "look at the node's runtime and CNI"
        )
    return diagnosed(
        workload, "volume-not-mounted", f"a volume cannot be mounted: {message}", evidence, "fix the volume that the message names"
    )
