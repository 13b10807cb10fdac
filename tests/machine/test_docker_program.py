"""The docker program counts beside the daemon: a wrapper that only says what is missing is no program."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.config.settings import load_settings
from scripts.machine import tools
from tests.programs import Reply, on_path

pytestmark = pytest.mark.unit

WRAPPER = """
The command 'docker' could not be found in this WSL 2 distro.
We recommend to activate the WSL integration in Docker Desktop settings.
"""


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(WRAPPER, code=1), "could not be found in this WSL 2 distro.: switch on WSL integration for this distribution"),
        (Reply(stderr="docker: error while loading shared libraries\n", code=127), "error while loading shared libraries: see why"),
        (Reply(code=2), "the docker program does not run: exit code 2: see why: docker --version"),
        (Reply("Docker version 28.2.2, build 1\n"), ""),
    ],
)
def test_a_docker_program_that_does_not_run_is_told(reply: Reply, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch).tell(("docker", "--version"), reply)
    monkeypatch.setattr(tools, "docker_client", lambda: SimpleNamespace(version=lambda: {"Version": "28.2.2"}))
    found = tools.find("docker", load_settings().tools["docker"])
    assert problem in found.problem
    assert bool(found.problem) is bool(problem)
