"""The folder of the project's own tools: a program appears there whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.core import paths

PARTIAL = "partial-"


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder beside .tools/bin for what is not whole yet."""
    paths.TOOLS.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.TOOLS.parent, prefix=PARTIAL) as place:
        yield Path(place)


def clean_up() -> None:
    """Remove what killed runs left half-made. Call it under the project's lock."""
    for left in paths.TOOLS.parent.glob(f"{PARTIAL}*"):
        shutil.rmtree(left, ignore_errors=True)


def put_in_place(program: Path, name: str) -> None:
    """Give a program its name among the project's tools, in one move."""
    paths.TOOLS.mkdir(parents=True, exist_ok=True)
    program.chmod(0o755)
    with program.open("rb") as file:
        os.fsync(file.fileno())
    program.replace(paths.TOOLS / name)
