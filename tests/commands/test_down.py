"""What `invoke down --data` says of what stays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scripts import remove_app
from scripts.config.settings import load_settings
from scripts.core.report import changed
from scripts.traffic import last_proof
from tests.doubles import Step

pytestmark = pytest.mark.unit


def detail(monkeypatch: pytest.MonkeyPatch, *, deployment: object, **options: bool) -> str:
    monkeypatch.setattr(remove_app.prune, "remove_build_containers", lambda _: 0)
    monkeypatch.setattr(remove_app.prune, "kept_images", lambda _: 3)
    engine = SimpleNamespace(deployment=deployment, down=lambda **_: changed("removed it"))
    project: Any = SimpleNamespace(engine=engine, settings=load_settings())
    return remove_app.main(project, Step(), **options).detail


@pytest.mark.parametrize(
    ("deployment", "options", "nodes"),
    [(object(), {}, True), (object(), {"delete_cluster": True}, False), (None, {}, False)],
    ids=["a cluster that stays", "a cluster that goes", "no Kubernetes"],
)
def test_images_on_nodes_are_told_where_there_are_nodes(
    monkeypatch: pytest.MonkeyPatch, deployment: object, options: dict[str, bool], nodes: bool
) -> None:
    said = detail(monkeypatch, deployment=deployment, delete_data=True, **options)
    assert said.startswith("removed it; 3 images of the release stay for the next up (docker image prune --all --filter label=")
    assert said.endswith(", and those on the nodes") is nodes


def test_what_the_last_smoke_test_said_goes_with_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    last_proof.PATH.write_text("{}")
    detail(monkeypatch, deployment=None)
    assert not last_proof.PATH.exists()


def test_without_the_data_nothing_is_said_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    assert detail(monkeypatch, deployment=None) == "removed it"
