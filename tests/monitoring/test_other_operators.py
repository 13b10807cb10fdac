"""Somebody else's Prometheus operator that acts on our namespace too is told, with the flag that keeps it out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.kubernetes.cluster import Cluster
from scripts.monitoring import other_operators
from tests.programs import Programs, Reply, on_path

pytestmark = pytest.mark.unit

OURS = Cluster("theirs", "monitoring", "monitoring")
ASK = OURS.kubectl_argv("get", "deployments", "--all-namespaces", "--selector", other_operators.SELECTOR, "--output", "json")


def operator(namespace: str, *arguments: str) -> dict[str, object]:
    containers = [{"name": "prometheus-operator", "args": ["--kubelet-service=kube-system/kubelet", *arguments]}]
    return {"metadata": {"name": "theirs", "namespace": namespace}, "spec": {"template": {"spec": {"containers": containers}}}}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return on_path(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("namespace", "arguments", "told"),
    [
        ("observability", (), True),
        ("observability", ("--deny-namespaces=kube-system",), True),
        ("observability", ("--deny-namespaces=kube-system,monitoring",), False),
        ("observability", ("--namespaces=observability",), False),
        ("observability", ("--namespaces=observability,monitoring",), True),
        ("observability", ("--prometheus-instance-namespaces=observability", "--namespaces=observability,monitoring"), False),
        ("monitoring", (), False),
    ],
)
def test_who_acts_on_our_namespace_is_told(namespace: str, arguments: tuple[str, ...], told: bool, programs: Programs) -> None:
    programs.tell(ASK, Reply(json.dumps({"items": [operator(namespace, *arguments)]})))
    found = "\n".join(other_operators.warnings(OURS))
    assert bool(found) is told
    assert not told or "theirs in observability acts on monitoring too" in found
    assert not told or "--deny-namespaces=monitoring" in found


def test_a_cluster_that_may_not_be_asked_is_no_trouble(programs: Programs) -> None:
    programs.tell(ASK, Reply(stderr="Error from server (Forbidden): deployments.apps is forbidden\n", code=1))
    assert not list(other_operators.warnings(OURS))
