"""Images through a real registry with a login and a private CA: pushed once, pulled by every node by digest."""

from __future__ import annotations

import copy
import io
import json
import os
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from scripts.config.env_file import EnvFile
from scripts.config.settings import KubeContext, load_settings
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Outcome
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import BaseImage, Image
from scripts.desired.secrets import Secret, pull_secret
from scripts.engines.kube_context import KubeContextEngine
from scripts.kubernetes.nodes import detect
from scripts.machine import docker_client as machine
from tests.cluster.context import ClusterContext
from tests.cluster.local_cluster import busybox
from tests.cluster.local_cluster.layout import Layout
from tests.cluster.real_registry import PASSWORD, USER, RealRegistry, let_nodes_reach, logged_in, running
from tests.doubles import Step

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(300)]

REPOSITORY = "todo-pulled"
SERVER = ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
CHART = ROOT / "helm" / "todo-chatbot"


@pytest.fixture
def registry(cluster_context: ClusterContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealRegistry]:
    layout = Layout()
    if cluster_context.kubeconfig != layout.kubeconfig:
        pytest.skip("only the nodes of the test cluster can be told whose certificate a registry has")
    with running(tmp_path, layout.host_ip) as made:
        hosts = layout.state / "registries" / made.address
        let_nodes_reach(made, hosts, layout.host_ip)
        monkeypatch.setenv("DOCKER_CONFIG", str(logged_in(made, tmp_path / "docker")))
        machine._probe.cache_clear()
        yield made
        shutil.rmtree(hosts)
        machine._probe.cache_clear()


@pytest.fixture
def image(registry: RealRegistry) -> Iterator[Image]:
    files = {
        "Dockerfile": b"FROM scratch\nCOPY bin /bin\nCOPY index.html /www/index.html\nENTRYPOINT " + json.dumps(SERVER).encode(),
        "bin/busybox": busybox.find(Layout()).read_bytes(),
        "index.html": uuid.uuid4().bytes,
    }
    context, tag = io.BytesIO(), f"h{uuid.uuid4().hex[:12]}"
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            archive.addfile(info, io.BytesIO(data))
    context.seek(0)
    docker = machine.docker_client()
    docker.images.build(fileobj=context, custom_context=True, tag=f"{REPOSITORY}:{tag}", rm=True)
    yield Image("web", REPOSITORY, tag, Path(), Path(), BaseImage("", "", ()))
    for name in docker.images.get(f"{REPOSITORY}:{tag}").tags:
        docker.images.remove(name, force=True)


@dataclass
class Under:
    """An engine that reaches its nodes through the registry, and a release of one service."""

    engine: KubeContextEngine
    secrets: list[Secret]

    def up(self, image: Image) -> list[Outcome]:
        step, cluster = Step(), self.engine.cluster
        web = {"image": {"repository": image.repository, "tag": image.tag}, "port": 8080, "probes": {"readiness": {"path": "/index.html"}}}
        values = {"services": {"web": web}, "fullnameOverride": cluster.release}
        release = HelmRelease(cluster.release, cluster.namespace, CHART, values)
        return [
            self.engine.decide_load([image], step).carry_out(step),
            self.engine.decide_secrets(self.secrets, step).carry_out(step),
            self.engine.decide_install(release, self.secrets, step).carry_out(step),
            self.engine.await_rollout(release, 60, step),
        ]


@pytest.fixture
def under(cluster_context: ClusterContext, registry: RealRegistry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Under]:
    monkeypatch.setenv("KUBECONFIG", str(cluster_context.kubeconfig))
    wanted = KubeContext(context=cluster_context.context, registry=f"{registry.address}/team", registry_login="REGISTRY_LOGIN")
    settings = load_settings().model_copy(
        update={"engine": "kube_context", "kube_context": wanted, "namespace": f"pull-{uuid.uuid4().hex[:8]}", "release": "pull-app"}
    )
    login = pull_secret(settings, EnvFile(ROOT / ".env", {"REGISTRY_LOGIN": SecretStr(f"{USER}:{PASSWORD}")}))
    assert login
    engine = KubeContextEngine(settings)
    yield Under(engine, [login])
    engine.cluster.kubectl("delete", "namespace", settings.namespace, "--ignore-not-found", timeout=90)
    for node in detect.find(engine.cluster, KubeContext(containerd_socket=str(cluster_context.containerd_socket))):
        pulled = {name for name in node.images() if name.startswith(registry.address)}
        if pulled:
            node.remove(pulled)


def test_an_image_is_pushed_once_and_every_node_pulls_it_by_its_digest(under: Under, image: Image, registry: RealRegistry) -> None:
    assert [outcome.kind for outcome in under.up(image)][:3] == ["changed"] * 3
    cluster = under.engine.cluster
    (deployment,) = cluster.get("deployment", f"{cluster.release}-web")
    template = deployment["spec"]["template"]
    (container,) = template["spec"]["containers"]
    repository, _, digest = container["image"].partition("@")
    assert (repository, digest[:7]) == (f"{registry.address}/team/{image.repository}", "sha256:")
    nodes = cluster.names("nodes")
    for node in nodes:
        pod(under, template, node)
    cluster.kubectl("wait", "--for=condition=Ready", "--timeout=60s", *(f"pod/on-{node}" for node in nodes), timeout=70)
    print(f"{len(nodes)} nodes, {registry.pulls()} manifests handed out by digest")
    assert registry.pulls() >= len(nodes)
    before = registry.log.read_text().count('"PUT /v2/')
    assert {outcome.kind for outcome in under.up(image)} == {"unchanged"}
    assert registry.log.read_text().count('"PUT /v2/') == before > 0


def test_without_the_login_no_node_gets_it_and_the_cause_is_named(under: Under, image: Image) -> None:
    under.secrets = []
    with pytest.raises(TaskError, match="its registry denied it") as error:
        under.up(image)
    assert "REGISTRY_LOGIN" in str(error.value)


def test_the_password_is_in_no_command_line_and_no_value_of_the_release(
    under: Under, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    run = shell.run
    monkeypatch.setattr(shell, "run", lambda argv, **options: (seen.extend(argv), run(argv, **options))[1])
    under.up(image)
    assert "push" in seen
    assert not any(PASSWORD in word for word in seen)
    assert PASSWORD not in under.engine.cluster.helm("get", "all", under.engine.cluster.release).stdout
    assert PASSWORD not in " ".join(os.environ.values())


def pod(under: Under, template: dict[str, Any], node: str) -> None:
    """Start one more pod of the service, on this node."""
    made = copy.deepcopy(template)
    made["spec"] |= {"nodeName": node, "restartPolicy": "Always"}
    made |= {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"on-{node}"}}
    under.engine.cluster.kubectl("create", "--filename", "-", input=json.dumps(made))
