"""Images say which commit they were built from, and never how to get into its repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.images.provenance import REVISION, SOURCE, address, labels


def git(folder: Path, *argv: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    return subprocess.run(["git", "-C", str(folder), *identity, *argv], capture_output=True, check=True, text=True).stdout.strip()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name in ("app/main.py", "docker/app.Dockerfile", "other.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "x")
    git(tmp_path, "remote", "add", "origin", "https://me:token@git.example.com/team/app.git")
    return tmp_path


@pytest.mark.runner
def test_the_commit_and_whether_the_image_s_own_sources_have_changed_since(sources: Path) -> None:
    head = git(sources, "rev-parse", "HEAD")
    given = (sources / "app", sources / "docker" / "app.Dockerfile")
    assert dict(labels(*given)) == {REVISION: head, SOURCE: "https://git.example.com/team/app.git"}
    (sources / "other.md").write_text("changed\n")
    assert dict(labels(*given))[REVISION] == head
    (sources / "docker" / "app.Dockerfile").write_text("changed\n")
    assert dict(labels(*given))[REVISION] == f"{head}-dirty"
    git(sources, "checkout", "--quiet", ".")
    (sources / "app" / "new.py").write_text("new\n")
    assert dict(labels(*given))[REVISION] == f"{head}-dirty"


@pytest.mark.runner
def test_sources_outside_git_have_no_labels(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert dict(labels(tmp_path, tmp_path / "Dockerfile")) == {}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://token@git.example.com/a/b.git", "https://git.example.com/a/b.git"),
        ("ssh://git@git.example.com:2222/a/b", "ssh://git.example.com:2222/a/b"),
        ("git@git.example.com:a/b.git", "ssh://git.example.com/a/b.git"),
        ("/srv/git/a.git", ""),
        ("file:///srv/git/a.git", ""),
        ("C:\\code\\a", ""),
        ("", ""),
    ],
)
def test_an_address_never_holds_a_login(remote: str, shown: str) -> None:
    assert address(remote) == shown
