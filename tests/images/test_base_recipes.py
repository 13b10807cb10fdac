"""Recipes of bases run as people have them; who cannot make bases is told why before anything is made."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.config.settings import Base, load_settings
from scripts.core.paths import ROOT
from scripts.images import base_recipes, bases

pytestmark = pytest.mark.runner

BASE = Base(image="image:1", packages=("package",))


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of docker/base."""
    shutil.copytree(ROOT / "docker/base", tmp_path / "recipes")
    monkeypatch.setattr(base_recipes, "RECIPES", tmp_path / "recipes")
    return tmp_path / "recipes"


def reference() -> str:
    return base_recipes.packages_reference("todo", "python", BASE)


def as_a_zip_file_with_windows_line_ends(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
            path.chmod(0o644)


def test_line_ends_modes_and_droppings_change_no_base(recipes: Path) -> None:
    before = reference()
    as_a_zip_file_with_windows_line_ends(recipes)
    (recipes / ".DS_Store").write_text("x")
    (recipes / ".make.sh.swp").write_text("x")
    assert reference() == before


def test_an_edit_of_a_recipe_changes_its_base(recipes: Path) -> None:
    before = reference()
    (recipes / "clean.sh").write_text("#!/bin/sh\n")
    assert reference() != before


def test_what_runs_is_a_program_whatever_the_checkout_has(recipes: Path) -> None:
    as_a_zip_file_with_windows_line_ends(recipes)
    with base_recipes._unpacked(BASE) as (common, own):
        assert own == ""
        run = subprocess.run([common / "make.sh", "nothing", "x"], capture_output=True, text=True, check=False)
        assert "usage: " in run.stderr
        assert all(os.access(path, os.X_OK) for path in common.glob("*.sh"))
        assert b"\r" not in (common / "dpkg.cfg").read_bytes()
    assert not common.exists()


@pytest.mark.parametrize(
    ("user", "programs", "subuid", "told"),
    [
        (0, ["mmdebstrap"], "", ""),
        (0, [], "", "mmdebstrap is not installed"),
        (1000, ["mmdebstrap"], "me:1:65536\n", "uidmap, which is not installed"),
        (1000, ["mmdebstrap", "newuidmap"], "you:1:65536\n", "has no entry for me"),
        (1000, ["mmdebstrap", "newuidmap"], None, "has no entry for me"),
        (1000, ["mmdebstrap", "newuidmap"], "you:1:2\nme:1:65536\n", ""),
        (1000, ["mmdebstrap", "newuidmap"], "1000:1:65536\n", ""),
    ],
)
def test_who_cannot_make_bases_is_told_what_is_missing(
    user: int, programs: list[str], subuid: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in programs:
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(base_recipes.os, "geteuid", lambda: user)
    monkeypatch.setattr(base_recipes.getpass, "getuser", lambda: "me")
    monkeypatch.setattr(base_recipes, "SUBUID", tmp_path / "subuid")
    if subuid is not None:
        (tmp_path / "subuid").write_text(subuid)
    reason = base_recipes.obstacle()
    assert told in reason
    assert bool(told) == bool(reason)


@pytest.mark.parametrize(
    ("user", "installable", "system", "remedy"),
    [
        (0, True, "debian", "invoke setup"),
        (1000, False, "debian", "sudo apt-get install mmdebstrap uidmap && sudo usermod --add-subuids"),
        (1000, False, "fedora", "run it on Debian or Ubuntu"),
    ],
)
def test_the_remedy_is_one_that_this_user_can_run(
    user: int, installable: bool, system: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_recipes.os, "geteuid", lambda: user)
    monkeypatch.setattr(base_recipes.packages, "installable", lambda: installable)
    monkeypatch.setattr(base_recipes.packages, "system", lambda: system)
    assert base_recipes.remedy().startswith(remedy)


def test_the_recipes_of_the_settings_are_there() -> None:
    for name, base in load_settings().base_images.items():
        assert base.recipe is None or base_recipes.recipe_files(ROOT / base.recipe), name


@pytest.mark.parametrize(
    ("answer", "asked_by_pull"),
    [
        ("manifest unknown: manifest unknown", True),
        ("errors: denied: requested access to the resource is denied", True),
        ("not found: manifest for mirror.example/library/python not found", True),
        ('Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host', False),
        ('Get "https://registry-1.docker.io/v2/": x509: certificate signed by unknown authority', False),
        ('Get "https://registry-1.docker.io/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)', False),
        ('Get "https://registry-1.docker.io/v2/": read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer', False),
        ("Get https://registry-1.docker.io/v2/: proxyconnect tcp: EOF", False),
    ],
)
def test_a_registry_that_answers_is_left_to_the_pull_and_one_that_does_not_is_not(answer: str, asked_by_pull: bool) -> None:
    assert (bases.UNREACHABLE.search(answer) is None) == asked_by_pull
