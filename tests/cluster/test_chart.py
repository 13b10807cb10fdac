"""The app's chart against a real API server, in a namespace that enforces Pod Security `restricted`. No image is needed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from scripts.core.shell import Result
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.own_namespace import POD_SECURITY
from tests.cluster.conftest import ClusterContext, temporary_namespace
from tests.render import chart
from tests.render.chart import CHART, MINIMAL, RELEASE, Object, helms, of_kind, scenario

pytestmark = pytest.mark.cluster

BACKEND = f"{RELEASE}-backend"
SCALED = 3


@pytest.fixture(scope="module")
def restricted(cluster_context: ClusterContext, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A namespace under `restricted` with the accounts of the chart in it, which admission of a pod asks for."""
    with temporary_namespace(cluster_context, keep=request.config.getoption("--keep", default=False), labels=POD_SECURITY) as name:
        cluster = cluster_context.within(name, RELEASE)
        apply(cluster, of_kind(scenario("minimal"), "ServiceAccount"))
        yield cluster


def apply(cluster: Cluster, objects: list[Object], *options: str) -> Result:
    """Apply objects as Helm 4 does: on the server's side, and refusing unknown fields."""
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    return cluster.kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", *options, "-f", "-", input=manifest)


@pytest.mark.parametrize("name", ["minimal", "database outside", "behind an ingress", "fixed size, no test"])
def test_the_api_server_takes_every_object_without_a_warning(restricted: Cluster, name: str) -> None:
    objects = scenario(name)
    done = apply(restricted, objects, "--dry-run=server")
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == len(objects)


def test_the_api_server_takes_the_service_monitors(restricted: Cluster) -> None:
    if not restricted.get("crd", "servicemonitors.monitoring.coreos.com"):
        pytest.skip("this cluster has no ServiceMonitor resource type")
    assert apply(restricted, scenario("monitored"), "--dry-run=server").stderr == ""


def test_the_namespace_does_warn_of_a_pod_that_is_not_restricted(restricted: Cluster) -> None:
    """The control of the test above: silence means something."""
    deployment = deepcopy(of_kind(scenario("minimal"), "Deployment")[0])
    deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    assert "would violate PodSecurity" in apply(restricted, [deployment], "--dry-run=server").stderr


@dataclass(frozen=True)
class Installed:
    """The chart as one version of helm has installed it."""

    helm: str
    cluster: Cluster

    def run_helm(self, *argv: str, values: dict[str, Any] | None = None) -> None:
        command = [self.helm, *self.cluster.helm_argv(*argv)[1:]]
        done = subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr

    def upgrade(self, values: dict[str, Any] | None = None) -> None:
        """Install or upgrade, without waiting for pods."""
        self.run_helm("upgrade", "--install", RELEASE, str(CHART), "--values", str(MINIMAL), "--values", "-", values=values)

    def deployment(self) -> Object:
        (found,) = self.cluster.get("deployment", BACKEND)
        return found

    def generations(self) -> dict[str, int]:
        """Return the generation of each workload: it rises when the specification changes."""
        return {o["metadata"]["name"]: o["metadata"]["generation"] for o in self.cluster.get("deployments,statefulsets")}


@pytest.fixture(scope="module", params=list(helms()) or [None])
def installed(request: pytest.FixtureRequest, cluster_context: ClusterContext) -> Iterator[Installed]:
    """The chart, installed by each helm that there is, once the autoscalers have set their minimum."""
    if request.param is None:
        chart.any_helm()  # skips, and says why
    with temporary_namespace(cluster_context, keep=request.config.getoption("--keep", default=False), labels=POD_SECURITY) as name:
        release = Installed(helms()[request.param], cluster_context.within(name, RELEASE))
        release.upgrade()
        minimum = ("--for=jsonpath={.spec.replicas}=2", "--timeout=120s")
        release.cluster.kubectl("wait", "deployment", "--all", *minimum, timeout=130)
        yield release


def test_a_second_upgrade_changes_no_workload(installed: Installed) -> None:
    before = installed.generations()
    installed.upgrade()
    assert installed.generations() == before


def test_a_new_secret_name_changes_the_pods_of_its_service_alone(installed: Installed) -> None:
    before = installed.generations()
    installed.upgrade({"services": {"backend": {"secret": {"name": "another"}}}})
    after = installed.generations()
    assert {name for name in before if before[name] != after[name]} == {BACKEND}


def test_an_upgrade_keeps_what_the_autoscaler_has_set(installed: Installed) -> None:
    """The scale subresource is written as the autoscaler writes it; an upgrade must neither fail on it nor take it back."""
    installed.cluster.kubectl("scale", "deployment", BACKEND, f"--replicas={SCALED}")
    installed.upgrade({"services": {"backend": {"env": {"LOG_LEVEL": "debug"}}}})
    spec = installed.deployment()["spec"]
    env = {entry["name"]: entry.get("value") for entry in spec["template"]["spec"]["containers"][0]["env"]}
    assert env["LOG_LEVEL"] == "debug"
    assert spec["replicas"] == SCALED


def test_a_rollback_takes_the_old_secret_again(installed: Installed) -> None:
    installed.upgrade({"services": {"backend": {"secret": {"name": "newer"}}}})
    installed.run_helm("rollback", RELEASE)
    assert '"newer"' not in json.dumps(installed.deployment()["spec"])


def test_uninstalling_leaves_the_volume_claim_and_nothing_else(installed: Installed) -> None:
    claim = f"data-{RELEASE}-postgres-0"
    installed.cluster.kubectl("wait", "--for=create", f"pvc/{claim}", "--timeout=60s", timeout=70)
    installed.run_helm("uninstall", RELEASE, "--wait")
    kinds = "deployments,statefulsets,services,hpa,pdb,networkpolicies,resourcequotas,limitranges,persistentvolumeclaims"
    left = [chart.title(o) for o in installed.cluster.get(kinds)]
    assert left == [f"PersistentVolumeClaim/{claim}"]
