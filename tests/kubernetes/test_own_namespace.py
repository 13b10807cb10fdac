"""What `down --data` removes, and what outlives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from scripts.core.shell import CommandError, Result
from scripts.desired import labels
from scripts.kubernetes import helm, own_namespace
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.own_namespace import OwnNamespace
from tests.doubles import Step

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class OneVolume(Cluster):
    """A cluster with one claim, whose volume has this reclaim policy; none where it may not be seen."""

    policy: str = ""

    def names(self, kind: str, selector: str = "", timeout: float = 0) -> list[str]:
        return ["data-postgres-0"] if kind == "persistentvolumeclaims" else []

    def get(self, kind: str, name: str = "", **_: Any) -> list[Any]:
        if kind == "namespace":
            return [{"metadata": {"name": name, "labels": labels.of_project("todo")}}]
        if kind == "persistentvolumeclaims":
            return [{"metadata": {"name": "data-postgres-0"}, "spec": {"volumeName": "pv-1"}}]
        assert (kind, name) == ("persistentvolume", "pv-1")
        if not self.policy:
            raise CommandError("kubectl ended with 1", ["forbidden"], Result(1, "", "forbidden", 0.1))
        return [{"metadata": {"name": "pv-1"}, "spec": {"persistentVolumeReclaimPolicy": self.policy}}]


@pytest.mark.parametrize(
    ("policy", "removed", "warned"),
    [
        ("Delete", "volume data-postgres-0", []),
        ("", "volume data-postgres-0", []),
        (
            "Retain",
            "claim data-postgres-0",
            ["the cluster keeps the data, since the volume's class says so (Retain): kubectl delete persistentvolume pv-1"],
        ),
    ],
)
def test_a_volume_that_outlives_its_claim_is_not_told_as_removed(
    monkeypatch: pytest.MonkeyPatch, step: Step, policy: str, removed: str, warned: list[str]
) -> None:
    monkeypatch.setattr(helm, "history", lambda _: [])
    monkeypatch.setattr(own_namespace, "remove_namespace", lambda *_: None)
    cluster = OneVolume("test", "todo", "todo", policy=policy)
    assert OwnNamespace(cluster, "todo").remove(delete_data=True, step=step) == [removed, "namespace todo"]
    assert step.warned == warned
