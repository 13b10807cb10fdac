"""The Docker engine runs what a pod says, or refuses it by name."""

import copy
from typing import Any

import pytest

from scripts.core.errors import InputError
from scripts.engines.docker.pod_spec import Probe, SecretKey, cpus, plan, quantity

pytestmark = pytest.mark.unit

DEPLOYMENT: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "template": {
            "metadata": {"labels": {"app.kubernetes.io/component": "web"}},
            "spec": {
                "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001},
                "terminationGracePeriodSeconds": 30,
                "initContainers": [{"name": "prepare", "image": "web:h1", "command": ["prepare"]}],
                "containers": [
                    {
                        "name": "web",
                        "image": "web:h1",
                        "args": ["--serve"],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                        "ports": [{"name": "http", "containerPort": 3000}],
                        "resources": {"limits": {"cpu": "250m", "memory": "64Mi"}},
                        "securityContext": {
                            "readOnlyRootFilesystem": True,
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}],
            },
        }
    },
}
SERVICE = {"kind": "Service", "metadata": {"name": "web-service"}, "spec": {"selector": {"app.kubernetes.io/component": "web"}}}
OTHER = {"kind": "Service", "metadata": {"name": "other"}, "spec": {"selector": {"app.kubernetes.io/component": "other"}}}


def changed_pod(**fields: Any) -> dict[str, Any]:
    thing = copy.deepcopy(DEPLOYMENT)
    thing["spec"]["template"]["spec"].update(fields)
    return thing


def changed_container(**fields: Any) -> dict[str, Any]:
    thing = copy.deepcopy(DEPLOYMENT)
    thing["spec"]["template"]["spec"]["containers"][0].update(fields)
    return thing


def test_a_container_is_planned_as_the_pod_says() -> None:
    pod = plan([DEPLOYMENT, SERVICE, OTHER]).pods[0]
    container = pod.container
    assert (pod.workload, pod.service, pod.aliases, pod.group) == ("web", "web", ("web-service",), 10001)
    assert (container.user, container.read_only, container.drop, container.new_privileges) == ("10001:10001", True, ("ALL",), False)
    assert (container.memory, container.cpus, container.tmpfs) == (64 * 2**20, 0.25, {"/tmp": 16 * 2**20})
    assert container.env == {"A": "1", "B": SecretKey("s", "k")}
    assert container.secret_names() == ["s"]
    assert container.readiness == Probe("/ready", (), 5, 1)
    assert [init.command for init in pod.init] == [("prepare",)]


@pytest.mark.parametrize(
    ("thing", "named"),
    [
        (changed_pod(hostNetwork=True), "Deployment/web: pod.hostNetwork"),
        (changed_pod(volumes=[{"name": "tmp", "hostPath": {"path": "/"}}]), "volume `tmp` of kind hostPath"),
        (changed_pod(volumes=[]), "volume `tmp` of kind missing"),
        (changed_container(tty=True), "Deployment/web: pod.containers.web.tty"),
        (changed_container(securityContext={"privileged": True}), "securityContext.privileged: true"),
        (changed_container(securityContext={"capabilities": {"add": ["NET_ADMIN"]}}), "securityContext.capabilities.add"),
        (changed_container(securityContext={"seccompProfile": {"type": "Unconfined"}}), "seccompProfile: Unconfined"),
        (changed_container(env=[{"name": "IP", "valueFrom": {"fieldRef": {}}}]), "env.IP.valueFrom.fieldRef"),
        (changed_container(readinessProbe={"grpc": {"port": 1}}), "readinessProbe: neither httpGet, exec nor tcpSocket"),
        (changed_pod(containers=DEPLOYMENT["spec"]["template"]["spec"]["containers"] * 2), "2 containers in one pod"),
        (changed_pod(securityContext={"runAsNonRoot": True}), "runAsNonRoot without a numeric runAsUser"),
        ({"kind": "DaemonSet", "metadata": {"name": "agent"}}, "DaemonSet agent"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(thing: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as error:
        plan([thing])
    assert error.value.cause == "the docker engine cannot honour a part of the chart"
    assert any(named in line for line in error.value.evidence)


def test_where_a_pod_may_run_is_no_question_on_one_machine() -> None:
    placed = changed_pod(nodeSelector={"disk": "ssd"}, tolerations=[{"operator": "Exists"}], priorityClassName="high", affinity={})
    assert plan([placed]).pods == plan([DEPLOYMENT]).pods


def test_files_of_a_config_map_are_mounted_and_another_is_refused() -> None:
    volumes = [*DEPLOYMENT["spec"]["template"]["spec"]["volumes"], {"name": "ca", "configMap": {"name": "trusted"}}]
    thing = changed_container(volumeMounts=[{"name": "ca", "mountPath": "/etc/trusted-ca"}])
    thing["spec"]["template"]["spec"]["volumes"] = volumes
    config = {"kind": "ConfigMap", "metadata": {"name": "trusted"}, "data": {"ca.pem": "PEM"}}
    pod = plan([thing, config]).pods[0]
    assert pod.container.files == {"/etc/trusted-ca": {"ca.pem": "PEM"}}
    assert pod.digest != plan([thing, {**config, "data": {"ca.pem": "other"}}]).pods[0].digest
    with pytest.raises(InputError) as error:
        plan([thing])
    assert "volume `ca` of kind configMap" in str(error.value)


def test_a_probe_may_be_a_connection() -> None:
    assert plan([changed_container(readinessProbe={"tcpSocket": {"port": "http"}})]).pods[0].container.readiness == Probe("", (), 10, 1)


def test_what_the_preview_leaves_out_is_told() -> None:
    things = [{"kind": kind, "metadata": {"name": "x"}} for kind in ("HorizontalPodAutoscaler", "NetworkPolicy", "ServiceAccount")]
    assert plan([*things, DEPLOYMENT]).left_out == {"autoscaling", "network policies"}


def test_pods_that_wait_in_an_init_container_come_last() -> None:
    first = changed_pod(initContainers=[])
    first["metadata"] = {"name": "database"}
    assert [pod.workload for pod in plan([DEPLOYMENT, first]).pods] == ["database", "web"]


def test_the_digest_changes_with_a_secrets_name() -> None:
    other = changed_container(env=[{"name": "B", "valueFrom": {"secretKeyRef": {"name": "s2", "key": "k"}}}])
    assert plan([DEPLOYMENT]).pods[0].digest == plan([copy.deepcopy(DEPLOYMENT)]).pods[0].digest
    assert plan([DEPLOYMENT]).pods[0].digest != plan([other]).pods[0].digest


@pytest.mark.parametrize(
    ("text", "size"), [("64Mi", 67108864), ("1Gi", 2**30), ("500M", 500_000_000), ("1024", 1024), ("1.5Gi", 1610612736), (7, 7)]
)
def test_a_quantity_of_memory(text: str, size: int) -> None:
    assert quantity(text) == size


@pytest.mark.parametrize(("text", "cores"), [("250m", 0.25), ("1e-1", 0.1), ("1", 1.0), ("0.5", 0.5), (2, 2.0)])
def test_a_quantity_of_cpu(text: str, cores: float) -> None:
    assert cpus(text) == cores


@pytest.mark.parametrize("text", ["lots", "64ki", "1Zi", ""])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=f"`{text}` is not a quantity"):
        quantity(text)
    with pytest.raises(InputError, match=f"`{text}` is not a quantity"):
        cpus(text)


def test_source_folders_are_shared_by_the_containers_of_a_pod_and_named_by_their_image() -> None:
    folder = {"name": "in-sources-0", "emptyDir": {"sizeLimit": "64Mi"}}
    init = {"name": "fill", "image": "web:h1", "volumeMounts": [{"name": "in-sources-0", "mountPath": "/in-sources/0"}]}
    thing = changed_pod(volumes=[folder], initContainers=[init])
    thing["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "in-sources-0", "mountPath": "/app"}]
    pod = plan([thing]).pods[0]
    assert (pod.container.sources, pod.init[0].sources) == ({"/app": "web-in-sources-0-h1"}, {"/in-sources/0": "web-in-sources-0-h1"})
    assert pod.container.tmpfs == {}
