"""The versions that programs told, remembered by each program's path, size and time: a program that is the same is not asked again."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.core.paths import STATE

Version = tuple[int, int, int]

PATH = STATE / "tool-versions.json"
_lock = threading.Lock()


def remembered(program: str, ask: Callable[[], Version | None]) -> Version | None:
    """Return the version of the program at this path, asked where it is not known. A program that tells none is asked again."""
    found = Path(program).stat()
    mark = [found.st_size, found.st_mtime_ns, os.path.realpath(program)]
    with _lock:
        entry = _read().get(program)
    if entry and entry[:3] == mark:
        return (entry[3], entry[4], entry[5])
    version = ask()
    if version:
        with _lock:
            _write({**{path: known for path, known in _read().items() if Path(path).exists()}, program: [*mark, *version]})
    return version


def _read() -> dict[str, list[Any]]:
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        known = json.loads(PATH.read_text(encoding="utf-8"))
        return {path: entry for path, entry in known.items() if len(entry) == 6}
    return {}


def _write(known: dict[str, list[Any]]) -> None:
    """What cannot be kept is asked again."""
    with contextlib.suppress(OSError):
        PATH.parent.mkdir(exist_ok=True)
        new = PATH.with_name(f"{PATH.name}.{os.getpid()}")
        new.write_text(json.dumps(known), encoding="utf-8")
        new.replace(PATH)
