"""The command line of a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.desired.images import BaseImage, Image
from scripts.images import build
from scripts.images.builder import AS_PLUGIN
from scripts.machine.docker_endpoint import Endpoint

pytestmark = pytest.mark.unit


def test_a_build_is_the_daemons_whichever_builder_somebody_has_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bases that exist on this machine alone are known to no other builder."""
    monkeypatch.setattr(build, "find_endpoint", lambda: Endpoint("unix:///x.sock", "desktop-linux"))
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    image = Image("app", "todo-app", "h1", tmp_path, tmp_path / "Dockerfile", BaseImage("", "", ()), "linux/amd64")
    argv = build.build_argv(image, "", AS_PLUGIN, release="todo")
    assert argv[argv.index("--builder") + 1] == "desktop-linux"
    assert "--load" in argv
