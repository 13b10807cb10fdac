"""The docker program counts beside the daemon: a wrapper that only says what is missing is no program."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.config.settings import load_settings
from scripts.machine import tools
from tests.programs import Reply, on_path

pytestmark = pytest.mark.unit

ASK = ("docker", "version", "--format", "{{.Server.Version}}")
WRAPPER = """
The command 'docker' could not be found in this WSL 2 distro.
We recommend to activate the WSL integration in Docker Desktop settings.
"""


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(WRAPPER, code=1), "could not be found in this WSL 2 distro.: switch on WSL integration for this distribution"),
        (Reply(stderr="docker: error while loading shared libraries\n", code=127), "error while loading shared libraries: see why"),
        (Reply("\n", "Error response from daemon: client version 1.24 is too old\n", code=1), "1.24 is too old: see why: docker version"),
        (
            Reply(stderr="Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.\nError: nil\n", code=125),
            "or remove the package podman-docker",
        ),
        (Reply(code=2), "the docker program does not work: exit code 2: see why: docker version"),
        (Reply("28.2.2\n"), ""),
    ],
)
def test_a_docker_program_that_does_not_run_is_told(reply: Reply, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch).tell(ASK, reply)
    monkeypatch.setattr(tools, "docker_client", lambda: SimpleNamespace(version=lambda: {"Version": "28.2.2"}))
    found = tools.find("docker", load_settings().tools["docker"])
    assert problem in str(found.problem or "")
    assert bool(found.problem) is bool(problem)


def test_a_version_of_the_api_that_the_shell_pins_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch).tell(ASK, Reply(stderr="client version 1.99 is too new\n", code=1))
    monkeypatch.setenv("DOCKER_API_VERSION", "1.99")
    monkeypatch.setattr(tools, "docker_client", lambda: SimpleNamespace(version=lambda: {"Version": "28.2.2"}))
    assert "1.99 is too new: unset DOCKER_API_VERSION" in str(tools.find("docker", load_settings().tools["docker"]).problem)


def test_the_snap_of_docker_is_told_where_it_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shell, "which", lambda _: "/snap/bin/docker")
    monkeypatch.setattr(tools, "ROOT", Path("/srv/todo"))
    assert "sees nothing outside of /home: move the checkout" in str(tools.find("docker", load_settings().tools["docker"]).problem)


def test_podman_in_dockers_place_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch).tell(ASK, Reply("4.9.3\n"))
    told = {"Version": "4.9.3", "Components": [{"Name": "Podman Engine", "Version": "4.9.3"}, {"Name": "Conmon"}]}
    monkeypatch.setattr(tools, "docker_client", lambda: SimpleNamespace(version=lambda: told))
    assert "Podman answers in Docker's place" in str(tools.find("docker", load_settings().tools["docker"]).problem)
