"""What Skaffold is told of the app: the same builds, chart and values as `up`."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.bench import skaffold
from scripts.core.errors import InputError
from scripts.desired.images import BaseImage, Image
from scripts.images import build_network, builder
from scripts.kubernetes.nodes.minikube_vm import MinikubeVmNode
from scripts.kubernetes.nodes.transports import ContainerdNode

pytestmark = pytest.mark.unit

VALUES = {
    "services": {"web": {"image": {"repository": "shop-web", "tag": "h1"}}},
    "postgres": {"image": {"tag": "h2"}},
    "quota": {"pods": 9},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(builder, "buildx", lambda: ())
    monkeypatch.setattr(build_network, "extra_ca_reference", lambda _: "ca:1")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    base = BaseImage("base:1", "base:1", ())
    images = [Image(name, f"shop-{name}", "h3", tmp_path, dockerfile, base) for name in ("web", "postgres")]
    deployment = SimpleNamespace(cluster=SimpleNamespace(context="kind", namespace="shop", release="shop"))
    settings = SimpleNamespace(project="shop", chart=SimpleNamespace(path="helm/todo"))
    return SimpleNamespace(images=images, settings=settings, cluster_deployment=lambda: deployment)


def test_it_builds_with_the_same_arguments_and_deploys_the_values_of_the_release_with_its_own_tags(project: Any) -> None:
    found = skaffold.config(project, VALUES, [ContainerdNode("one", ("ctr", "--address", "/a b"))])
    assert [each["docker"]["buildArgs"] for each in found["build"]["artifacts"]] == [{"BASE_IMAGE": "base:1"}] * 2
    (release,) = found["deploy"]["helm"]["releases"]
    assert release["overrides"] == {
        "services": {"web": {"image": {"repository": "shop-web"}}},
        "postgres": {"image": {}},
        "quota": {"pods": 9},
    }
    assert release["setValueTemplates"] == {
        "services.web.image.tag": "{{.IMAGE_TAG_shop_web}}",
        "postgres.image.tag": "{{.IMAGE_TAG_shop_postgres}}",
    }
    assert VALUES["services"] == {"web": {"image": {"repository": "shop-web", "tag": "h1"}}}
    (hook,) = found["deploy"]["helm"]["hooks"]["before"]
    assert "| ctr --address '/a b' --namespace=k8s.io images import -" in hook["host"]["command"][2]


def test_a_node_that_takes_no_image_from_a_pipe_is_refused(project: Any) -> None:
    with pytest.raises(InputError, match="no way to bring an image into vm"):
        skaffold.config(project, VALUES, [MinikubeVmNode("vm", "containerd", lambda *_: None)])  # type: ignore[arg-type]
