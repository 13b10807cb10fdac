"""A tag changes with everything that goes into an image, and with nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from scripts.config.env_file import EnvFile
from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from scripts.desired.images import DATABASE, EXPORTER, content_hash, context_files, sources

pytestmark = pytest.mark.unit

INPUTS = {"platform": "linux/amd64", "base": "sha256:1"}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.py").write_text("a")
    (folder / "run.sh").write_text("run")
    (folder / "notes.md").write_text("ignored")
    (folder / "link").symlink_to("run.sh")
    (folder / ".dockerignore").write_text("*.md\n")
    (tmp_path / "Dockerfile").write_text("FROM base")
    return folder


def tag(context: Path, inputs: dict[str, str] = INPUTS) -> str:
    return content_hash(context, context.parent / "Dockerfile", inputs)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte": lambda c: (c / "src/a.py").write_text("b"),
    "a mode": lambda c: (c / "run.sh").chmod(0o755),
    "a name": lambda c: (c / "src/a.py").rename(c / "src/b.py"),
    "a new file": lambda c: (c / "new").write_text(""),
    "a lost file": lambda c: (c / "run.sh").unlink(),
    "a link's target": lambda c: ((c / "link").unlink(), (c / "link").symlink_to("src/a.py")),
    "the Dockerfile": lambda c: (c.parent / "Dockerfile").write_text("FROM other"),
    "bytes moved between two files": lambda c: ((c / "src/a.py").write_text("arun"), (c / "run.sh").write_text("")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_tag_changes_with(name: str, context: Path) -> None:
    before = tag(context)
    CHANGES[name](context)
    assert tag(context) != before


@pytest.mark.parametrize("key", INPUTS)
def test_the_tag_changes_with_the_input(key: str, context: Path) -> None:
    assert tag(context, {**INPUTS, key: "other"}) != tag(context)


def test_the_tag_does_not_change_with_times_or_ignored_files(context: Path) -> None:
    before = tag(context)
    (context / "notes.md").write_text("changed")
    os.utime(context / "src/a.py", (1, 1))
    (context / "src/a.py").chmod(0o600)
    assert tag(context) == before
    assert len(before) == 12


def test_the_context_is_what_dockerignore_leaves(context: Path) -> None:
    (context / ".dockerignore").write_text("*\n!src\n# a comment\n")
    assert set(context_files(context)) == {"src/a.py"}


@pytest.mark.parametrize(
    ("database_url", "monitored", "own"),
    [("", False, {DATABASE}), ("", True, {DATABASE, EXPORTER}), ("postgresql://u:p@host/db", True, set())],
)
def test_our_own_database_has_an_image_and_where_prometheus_runs_its_exporter_too(
    database_url: str, monitored: bool, own: set[str]
) -> None:
    env = EnvFile(ROOT / ".env", {"DATABASE_URL": SecretStr(database_url)})
    settings = load_settings()
    assert set(sources(settings, env, monitored=monitored)) == {*settings.services, *own}
