"""The chart against a real API server, in a namespace of its own that enforces Pod Security `restricted`. No image is needed."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.render.chart import CHART, MINIMAL, RELEASE, Object, need_tool, scenario

pytestmark = pytest.mark.cluster

RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
SCALED = 3


@dataclass(frozen=True)
class Namespace:
    """A namespace of the cluster that KUBECONFIG names."""

    name: str
    kubectl_path: str

    def kubectl(self, *argv: str, given: str | None = None, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl here. Another exit code than 0 fails the test, unless ok is False."""
        command = [self.kubectl_path, "--namespace", self.name, *argv]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)
        assert not ok or done.returncode == 0, done.stderr
        return done

    def get(self, *argv: str) -> Any:
        """Return what `kubectl get` answers, as JSON."""
        return json.loads(self.kubectl("get", *argv, "--output", "json").stdout)

    def upgrade(self, helm: str, values: dict[str, Any]) -> None:
        """Install the chart here or upgrade it, without waiting for pods."""
        argv = [helm, "upgrade", "--install", RELEASE, str(CHART), "--namespace", self.name, "--values", str(MINIMAL), "--values", "-"]
        done = subprocess.run(argv, input=json.dumps(values), capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A fresh namespace under `restricted`, gone afterwards."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster")
    name = f"chart-{uuid.uuid4().hex[:8]}"
    here = Namespace(name, need_tool("kubectl"))
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
    here.kubectl("create", "--filename", "-", given=json.dumps(made))
    yield here
    here.kubectl("delete", "namespace", name, "--wait=false")


def dry_run(namespace: Namespace, objects: list[Object]) -> subprocess.CompletedProcess[str]:
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    return namespace.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", given=manifest, ok=False)


@pytest.mark.parametrize("name", ["minimal", "database outside", "behind an ingress", "fixed size, no test"])
def test_the_api_server_takes_every_object_without_a_warning(namespace: Namespace, name: str) -> None:
    objects = scenario(name)
    done = dry_run(namespace, objects)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == len(objects)


def test_the_api_server_takes_the_service_monitors(namespace: Namespace) -> None:
    if namespace.kubectl("get", "crd", "servicemonitors.monitoring.coreos.com", ok=False).returncode:
        pytest.skip("this cluster has no ServiceMonitor resource type")
    done = dry_run(namespace, scenario("monitored"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_namespace_does_warn_of_a_pod_that_is_not_restricted(namespace: Namespace) -> None:
    """The control of the test above: silence means something."""
    objects = scenario("minimal")
    deployment = json.loads(json.dumps(next(o for o in objects if o["kind"] == "Deployment")))
    deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    assert "would violate PodSecurity" in dry_run(namespace, [deployment]).stderr


def test_an_upgrade_keeps_what_the_autoscaler_has_set(helm: str, namespace: Namespace) -> None:
    """The scale subresource is written as the autoscaler writes it; the next upgrade must neither fail on it nor take it back."""
    namespace.upgrade(helm, {})
    deployment = f"deployment/{RELEASE}-backend"
    namespace.kubectl("scale", deployment, f"--replicas={SCALED}")
    namespace.upgrade(helm, {"serviceDefaults": {"env": {"LOG_LEVEL": "debug"}}})
    spec = namespace.get(deployment)["spec"]
    env = {entry["name"]: entry.get("value") for entry in spec["template"]["spec"]["containers"][0]["env"]}
    assert env["LOG_LEVEL"] == "debug"
    assert spec["replicas"] == SCALED


def test_a_new_secret_name_changes_the_pods_of_its_service_alone(helm: str, namespace: Namespace) -> None:
    namespace.upgrade(helm, {})
    before = generations(namespace)
    namespace.upgrade(helm, {"services": {"backend": {"secret": {"name": "another"}}}})
    after = generations(namespace)
    assert {name for name in before if before[name] != after[name]} == {f"{RELEASE}-backend"}


def test_a_second_upgrade_changes_no_object(helm: str, namespace: Namespace) -> None:
    namespace.upgrade(helm, {})
    before = generations(namespace)
    namespace.upgrade(helm, {})
    assert generations(namespace) == before


def test_uninstalling_leaves_the_volume_and_nothing_else(helm: str, namespace: Namespace) -> None:
    namespace.upgrade(helm, {})
    namespace.kubectl("wait", "--for=create", f"pvc/data-{RELEASE}-postgres-0", "--timeout=60s")
    done = subprocess.run(
        [helm, "uninstall", RELEASE, "--namespace", namespace.name, "--wait"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    kinds = "deployments,statefulsets,services,hpa,pdb,networkpolicies,resourcequotas,limitranges,persistentvolumeclaims"
    left = [f"{o['kind']}/{o['metadata']['name']}" for o in namespace.get(kinds)["items"]]
    assert left == [f"PersistentVolumeClaim/data-{RELEASE}-postgres-0"]


def generations(namespace: Namespace) -> dict[str, int]:
    """Return the generation of each workload: it rises when the specification changes."""
    items = namespace.get("deployments,statefulsets")["items"]
    return {o["metadata"]["name"]: o["metadata"]["generation"] for o in items}
