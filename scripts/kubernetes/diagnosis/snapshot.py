"""What was seen of a release at one moment, and the questions that it answers. Pure: nothing here runs or asks anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scripts.kubernetes.objects import (
    condition_of,
    containers_of,
    is_leaving,
    is_ready,
    is_rolled_out,
    labels_of,
    name_of,
    newest_replica_set,
    owned_by,
    status_of,
    wanted_replicas,
)

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

LONG_AGO = datetime.min.replace(tzinfo=UTC)


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
    dns_log: Sequence[str] = ()
    """The last lines of its pods, where none is ready."""
    dns_policies: Sequence[Object] = ()
    """NetworkPolicies of the namespace that it runs in."""
    autoscalers: Sequence[Object] = ()
    """HorizontalPodAutoscalers of the release."""
    strange_autoscalers: Sequence[Object] = ()
    """Others of the namespace."""
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
    services: Sequence[Object] = ()
    """Services of the namespace."""
    slices: Sequence[Object] = ()
    """EndpointSlices of the namespace: where its Services send requests."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Workload -> why the API server would refuse one more pod of it now; empty where it would take it. What was not tried is not in it."""
    tried: Mapping[str, Object] = field(default_factory=dict)
    """Workload -> the pod that the API server would make of one more; not in it where it would make none."""
    architectures: Mapping[str, str] = field(default_factory=dict)
    """Image -> the processor that it is made for, where its program has the wrong format and somebody knows."""
    placed_pods: Sequence[Object] = ()
    """Pods of every namespace, where a pod could not be placed, or in a cluster of few nodes."""
    volumes: Sequence[Object] = ()
    """PersistentVolumes that claims of the namespace are bound to, as far as they may be seen."""
    policies: Sequence[Object] = ()
    """NetworkPolicies of the namespace."""
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """`pod/container` -> last lines of the run that failed."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """`pod/container` -> what its readiness probe's address answers: status and body on one line."""

    def pods_of(self, workload: Object) -> list[Object]:
        """Return the pods of the workload's newest revision that are not on their way out."""
        owner = newest_replica_set(workload, self.replica_sets) if workload["kind"] == "Deployment" else workload
        if owner is None:
            return []
        pods = [p for p in self.pods if owned_by(p, owner) and not is_leaving(p)]
        update = status_of(workload).get("updateRevision")
        if workload["kind"] == "StatefulSet" and update:
            newest = [p for p in pods if labels_of(p).get("controller-revision-hash") == update]
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
