"""What an audit sees of an app that keeps every clause; a test breaks one thing of it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.audit.facts import (
    CLUSTER,
    Asked,
    Attempt,
    Daemon,
    Facts,
    ImageFacts,
    Inside,
    Live,
    Monitored,
    Objects,
    Repository,
    Search,
)
from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from tests.doubles import revision

COMMANDS = frozenset({"up", "down", "audit", "spec", "ask", "kagent.up", "gordon", "check.ai"})
STATUS = {"Uid": "10001 10001 10001 10001", "CapEff": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"}
Object = dict[str, Any]


def facts(**changes: Any) -> Facts:
    """All is well, but for what is given."""
    kept = Facts(
        settings=load_settings(),
        engine="minikube",
        repository=Repository(ROOT, COMMANDS, commits=2, all_commits=9),
        daemon=Daemon("Docker Desktop", "29.0.0"),
        images=[ImageFacts("todo-backend:h1", ("PATH",), 3)],
        search=Search(("1 images", "2 logs"), keys=3),
        databases=["ep-1.eu.aws.neon.tech"],
        objects=Objects(CLUSTER, list(items()), namespace("restricted")),
        live=live(),
        revisions=[revision(1, "deployed", "x")],
        monitored=Monitored(4, (), 20, ()),
        assistant="kubectl-ai 0.0.28",
        score="6 of 6 answers right, by a-model, 2026-11-27",
    )
    return dataclasses.replace(kept, **changes)


def live(**changes: Any) -> Live:
    kept = Live(
        CLUSTER,
        [Inside("backend-1/backend", "python3", STATUS, "EROFS"), Inside("frontend-1/frontend", "node", STATUS, "EROFS")],
        [Attempt("frontend", "backend", allowed=True, opened=True), Attempt("backend", "frontend", allowed=False, opened=False)],
        [Asked(name, path, 200, 9) for name in ("backend", "frontend") for path in ("/health", "/ready", "/metrics")],
        {"backend-1/backend": True, "frontend-1/frontend": True},
    )
    return dataclasses.replace(kept, **changes)


def namespace(level: str) -> Object:
    return {"metadata": {"name": "app", "labels": {"pod-security.kubernetes.io/enforce": level}}}


def items() -> Iterator[Object]:
    for service in ("backend", "frontend"):
        yield deployment(service)
        yield autoscaler(service)
        yield of("PodDisruptionBudget", service)
        yield {**of("Pod", service, f"{service}-1"), "spec": pod_spec(service), "status": ready()}
    yield {**of("NetworkPolicy", "", "default-deny"), "spec": {"podSelector": {}}}
    hard = {"pods": "20", "limits.cpu": "4"}
    yield {**of("ResourceQuota", "", "quota"), "spec": {"hard": hard}, "status": {"hard": hard, "used": {"pods": "2", "limits.cpu": "2"}}}


def of(kind: str, service: str, name: str = "") -> Object:
    labels = {"app.kubernetes.io/component": service} if service else {}
    return {"kind": kind, "metadata": {"name": name or service, "labels": labels, "annotations": {"meta.helm.sh/release-name": "app"}}}


def pod_spec(service: str) -> Object:
    env = [{"name": key, "value": "x"} for key in load_settings().services[service].env]
    env += [{"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "API_TOKEN"}}}]
    amounts = {"cpu": "1", "memory": "1Mi"}
    container = {
        "name": service,
        "image": f"todo-{service}:h1",
        "env": env,
        "resources": {"requests": amounts, "limits": amounts},
        "livenessProbe": {"httpGet": {"path": "/health"}},
        "readinessProbe": {"httpGet": {"path": "/ready"}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    }
    return {"containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}]}


def ready() -> Object:
    return {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def deployment(service: str) -> Object:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    made = {**of("Deployment", service), "spec": {"strategy": strategy, "template": {"spec": pod_spec(service)}}}
    made["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "3"
    return made


def autoscaler(service: str) -> Object:
    spec = {"minReplicas": 2, "maxReplicas": 4, "metrics": [{"type": "Resource", "resource": {"name": "cpu"}}]}
    status = {"currentReplicas": 2, "lastScaleTime": "2026-11-27T01:00:00Z", "conditions": [{"type": "ScalingActive", "status": "True"}]}
    return {**of("HorizontalPodAutoscaler", service), "spec": spec, "status": status}


def changed(kind: str, service: str, **changes: Any) -> Objects:
    """The objects with one of them changed: `spec__strategy__type="Recreate"`; None takes a key away."""
    found = copy.deepcopy(list(items()))
    (one,) = (
        each for each in found if each["kind"] == kind and each["metadata"]["labels"].get("app.kubernetes.io/component", "") == service
    )
    for path, value in changes.items():
        *above, last = path.split("__")
        at: Any = one
        for key in above:
            at = at[int(key) if key.isdigit() else key]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return Objects(CLUSTER, found, namespace("restricted"))


def without(kind: str) -> Objects:
    return Objects(CLUSTER, [each for each in items() if each["kind"] != kind], namespace("restricted"))


def beside(*more: Object) -> Objects:
    return Objects(CLUSTER, [*items(), *more], namespace("restricted"))


def checkout(path: Path) -> Repository:
    """A checkout that lacks everything."""
    return Repository(path, frozenset({"up"}), commits=1, all_commits=9)
