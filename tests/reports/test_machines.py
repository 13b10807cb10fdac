"""A machine that cannot run this gets one line, by whichever way it comes in; and the limits of machines are as we know them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.config.formats import LONGEST_STRING
from scripts.core import paths, shell
from scripts.core.errors import MissingError
from scripts.core.paths import ROOT

pytestmark = pytest.mark.runner

MACHINES = [
    ("sys.platform = 'win32'", "error: this needs Linux or macOS\n  -> on Windows, run it in WSL 2"),
    ("sys.version_info = (3, 10, 4, 'final', 0)", "error: Python 3.10 is too old\n  -> make the virtual environment with Python 3.11"),
]
WAYS_IN = ["import scripts.up", "import scripts.look.doctor", "import tasks", "from invoke import Program; Program().run('invoke --list')"]


@pytest.mark.parametrize(("machine", "says"), MACHINES)
@pytest.mark.parametrize("way_in", WAYS_IN)
def test_it_is_told_in_one_line(machine: str, says: str, way_in: str) -> None:
    # Invoke and its parts are loaded before the machine changes: they do run there.
    text = f"import sys, subprocess, invoke, invoke.program\n{machine}\n{way_in}"
    run = subprocess.run([sys.executable, "-c", text], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 3, run.stderr
    assert run.stderr.startswith(says)
    assert len(run.stderr.splitlines()) == 2
    assert not run.stdout


def test_this_machine_is_taken() -> None:
    run = subprocess.run([sys.executable, "-c", "import scripts"], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="another system has another limit")
def test_a_string_of_the_environment_ends_where_linux_ends_it() -> None:
    longest = "x" * (LONGEST_STRING - len("API_TOKEN=") - 1)
    assert os.spawnve(os.P_WAIT, "/bin/true", ["true"], {"API_TOKEN": longest}) == 0
    with pytest.raises(OSError, match="Argument list too long"):
        os.execve("/bin/true", ["true"], {"API_TOKEN": f"{longest}x"})


def test_a_tool_in_a_place_that_executes_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", "")
    (tmp_path / "helm").write_text("")
    with pytest.raises(MissingError, match=r"helm may not be executed here\n  -> .*noexec"):
        shell.which("helm")
