"""What the engines on Kubernetes share, as far as no cluster is needed."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from scripts.desired.images import BaseImage, Image
from scripts.engines import kubernetes
from scripts.engines.kubernetes import KubernetesEngine
from scripts.images.archive import full_name
from scripts.kubernetes import deployment
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.helm import Revision
from tests.programs import Reply, on_path

pytestmark = pytest.mark.unit

HELM_GET_VALUES = ("helm", "--kube-context", "any", "--namespace", "todo", "get", "values", "todo")


class Node:
    """A node that tells what is removed from it."""

    node = "one"

    def __init__(self, *references: str) -> None:
        self.there = {full_name(reference) for reference in references}

    def images(self) -> set[str]:
        return self.there

    def remove(self, names: Collection[str]) -> None:
        self.there = self.there.difference(names)


def test_after_a_rollout_local_images_go_like_those_of_nodes_but_for_a_rollback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = on_path(tmp_path, monkeypatch)
    revisions = [Revision(1, "superseded", "first"), Revision(2, "superseded", "second"), Revision(3, "deployed", "third")]
    monkeypatch.setattr(deployment.helm, "history", lambda _: revisions)
    monkeypatch.setattr(deployment.Deployment, "_healthy_fingerprints", lambda _: ["first", "second", "third"])
    monkeypatch.setattr(deployment.Deployment, "_secret_names", lambda _: set())
    for number in (2, 3):
        values = {"services": {"backend": {"image": {"repository": "r:5000/todo-backend", "tag": f"h{number}"}}}}
        programs.tell((*HELM_GET_VALUES, "--revision", str(number), "--output", "json"), Reply(json.dumps(values)))
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(kubernetes, "prune", lambda *arguments: asked.append(arguments))
    node = Node("todo-backend:h1", "todo-backend:h4", "todo-other:h1")
    engine = KubernetesEngine(load_settings(), Cluster("any", "todo", "todo"))
    monkeypatch.setattr(engine, "transports", lambda: [node])
    images = [Image("backend", "todo-backend", "h4", ROOT, Path(), BaseImage("", "", ()))]

    engine.prune([], images)

    assert asked == [(engine._settings, images, {"r:5000/todo-backend:h2", "r:5000/todo-backend:h3"})]
    assert node.there == {full_name("todo-backend:h4"), full_name("todo-other:h1")}
