"""A Ctrl-C that comes while a command still loads is told, with the exit code of an interrupted run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

LOADS = "import os, signal, sys; signal.signal(signal.SIGINT, {before}); sys.argv[0] = '{program}'; import scripts; os.kill(os.getpid(), 2)"


def interrupted(program: str, before: str = "signal.default_int_handler") -> subprocess.CompletedProcess[str]:
    code = LOADS.format(program=program, before=before)
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("program", ["/venv/bin/invoke", "/venv/lib/invoke/__main__.py", "inv"])
def test_a_command_that_loads_says_that_it_was_interrupted(program: str) -> None:
    run = interrupted(program)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "error: interrupted\n")


def test_another_program_and_one_that_ignores_it_are_left_alone() -> None:
    assert "KeyboardInterrupt" in interrupted("/venv/bin/pytest").stderr
    assert interrupted("/venv/bin/invoke", "signal.SIG_IGN").returncode == 0
