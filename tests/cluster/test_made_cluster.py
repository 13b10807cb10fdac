"""Which program makes the cluster of a run: the first that can, and why not the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.made_cluster import MAKERS, NAME, made
from tests.programs import Programs, Reply, on_path

pytestmark = pytest.mark.unit

KIND, K3D, MINIKUBE = MAKERS
DOCKER = ("docker", "version")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    fakes = on_path(tmp_path / "bin", monkeypatch)
    monkeypatch.setenv("PATH", str(fakes.folder))
    yield fakes
    fakes.check()


def test_the_first_that_is_installed_makes_it_under_a_kubeconfig_of_its_own(programs: Programs, tmp_path: Path) -> None:
    programs.tell(DOCKER)
    programs.tell(K3D.make)
    programs.tell(K3D.delete)
    cluster, refusals = made(tmp_path)
    assert cluster is not None
    assert (cluster.context, refusals) == (f"k3d-{NAME}", {"kind": "it is not installed"})
    assert programs.asked("k3d")[0]["environment"]["KUBECONFIG"] == str(tmp_path / "kubeconfig")
    cluster.down()


def test_one_that_cannot_leaves_nothing_and_the_next_is_tried(programs: Programs, tmp_path: Path) -> None:
    programs.tell(DOCKER)
    programs.tell(KIND.make, Reply("", "ERROR: failed to pull image\n", code=1))
    programs.tell(KIND.delete)
    programs.tell(K3D.make)
    cluster, refusals = made(tmp_path)
    assert cluster is not None
    assert cluster.context == f"k3d-{NAME}"
    assert refusals == {"kind": "ERROR: failed to pull image"}


def test_minikube_is_not_asked_as_root(programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.tell(DOCKER)
    programs.tell(MINIKUBE.make)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert made(tmp_path)[0] is None
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    cluster, _ = made(tmp_path)
    assert cluster is not None
    assert cluster.context == NAME


def test_where_none_is_installed_each_says_so(programs: Programs, tmp_path: Path) -> None:
    assert made(tmp_path) == (None, {maker.program: "it is not installed" for maker in MAKERS})
