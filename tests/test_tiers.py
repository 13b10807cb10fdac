"""A tier needs its own packages alone: without those of the others, its tests are still found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from scripts.core.paths import ROOT
from tests.conftest import OF_SOME_TESTS

pytestmark = pytest.mark.runner

OF_PYTEST = {"pytest", "pluggy", "iniconfig", "packaging", "pygments"}
COLLECT = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1].split(","), None))
import pytest
sys.exit(pytest.main(["-m", "unit", "--collect-only", "--quiet", "-p", "no:cacheprovider"]))
"""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_of_tiers() -> list[str]:
    """What this interpreter can import, and neither the tool nor pytest needs."""
    pinned = re.findall(r"^([\w.-]+)(?:\[.*?\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    needed = {canonical(name) for name in pinned} | OF_PYTEST
    found = packages_distributions()
    return [name for name, owners in found.items() if not needed & {canonical(owner) for owner in owners}]


def test_unit_tests_are_collected_without_the_packages_of_other_tiers() -> None:
    missing = packages_of_tiers()
    assert set(missing) & set(OF_SOME_TESTS)
    run = subprocess.run(
        [sys.executable, "-c", COLLECT, ",".join(missing)],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
    assert len([line for line in run.stdout.splitlines() if "::" in line]) > 500
