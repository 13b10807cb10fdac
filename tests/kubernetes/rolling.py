"""A Deployment in mid-rollout, and the database beside it, as a snapshot sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.kubernetes.diagnosis.snapshot import Snapshot

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
Object = dict[str, Any]


def at(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).isoformat()


def thing(kind: str, name: str, owner: str = "", **parts: Any) -> Object:
    owners = [{"uid": owner, "kind": "any", "name": owner}] if owner else []
    metadata = {"name": name, "uid": name, "ownerReferences": owners, "labels": {}, "annotations": {}}
    return {"kind": kind, "metadata": metadata, "spec": {}, "status": {}} | parts


def replica_set(number: int, replicas: int, ready: int) -> Object:
    made = thing("ReplicaSet", f"web-{number}", "web", spec={"replicas": replicas}, status={"readyReplicas": ready})
    made["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(number)
    return made


def pod(name: str, owner: str, *, ready: bool, since: float = 60, prepared: float | None = None, made: float = 300) -> Object:
    status: Object = {"conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": at(since)}]}
    if prepared is not None:
        status["initContainerStatuses"] = [{"state": {"terminated": {"finishedAt": at(prepared)}}}]
    found = thing("Pod", name, owner, status=status)
    found["metadata"]["creationTimestamp"] = at(made)
    return found


def snapshot(sets: list[Object], pods: list[Object], claim: float | None = None) -> Snapshot:
    labels = {"app.kubernetes.io/component": "postgres"}
    database = thing("StatefulSet", "postgres", spec={"selector": {"matchLabels": labels}})
    claims = [thing("PersistentVolumeClaim", "data-postgres-0")] if claim is not None else []
    for each in claims:
        each["metadata"] |= {"labels": labels, "creationTimestamp": at(claim or 0)}
    workloads = [thing("Deployment", "web"), *([database] if claims else [])]
    return Snapshot("todo", "todo", NOW, workloads=workloads, replica_sets=sets, pods=pods, claims=claims)


OLD, NEW = replica_set(1, 2, 0), replica_set(2, 1, 0)
