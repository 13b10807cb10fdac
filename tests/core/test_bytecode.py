"""What a command has compiled is kept, though Invoke would have Python keep nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("wanted", [True, False])
def test_the_next_command_does_not_compile_it_again_unless_that_is_wished(tmp_path: Path, wanted: bool) -> None:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tasks.py", tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    no_bytecode = {} if wanted else {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "invoke", "--help", "build"]
    subprocess.run(command, cwd=tmp_path, env={**environment, **no_bytecode}, capture_output=True, timeout=60, check=True)
    assert (tmp_path / "scripts" / "core" / "__pycache__").exists() is wanted
