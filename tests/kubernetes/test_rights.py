"""A right that a person lacks is told as that, whichever program met it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.core import paths
from scripts.core.shell import CommandError
from scripts.kubernetes import helm
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import Deployment

pytestmark = pytest.mark.runner

HELM = (
    'Error: query: failed to query with labels: secrets is forbidden: User "dev" cannot list resource "secrets" in API group "" '
    'in the namespace "todo"'
)
KUBECTL = (
    'Error from server (Forbidden): nodes is forbidden: User "system:serviceaccount:todo:dev" cannot get resource "nodes" '
    'in API group "" at the cluster scope'
)
GROUP = 'deployments.apps is forbidden: User "dev" cannot patch resource "deployments" in API group "apps" in the namespace "todo"'
QUOTA = 'Error from server (Forbidden): pods "x" is forbidden: exceeded quota: small'


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """One whose kubectl and helm say what the file `said` holds, and fail."""
    for name in ("kubectl", "helm"):
        (tmp_path / name).write_text(f"#!/bin/sh\ncat {tmp_path}/said >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(paths, "TOOLS", tmp_path)
    return Cluster("any", "todo", "todo")


@pytest.mark.parametrize(
    ("program", "said", "cause", "action"),
    [
        ("helm", HELM, "dev may not list secrets in namespace todo", "can-i list secrets --namespace todo"),
        ("kubectl", KUBECTL, "system:serviceaccount:todo:dev may not get nodes in the whole cluster", "can-i get nodes --all-namespaces"),
        ("kubectl", GROUP, "dev may not patch deployments.apps in namespace todo", "can-i patch deployments.apps --namespace todo"),
    ],
)
def test_the_right_that_is_missing_is_named(cluster: Cluster, tmp_path: Path, program: str, said: str, cause: str, action: str) -> None:
    (tmp_path / "said").write_text(said)
    with pytest.raises(CommandError) as failure:
        getattr(cluster, program)("get")
    assert (failure.value.cause, failure.value.code) == (cause, "rights-missing")
    assert failure.value.action.endswith(action)
    assert failure.value.evidence
    assert helm._refused(failure.value) is failure.value


def test_another_refusal_is_left_as_it_is(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "said").write_text(QUOTA)
    with pytest.raises(CommandError) as failure:
        cluster.kubectl("create")
    assert failure.value.code == "command-failed"


def test_an_app_whose_record_may_not_be_seen_is_not_called_missing(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "said").write_text(HELM)
    with pytest.raises(CommandError, match="dev may not list secrets in namespace todo"):
        Deployment(cluster, "todo").exists()
    assert not Deployment(cluster, "todo", ours=False).exists(), "whether somebody else's is there changes nothing"
    (tmp_path / "said").write_text("Unable to connect to the server: dial tcp: i/o timeout")
    assert not Deployment(cluster, "todo").exists()
