"""Runs a development tool of this interpreter on our own terminal."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from invoke import Exit

from scripts.core import shell
from scripts.core.errors import MISSING
from scripts.core.paths import ROOT


def run_module(*argv: str) -> None:
    """Run `python -m ARGV`, its output straight to the terminal; leave with its exit code if it fails."""
    _require(argv[0])
    code = shell.attached([sys.executable, "-m", *argv])
    if code:
        raise Exit(code=code)


@contextmanager
def running_module(*argv: str) -> Iterator[None]:
    """Run `python -m ARGV` beside the block, then print its output; leave with its exit code if it fails and the block has not."""
    _require(argv[0])
    # In our own process group: Ctrl-C ends it too.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        subprocess.Popen([sys.executable, "-m", *argv], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield
        finally:
            code = process.wait()
            output.seek(0)
            print(output.read(), end="", flush=True)
    if code:
        raise Exit(code=code)


def _require(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise Exit(f"error: {module} is not installed\n  -> pip install -r requirements-dev.txt", code=MISSING)
