"""Changes that belong together are one, however an editor or git writes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.inner_loop.watching import Watch, git_indexes

pytestmark = pytest.mark.unit


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    (tmp_path / ".git").mkdir()
    with Watch(lambda: sorted(path for path in (tmp_path, *tmp_path.rglob("*")) if path.is_dir())).running() as running:
        assert warmed_up(running, tmp_path)
        yield running


def warmed_up(watch: Watch, folder: Path) -> bool:
    """Wait until the folder is watched: until a first change is seen."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        (folder / "first").write_text(str(time.monotonic()))
        if watch.next(0.2):
            return True
    return False


def test_an_editors_three_steps_are_one_change(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "4913").write_text("")
    (tmp_path / "4913").unlink()
    (tmp_path / "app.py~").write_text("new")
    (tmp_path / "app.py~").replace(tmp_path / "app.py")
    (tmp_path / "app.py").chmod(0o644)
    change = watch.next(5)
    assert change
    assert tmp_path / "app.py" in change.paths
    assert watch.next(0.5) is None


def test_what_git_does_under_its_lock_is_one_change(watch: Watch, tmp_path: Path) -> None:
    lock = tmp_path / ".git" / "index.lock"
    lock.write_text("")
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
        time.sleep(0.25)
    (tmp_path / "d").write_text("d")
    lock.unlink()
    change = watch.next(5)
    assert change
    assert {tmp_path / name for name in "abcd"} <= change.paths
    assert watch.next(0.5) is None


def test_a_new_folder_is_watched_with_what_came_into_it(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "early.py").write_text("")
    seen: set[Path] = set()
    deadline = time.monotonic() + 10
    while tmp_path / "new" / "early.py" not in seen and time.monotonic() < deadline:
        seen |= found.paths if (found := watch.next(0.2)) else set()
    assert tmp_path / "new" / "early.py" in seen
    (tmp_path / "new" / "late.py").write_text("")
    change = watch.next(5)
    assert change
    assert change.paths == {tmp_path / "new" / "late.py"}


def test_the_index_of_a_worktree_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / ".git").write_text(f"gitdir: {tmp_path}/main/.git/worktrees/tree\n")
    assert git_indexes([tmp_path / "tree"]) >= {tmp_path / "main/.git/worktrees/tree/index.lock"}
