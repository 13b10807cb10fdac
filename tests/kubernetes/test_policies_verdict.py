"""What was found about network policies is remembered, but only while there are any."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scripts import check_policies
from scripts.kubernetes import policy_probe
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.policy_probe import Verdict
from scripts.kubernetes.remembered import POLICIES
from tests.doubles import Step

pytestmark = pytest.mark.unit


class Cluster:
    """A namespace with these policies, and what was remembered of them."""

    namespace = "app"

    def __init__(self, policies: int, remembered: str = "") -> None:
        self.policies, self.annotations = policies, {POLICIES: remembered} if remembered else {}

    def get(self, kind: str, name: str = "") -> list[dict[str, Any]]:
        return [{"metadata": {"annotations": self.annotations}}] if kind == "namespace" else [{}] * self.policies

    def kubectl(self, *argv: str) -> None:
        self.annotations[POLICIES] = argv[-1].partition("=")[2]


@pytest.mark.parametrize(
    ("cluster", "refresh", "found", "remembered"),
    [
        (Cluster(3), False, Verdict.ENFORCED, "enforced"),
        (Cluster(3, "not enforced"), False, Verdict.NOT_ENFORCED, "not enforced"),
        (Cluster(3, "not enforced"), True, Verdict.ENFORCED, "enforced"),
        (Cluster(0, "enforced"), False, None, "enforced"),
    ],
    ids=["tried the first time", "remembered", "tried again", "no policies any more"],
)
def test_the_verdict(cluster: Cluster, refresh: bool, found: Verdict | None, remembered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_probe, "probe", lambda *_: Verdict.ENFORCED)
    deployment = Deployment(cluster, "todo")  # type: ignore[arg-type]
    assert deployment.policies_verdict(Step(), refresh=refresh) is found
    assert cluster.annotations[POLICIES] == remembered


@pytest.mark.parametrize(("remembered", "advice"), [("", "set `cni: calico`"), ("enforced", "it did before: what enforces them is gone")])
def test_what_to_do_depends_on_whether_they_were_enforced_before(remembered: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_probe, "probe", lambda *_: Verdict.NOT_ENFORCED)
    deployment = Deployment(Cluster(3, remembered), "todo")  # type: ignore[arg-type]
    step = Step()
    check_policies.main(SimpleNamespace(cluster_deployment=lambda: deployment), step)  # type: ignore[arg-type]
    assert advice in step.warned[0]
