"""The pods that try whether network policies are enforced, and what follows from how they end."""

from __future__ import annotations

import json

import pytest
import yaml

from scripts.core.errors import TaskError
from scripts.kubernetes.policy_probe import ALLOWED, STRANGER, Verdict, probe_pods, verdict

pytestmark = pytest.mark.unit

CHECKS = [{"url": "http://one:8000/health", "status": "ok"}, {"url": "http://two:3000/health", "status": "ok"}]
TEST_POD = {
    "kind": "Pod",
    "metadata": {
        "name": "app-test",
        "annotations": {"helm.sh/hook": "test"},
        "labels": {"app.kubernetes.io/instance": "app", "app.kubernetes.io/component": "test"},
    },
    "spec": {"containers": [{"command": ["python", "-c", "main()"], "args": [json.dumps(CHECKS), "60"], "image": "an-image"}]},
}


def test_the_pods_differ_in_their_labels_alone_and_in_their_patience() -> None:
    allowed, stranger = probe_pods(yaml.safe_dump_all([{"kind": "NetworkPolicy"}, TEST_POD]))
    assert allowed["metadata"] == {"name": ALLOWED, "labels": TEST_POD["metadata"]["labels"]}
    assert stranger["metadata"]["labels"] == {"app.kubernetes.io/instance": "app", "app.kubernetes.io/component": STRANGER}
    for pod in (allowed, stranger):
        (container,) = pod["spec"]["containers"]
        assert json.loads(container["args"][0]) == CHECKS[:1]
        assert container["command"][2].endswith("main()")
        assert container["image"] == "an-image"


def test_without_a_test_pod_it_says_what_to_switch_on() -> None:
    with pytest.raises(TaskError) as error:
        probe_pods("")
    assert "test.imageOf" in error.value.action


@pytest.mark.parametrize(
    ("allowed", "stranger", "follows"),
    [
        ("Succeeded", "Failed", Verdict.ENFORCED),
        ("Succeeded", "Succeeded", Verdict.NOT_ENFORCED),
        ("Failed", "Failed", Verdict.UNPROVEN),
        ("Failed", "Succeeded", Verdict.UNPROVEN),
    ],
)
def test_what_follows(allowed: str, stranger: str, follows: Verdict) -> None:
    assert verdict({ALLOWED: allowed, STRANGER: stranger}) is follows
