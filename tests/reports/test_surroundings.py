"""What surrounds a command: who reads it, where its user lives. None of it is a defect; the next report is one more row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.core.paths import ROOT
from scripts.machine.docker_endpoint import find_endpoint

pytestmark = pytest.mark.runner

INVOKE = [sys.executable, "-m", "invoke"]


def doctor(*arguments: str, shell: str = "", environment: dict[str, str | None]) -> subprocess.CompletedProcess[str]:
    """Run `invoke doctor` where no engine can work, so that it says much and asks nobody."""
    here = {**os.environ, "DOCKER_HOST": "unix:///nowhere.sock", "PATH": "/usr/bin:/bin", **environment}
    command = [*INVOKE, "doctor", "--engine", "docker", *arguments]
    argv = ["sh", "-c", f"{' '.join(command)} {shell}"] if shell else command
    kept = {key: value for key, value in here.items() if value is not None}
    return subprocess.run(argv, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": None, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PATH": ""},
        {"HOME": "", "TMPDIR": "/nowhere", "COLUMNS": "abc", "LINES": "-3", "PATH": ":.:/nowhere:~/x"},
        {"HOME": "/nowhere", "DOCKER_CONFIG": "~/x", "DOCKER_HOST": None, "DOCKER_CONTEXT": "gone", "TERM": "dumb", "COLUMNS": "1"},
        {"HOME": "x", "DOCKER_CONFIG": "/etc/passwd", "KUBECONFIG": "/nowhere:/etc/passwd", "HTTPS_PROXY": "http://[", "NO_PROXY": ",,"},
    ],
    ids=str,
)
def test_an_odd_environment_is_no_defect(environment: dict[str, str | None]) -> None:
    run = doctor(environment=environment)
    assert run.returncode == 3, run.stderr
    assert "error: " in run.stderr
    assert "defect" not in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("shell", ["2>&1 | true", "--json | head -1"])
def test_a_reader_that_goes_away_is_no_failure(shell: str) -> None:
    run = doctor(shell=shell, environment={})
    assert "Traceback" not in run.stderr
    assert "defect" not in run.stderr
    assert "Exception ignored" not in run.stderr
    if "head" in shell:
        assert json.loads(run.stdout)["event"] in ("engine", "message", "step_started")


@pytest.mark.skipif(sys.platform != "linux", reason="has no /dev/full")
def test_a_place_for_the_output_that_is_full_is_told() -> None:
    run = doctor(shell="--json > /dev/full", environment={})
    assert run.returncode == 1
    assert run.stderr.startswith("error: what is printed cannot be written: No space left on device")
    assert "Traceback" not in run.stderr


def test_a_user_without_a_home_has_no_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "MINIKUBE_ACTIVE_DOCKERD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where nobody knows the user
    monkeypatch.setattr(Path, "home", lambda: pytest.fail("raises there"))
    assert find_endpoint().context == "default"
