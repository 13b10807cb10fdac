"""The cluster says truly whether it enforces the app's network policies."""

from __future__ import annotations

import pytest

from scripts.kubernetes import policy_probe
from scripts.kubernetes.policy_probe import Verdict
from tests.cluster.app import App
from tests.doubles import Step

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


def test_enforcement_is_proven_and_without_policies_it_is_not(app: App) -> None:
    found = policy_probe.probe(app.cluster, Step())
    if found is not Verdict.ENFORCED and not app.context.must_enforce_policies:
        pytest.skip(f"this cluster's network policies: {found}")
    assert found is Verdict.ENFORCED
    remembered = app.cluster.get("namespace", app.cluster.namespace)[0]["metadata"]["annotations"]["todo-tasks/policies"]
    assert remembered == Verdict.ENFORCED
    app.cluster.kubectl("delete", "networkpolicies", "--all")
    try:
        assert policy_probe.probe(app.cluster, Step()) is Verdict.NOT_ENFORCED
    finally:
        again = app.checkout.invoke("up", "--engine", "kube_context")
    assert again.code == 0, again.stderr
    assert app.cluster.get("networkpolicies")
    assert not [pod for pod in app.cluster.get("pods") if pod["metadata"]["name"] in (policy_probe.ALLOWED, policy_probe.STRANGER)]
