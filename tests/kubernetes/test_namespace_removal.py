"""A namespace that does not go says what keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from scripts.core.errors import TaskError
from scripts.core.shell import Result
from scripts.kubernetes import namespace_removal
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.namespace_removal import remove_namespace
from tests.doubles import Step

pytestmark = pytest.mark.unit

DEAD = (
    "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: "
    "metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1"
)
HELD = "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
LEFT = "Some resources are remaining: configmaps. has 1 resource instances, widgets.example.com has 1 resource instances"


@dataclass(frozen=True)
class Going(Cluster):
    """A cluster whose namespace has one condition after the other, and is gone after the last; the last one stays where `stuck`."""

    conditions: list[tuple[str, str]] = field(default_factory=list)
    stuck: bool = False

    def kubectl(self, *argv: str, **_: Any) -> Result:
        if argv[0] == "delete":
            assert argv == ("delete", "namespace", "todo", "--ignore-not-found", "--wait=false")
            return Result(0, "", "", 0.0)
        if argv[1] == "configmaps,widgets.example.com":
            held = {"kind": "ConfigMap", "metadata": {"name": "mine", "finalizers": ["example.com/hold"]}}
            return Result(0, json.dumps({"kind": "List", "items": [held, {"kind": "Widget", "metadata": {"name": "free"}}]}), "", 0.0)
        assert argv[:3] == ("get", "namespace", "todo")
        if not self.conditions:
            return Result(0, "", "", 0.0)
        kind, message = self.conditions[0] if self.stuck and len(self.conditions) == 1 else self.conditions.pop(0)
        conditions = [{"type": kind, "status": "True", "message": message}] if kind else []
        if kind == "NamespaceFinalizersRemaining":
            conditions.append({"type": "NamespaceContentRemaining", "status": "True", "message": LEFT})
        return Result(0, json.dumps({"kind": "Namespace", "status": {"phase": "Terminating", "conditions": conditions}}), "", 0.0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace_removal, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(namespace_removal, "SETTLE_SECONDS", 0.1)
    monkeypatch.setattr(namespace_removal, "SECONDS", 0.5)
    monkeypatch.setattr(namespace_removal, "PATIENT_SECONDS", 0.1)


def test_an_api_that_nobody_serves_is_named_long_before_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace_removal, "SECONDS", 60)
    cluster = Going("any", "todo", "todo", conditions=[("NamespaceDeletionDiscoveryFailure", DEAD)], stuck=True)
    with pytest.raises(TaskError) as error:
        remove_namespace(cluster, Step())
    assert error.value.cause == f"the namespace todo cannot be removed: {DEAD}"
    assert "kubectl delete apiservice" in error.value.action


def test_a_failure_that_passes_is_none() -> None:
    conditions = [("NamespaceDeletionDiscoveryFailure", DEAD), *[("", "")] * 20, ("NamespaceDeletionDiscoveryFailure", DEAD)]
    remove_namespace(Going("any", "todo", "todo", conditions=conditions), Step())


def test_what_is_held_is_shown_and_told_at_the_end() -> None:
    steps = Step()
    cluster = Going("any", "todo", "todo", conditions=[("NamespaceFinalizersRemaining", HELD)], stuck=True)
    with pytest.raises(TaskError, match="the namespace todo cannot be removed: Some content") as error:
        remove_namespace(cluster, steps)
    assert HELD in steps.heard
    assert steps.said == ["the namespace todo waits for ConfigMap mine (finalizer example.com/hold)"]
    assert error.value.evidence == ("held: ConfigMap mine (finalizer example.com/hold)",)
    assert "finalizers" in error.value.action
