"""Runs a development tool of this interpreter on our own terminal."""

from __future__ import annotations

import importlib.util
import sys

from invoke import Exit

from scripts.core import shell
from scripts.core.errors import MISSING


def run_module(*argv: str) -> None:
    """Run `python -m ARGV`, its output straight to the terminal; leave with its exit code if it fails."""
    if importlib.util.find_spec(argv[0]) is None:
        raise Exit(f"error: {argv[0]} is not installed\n  -> pip install -r requirements-dev.txt", code=MISSING)
    code = shell.attached([sys.executable, "-m", *argv])
    if code:
        raise Exit(code=code)
