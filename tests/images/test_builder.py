"""What builds images: Docker's plugin for BuildKit, one that setup has brought, or the classic builder; and what needs BuildKit."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import setup
from scripts.config.services import Service
from scripts.config.settings import Settings, load_settings
from scripts.core import paths
from scripts.images import builder
from tests.programs import Programs, Reply, on_path

pytestmark = pytest.mark.unit

ASKED = ("docker", "buildx", "version")
PLUGIN = Reply("github.com/docker/buildx v0.33.0\n")
NO_PLUGIN = Reply("", "docker: unknown command: docker buildx\n", code=1)
WITH_MOUNT = "FROM scratch\nRUN --mount=type=cache,target=/cache pip install .\n"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    made = on_path(tmp_path / "programs", monkeypatch)
    monkeypatch.setattr(paths, "TOOLS", tmp_path / "tools")
    return made


def settings_of(tmp_path: Path, dockerfile: str) -> Settings:
    (tmp_path / "Dockerfile").write_text(dockerfile)
    service = Service(context=str(tmp_path), port=1)
    return load_settings().model_copy(update={"services": {"app": service}, "database": None})


def test_the_plugin_of_dockers_client_is_first_and_what_setup_has_brought_next(programs: Programs, tmp_path: Path) -> None:
    programs.tell(ASKED, NO_PLUGIN, NO_PLUGIN, PLUGIN)
    assert builder.buildx() == ()
    brought = tmp_path / "tools" / builder.BUILDX
    brought.parent.mkdir()
    brought.write_text("#!/bin/sh\n")
    brought.chmod(0o755)
    assert builder.buildx() == (builder.BUILDX,)
    assert builder.buildx() == builder.AS_PLUGIN


def test_the_dockerfile_that_needs_buildkit_is_named_with_its_line(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, WITH_MOUNT)
    assert builder.needing_buildkit(settings) == [f"{tmp_path}/Dockerfile needs BuildKit, for `--mount` on line 2"]
    settings = settings_of(tmp_path, "FROM scratch\n")
    assert builder.needing_buildkit(settings) == []


@pytest.mark.parametrize(
    ("dockerfile", "answer", "needed"),
    [(WITH_MOUNT, NO_PLUGIN, [builder.BUILDX]), (WITH_MOUNT, PLUGIN, []), ("FROM scratch\n", None, [])],
    ids=["no plugin", "a plugin", "nothing needs it"],
)
def test_setup_brings_buildx_where_a_dockerfile_needs_it(
    programs: Programs, tmp_path: Path, dockerfile: str, answer: Reply | None, needed: list[str]
) -> None:
    if answer:
        programs.tell(ASKED, answer)
    assert setup.for_builds(settings_of(tmp_path, dockerfile)) == needed
