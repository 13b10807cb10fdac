"""What the checkout is: its commands, and git's history."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.audit.facts import Repository
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT

SECONDS = 30


def see() -> Repository:
    """Return what the checkout is. Raises TaskError when its commands cannot be listed."""
    argv = [sys.executable, "-m", "invoke", "--search-root", str(ROOT), "--list", "--list-format=json"]
    listed = json.loads(shell.run(argv, timeout=SECONDS).stdout)
    return Repository(ROOT, frozenset(_commands(listed, "")), _commits("specs"), _commits("."))


def _commands(collection: Mapping[str, Any], above: str) -> Iterator[str]:
    yield from (f"{above}{task['name']}" for task in collection["tasks"])
    for inner in collection["collections"]:
        yield from _commands(inner, f"{above}{inner['name']}.")


def _commits(path: str) -> int:
    """How many commits changed what is under a path; 0 where git tells nothing."""
    try:
        return int(shell.run(["git", "rev-list", "--count", "HEAD", "--", path], timeout=SECONDS).stdout)
    except TaskError:
        return 0


def tracked() -> list[Path]:
    """Return the files that git tracks; none where git tells nothing."""
    try:
        return [ROOT / name for name in shell.run(["git", "ls-files", "-z"], timeout=SECONDS).stdout.split("\0") if name]
    except TaskError:
        return []
