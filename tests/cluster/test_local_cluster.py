"""What a cluster must give to the tests that trust it: names, volumes that an unprivileged user may write to, metrics."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.cluster.context import ClusterContext
from tests.faults import releases as faults

pytestmark = pytest.mark.cluster

SECONDS = 90


def eventually(holds: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(1)


def run_pod(context: ClusterContext, namespace: str, spec: faults.Object) -> tuple[str, str]:
    """Run a pod to its end; return its phase and its log."""
    cluster = context.within(namespace, "")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "once"}, "spec": {"restartPolicy": "Never", **spec}}
    cluster.kubectl("create", "--filename", "-", input=json.dumps(pod))

    def phase() -> str:
        return str(cluster.get("pods", "once")[0]["status"].get("phase"))

    eventually(lambda: phase() in ("Succeeded", "Failed"), "the pod does not end")
    return phase(), cluster.kubectl("logs", "once").stdout


@pytest.mark.usefixtures("fault_image")
def test_a_service_is_found_by_its_name(cluster_context: ClusterContext, namespace: str) -> None:
    phase, log = run_pod(cluster_context, namespace, faults.pod("nslookup kubernetes.default.svc.cluster.local."))
    assert phase == "Succeeded", log


@pytest.mark.usefixtures("fault_image")
def test_a_volume_is_bound_and_an_unprivileged_user_may_write_to_it(cluster_context: ClusterContext, namespace: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    cluster_context.within(namespace, "").kubectl("create", "--filename", "-", input=json.dumps(claim))
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    spec = faults.pod("touch /v/file && ls -ln /v", volumes=(volume,), volumeMounts=[{"name": "v", "mountPath": "/v"}])
    phase, log = run_pod(cluster_context, namespace, {**spec, "securityContext": {"fsGroup": int(faults.USER)}})
    assert phase == "Succeeded", log
    assert faults.USER in log


def test_the_node_has_resource_metrics(cluster_context: ClusterContext) -> None:
    cluster = cluster_context.within("kube-system", "")
    if not cluster.get("deployments", "metrics-server"):
        pytest.skip("this cluster has no metrics-server")

    def cpu() -> str:
        answer = cluster.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes", ok=None)
        return str(json.loads(answer.stdout)["items"]) if answer.code == 0 else ""

    eventually(lambda: "cpu" in cpu(), "no metrics of the node")
