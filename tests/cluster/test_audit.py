"""`invoke audit` on the real app: what it sees from inside and by trying, and that it sees what is broken there on purpose."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.app import App

pytestmark = pytest.mark.cluster

KEPT = {
    *("core-3", "technology-3", "technology-6"),
    *(f"architectural-{number}" for number in range(1, 8)),
    *(f"security-{number}" for number in range(1, 6)),
    *("deployment-1", "deployment-2", "deployment-3", "deployment-5"),
    *("monitoring-1", "monitoring-2", "monitoring-3"),
}
"""What the app keeps on any cluster that enforces policies."""
BROKEN = {
    "core-3": "enforces Pod Security `privileged`",
    "security-1": "by-hand/by-hand: process 1 is user 0",
    "security-2": "by-hand/by-hand: its root file system was written to",
    "security-3": "by-hand/by-hand: process 1 has capabilities",
    "security-4": "API_TOKEN is in ConfigMap by-hand",
    "security-5": "frontend reaches postgres, which none allows",
    "architectural-4": "by-hand/by-hand has no probe",
    "architectural-7": "nobody uses the claim by-hand",
    "deployment-1": "by-hand is of no release",
}
PRIVILEGED = "pod-security.kubernetes.io/enforce"
Clauses = dict[str, dict[str, Any]]


def audited(app: App, *options: str) -> Clauses:
    run = app.checkout.invoke("audit", "--engine", "kube_context", "--json", *options, timeout=120)
    events = run.events()
    assert events[-1]["event"] == "finished", run.stderr
    return {str(event["clause"]): event for event in events if event["event"] == "clause"}


def token(app: App) -> str:
    lines = (app.checkout.path / ".env").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("API_TOKEN="))


@pytest.fixture
def by_hand(app: App) -> Iterator[None]:
    """What somebody has made by hand, against the constitution."""
    (backend,) = app.cluster.get("deployment", f"{app.cluster.release}-backend")
    image = backend["spec"]["template"]["spec"]["containers"][0]["image"]
    labels = {"app.kubernetes.io/component": "by-hand"}
    metadata = {"name": "by-hand", "labels": labels}
    container = {"name": "by-hand", "image": image, "command": ["sleep", "600"], "securityContext": {"runAsUser": 0}}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0, "enableServiceLinks": False}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    made: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"settings": f"token={token(app)}"}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": {"podSelector": {}, "ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]},
        },
    ]
    (held,) = app.cluster.get("resourcequotas")
    room = json.dumps({"spec": {"hard": {**held["spec"]["hard"], "persistentvolumeclaims": "2", "requests.storage": "4Gi"}}})
    as_it_was = json.dumps({"spec": {"hard": held["spec"]["hard"]}})
    app.cluster.kubectl("label", "namespace", app.cluster.namespace, "--overwrite", f"{PRIVILEGED}=privileged")
    app.cluster.kubectl("patch", "resourcequota", held["metadata"]["name"], "--patch", room)
    try:
        app.cluster.kubectl("create", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
        app.cluster.kubectl("wait", "pod/by-hand", "--for=condition=Ready", "--timeout=60s", timeout=70)
        time.sleep(2)  # the policy engine learns of what was made
        yield
    finally:
        kinds = "pod,configmap,persistentvolumeclaim,deployment,networkpolicy"
        app.cluster.kubectl("delete", kinds, "by-hand", "--ignore-not-found", "--wait=false", ok=None)
        app.cluster.kubectl("patch", "resourcequota", held["metadata"]["name"], "--patch", as_it_was)
        app.cluster.kubectl("label", "namespace", app.cluster.namespace, "--overwrite", f"{PRIVILEGED}=restricted")


def test_the_running_app_keeps_what_can_be_seen(app: App, tmp_path: Path) -> None:
    before = [each["metadata"]["resourceVersion"] for each in app.cluster.get("pods")]
    found = audited(app, "--report", str(tmp_path / "audit.md"))
    assert len(found) == 38
    assert {name: found[name]["evidence"] for name in KEPT if found[name]["verdict"] != "kept"} == {}
    through = [line for line in found["security-5"]["evidence"] if line.endswith("goes through")]
    blocked = [line for line in found["security-5"]["evidence"] if line.endswith("is blocked")]
    assert "frontend -> backend goes through" in through
    assert "frontend -> postgres is blocked" in blocked
    assert token(app) not in json.dumps(found) + (tmp_path / "audit.md").read_text()
    assert [each["metadata"]["resourceVersion"] for each in app.cluster.get("pods")] == before


@pytest.mark.long
def test_what_was_broken_by_hand_is_seen(app: App, by_hand: None) -> None:
    found = audited(app)
    for clause, says in BROKEN.items():
        assert found[clause]["verdict"] == "broken", (clause, found[clause]["evidence"])
        assert any(says in line for line in found[clause]["evidence"]), found[clause]["evidence"]
    assert token(app) not in json.dumps(found)
