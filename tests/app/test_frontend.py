"""The frontend's own tests, run as its developers run them: linter, types, unit tests, and the page in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT

pytestmark = [pytest.mark.app, pytest.mark.timeout(1200)]

FRONTEND = ROOT / "app/frontend"
INSTALLED = FRONTEND / "node_modules/.package-lock.json"
SHOWN_LINES = 60


def npm(*arguments: str) -> str:
    """Run npm in the frontend's folder and return what it said; fails the test with its last lines."""
    done = subprocess.run(
        ["npm", *arguments],
        cwd=FRONTEND,
        env={**os.environ, "E2E_PYTHON": sys.executable, "NEXT_TELEMETRY_DISABLED": "1", "CI": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, "\n".join(what_failed(said.splitlines()))
    return said


def what_failed(lines: list[str]) -> list[str]:
    """Return the lines from the first failed test of node's runner on, or the last ones of another program."""
    first = next((number for number, line in enumerate(lines) if re.match(r"\s*(not ok|✖)", line)), None)
    return lines[-SHOWN_LINES:] if first is None else lines[first : first + SHOWN_LINES]


@pytest.fixture(scope="module")
def packages() -> None:
    """The packages of the lock file, installed where they are not."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed (invoke setup)")
    lock = FRONTEND / "package-lock.json"
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < lock.stat().st_mtime:
        npm("ci", "--no-audit", "--no-fund")


@pytest.mark.parametrize("script", ["lint", "typecheck", "test"])
def test_a_script_of_the_frontend_passes(script: str, packages: None) -> None:
    npm("run", script)


def test_the_page_works_in_a_real_browser(packages: None) -> None:
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("Chromium is not installed (invoke setup)")
    said = npm("run", "e2e")
    counts = {word: int(number) for word, number in re.findall(r"^. (pass|fail|skipped) (\d+)$", said, re.MULTILINE)}
    print(counts)
    assert counts["pass"] > 20
    assert counts["fail"] == 0
