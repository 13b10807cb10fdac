"""What a change needs: the sources, an image, the settings, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.config.services import Service
from scripts.core.paths import ROOT
from scripts.inner_loop.changes import Work, synced_files, watched_folders, work_of

pytestmark = pytest.mark.unit

CHART = ROOT / "helm"


@pytest.fixture
def api(tmp_path: Path) -> Service:
    for name in ("src/shop/app.py", "src/shop/migrations/0001.py", "src/shop/__pycache__/app.pyc", "node_modules/deep/x.js", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / ".dockerignore").write_text("node_modules\n*.md\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    dev = {"sync": {"src/shop": "/app/shop"}, "command": ["python", "-m", "shop"], "rebuild": ["src/shop/migrations"]}
    return Service.model_validate({"context": str(tmp_path), "dev": dev})


def needed(api: Service, *names: str) -> Work:
    taken = Service.model_validate({"image": "redis:8"})
    return work_of({api.folder() / name for name in names}, {"api": api, "cache": taken}, CHART)


def test_a_source_that_is_synced_takes_no_image(api: Service) -> None:
    assert needed(api, "src/shop/app.py") == Work(sync=frozenset({"api"}))


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore", "setup.cfg", "src/shopping.py", "src/shop/migrations/0001.py"])
def test_everything_else_of_a_context_takes_one(api: Service, name: str) -> None:
    assert needed(api, name, "src/shop/app.py") == Work(build=frozenset({"api"}))


@pytest.mark.parametrize("name", ["README.md", "node_modules/deep/x.js", "src/shop/__pycache__/app.pyc", "src/shop/.app.py.swp"])
def test_what_no_image_holds_needs_nothing(api: Service, name: str) -> None:
    assert not needed(api, name)
    assert not work_of({api.folder().with_name("other")}, {"api": api}, CHART)


def test_settings_env_and_chart_are_read_again() -> None:
    for path in (ROOT / "invoke.yaml", ROOT / ".env", CHART / "templates" / "x.yaml"):
        assert work_of({path}, {}, CHART) == Work(settings=True)
    assert not work_of({ROOT / "README.md"}, {}, CHART)


def test_synced_files_are_told_by_their_place_in_the_container(api: Service) -> None:
    assert synced_files(api) == {"/app/shop/app.py": api.folder() / "src/shop/app.py"}


def test_what_no_build_sees_is_not_watched(api: Service) -> None:
    found = watched_folders({"api": api}, CHART)
    assert api.folder() / "src/shop/migrations" in found
    assert api.folder() / "node_modules" not in found
    assert not any("__pycache__" in path.parts for path in found if path.is_relative_to(api.folder()))
