"""Watches folders, and bundles what belongs together: an editor's three steps are one change, and so is a branch switch."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

QUIET_SECONDS = 0.1
GIT_SECONDS = 20.0
"""How long a git command may hold the index; a lock that stays longer was left by one that was killed."""
STEP_MILLISECONDS = 50


@dataclass(frozen=True)
class Change:
    """Paths that changed together, and when the first of them did (`time.monotonic`)."""

    paths: frozenset[Path]
    since: float


class Watch:
    """Collects the paths that change in folders, in a thread of its own."""

    def __init__(self, folders: Callable[[], Sequence[Path]]) -> None:
        """Take what names the folders; it is asked again when one comes or goes."""
        self._folders = folders
        self._seen: queue.Queue[tuple[float, set[Path]]] = queue.Queue()
        self._stop = threading.Event()
        self._indexes: list[Path] = []

    @contextlib.contextmanager
    def running(self) -> Iterator[Watch]:
        """Watch while the block runs."""
        thread = threading.Thread(target=self._work, name="watch", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def next(self, seconds: float) -> Change | None:
        """Return the next change, once it is whole; None where none begins within these seconds."""
        try:
            since, paths = self._seen.get(timeout=seconds)
        except queue.Empty:
            return None
        while True:
            try:
                paths = paths | self._seen.get(timeout=QUIET_SECONDS)[1]
            except queue.Empty:
                if not self._git_is_at_work(time.monotonic() - since):
                    return Change(frozenset(paths), since)

    def _git_is_at_work(self, waited: float) -> bool:
        return waited < GIT_SECONDS and any(index.exists() for index in self._indexes)

    def _work(self) -> None:
        before: set[Path] = set()
        while not self._stop.is_set():
            folders = self._folders()
            self._indexes = sorted(git_indexes(folders))
            if before and (new := set(folders) - before):  # what came into a new folder before it was watched
                self._put({path for folder in new for path in folder.rglob("*") if path.is_file()})
            before = set(folders)
            with contextlib.suppress(FileNotFoundError):  # one has gone since it was listed
                self._until_folders_change(before)

    def _until_folders_change(self, folders: set[Path]) -> None:
        import watchfiles

        for found in watchfiles.watch(
            *folders,
            watch_filter=None,
            debounce=8 * STEP_MILLISECONDS,
            step=STEP_MILLISECONDS,
            stop_event=self._stop,
            raise_interrupt=False,
            recursive=False,
            ignore_permission_denied=True,
        ):
            paths = {Path(path) for _, path in found}
            self._put(paths)
            if any(path in folders or path.is_dir() for path in paths):
                return

    def _put(self, paths: set[Path]) -> None:
        if paths:
            self._seen.put((time.monotonic() - STEP_MILLISECONDS / 1000, paths))


def git_indexes(folders: Collection[Path]) -> set[Path]:
    """Return the locks that git takes in the repositories of these folders while it changes files."""
    found, looked_at = set(), set()
    for folder in folders:
        for parent in (folder, *folder.parents):
            if parent in looked_at:
                break
            looked_at.add(parent)
            git = parent / ".git"
            if git.is_dir():
                found.add(git / "index.lock")
            elif git.is_file():  # a worktree's
                found.add(parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip() / "index.lock")
    return found
