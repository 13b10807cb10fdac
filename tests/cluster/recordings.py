"""Snapshots of real releases, trimmed to what the diagnosis may read, for tests that need no cluster."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import name_of

Object = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "recordings" / "kubernetes-v1.36"
METADATA = ("name", "namespace", "uid", "generation", "labels", "annotations", "ownerReferences", "creationTimestamp", "deletionTimestamp")
EVENT = ("kind", "involvedObject", "reason", "message", "type", "count", "firstTimestamp", "lastTimestamp", "eventTime", "series")
RESOLVER = re.compile(r"lookup (\S+) on [0-9.]+:53")


def to_json(snapshot: Snapshot) -> Object:
    """Return the snapshot as JSON values; `from_json` reads them."""
    return {**dataclasses.asdict(snapshot), "taken": snapshot.taken.isoformat()}


def from_json(value: Object) -> Snapshot:
    """Return the snapshot that `to_json` wrote."""
    return Snapshot(**{**value, "taken": datetime.fromisoformat(value["taken"])})


def write_recording(name: str, snapshot: Snapshot) -> None:
    """Write what was seen of a release to `tests/recordings`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(to_json(trimmed(snapshot)), indent=1, sort_keys=True)
    (FOLDER / f"{name}.json").write_text(RESOLVER.sub(r"lookup \1 on 192.0.2.53:53", text) + "\n", encoding="utf-8")


def read_recording(name: str) -> Snapshot:
    """Return what was seen of a release."""
    return from_json(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def trimmed(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot without fields that say nothing about the release, and without events about other releases."""
    own = [*snapshot.workloads, *snapshot.replica_sets, *snapshot.pods]
    claimed = {
        v["persistentVolumeClaim"]["claimName"] for p in snapshot.pods for v in p["spec"].get("volumes", ()) if "persistentVolumeClaim" in v
    }
    claims = [c for c in snapshot.claims if name_of(c) in claimed]
    uids = {o["metadata"]["uid"] for o in [*own, *claims]}
    events = [e for e in snapshot.events if e["involvedObject"].get("uid") in uids]
    return Snapshot(
        release=snapshot.release,
        namespace=snapshot.namespace,
        taken=snapshot.taken,
        workloads=[_object(o) for o in snapshot.workloads],
        replica_sets=[_object(o) for o in snapshot.replica_sets],
        pods=[_object(o) for o in snapshot.pods],
        claims=[_object(o) for o in claims],
        events=[{**{k: e[k] for k in EVENT if e.get(k) is not None}, "metadata": _metadata(e)} for e in events],
        nodes=[_node(n) for n in snapshot.nodes],
        architectures=snapshot.architectures,
        placed_pods=[_placed(p) for p in snapshot.placed_pods],
        policies=[{"metadata": _metadata(p), "spec": p["spec"]} for p in snapshot.policies],
        logs=snapshot.logs,
        answers=snapshot.answers,
    )


def _metadata(thing: Object) -> Object:
    return {key: thing["metadata"][key] for key in METADATA if key in thing["metadata"]}


def _object(thing: Object) -> Object:
    return {"kind": thing["kind"], "metadata": _metadata(thing), "spec": thing["spec"], "status": thing.get("status", {})}


def _node(node: Object) -> Object:
    status = node["status"]
    architecture = {"architecture": status.get("nodeInfo", {}).get("architecture", "")}
    return {"metadata": {"name": name_of(node)}, "status": {"allocatable": status["allocatable"], "nodeInfo": architecture}}


def _placed(pod: Object) -> Object:
    def parts(kind: str) -> list[Object]:
        return [{"name": c["name"], "resources": c.get("resources", {})} for c in pod["spec"].get(kind, ())]

    spec = {"nodeName": pod["spec"].get("nodeName"), "containers": parts("containers"), "initContainers": parts("initContainers")}
    return {"metadata": {"name": name_of(pod)}, "spec": spec, "status": {"phase": pod["status"].get("phase")}}
