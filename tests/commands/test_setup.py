"""What `invoke setup` finds on a machine, and what it plans for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from scripts import setup
from scripts.config.settings import Settings, load_settings
from scripts.core.check import Problem
from scripts.core.errors import MissingError
from scripts.machine import docker_client, packages, tool_downloads, tools
from scripts.machine.tools import Found
from tests.doubles import Step

pytestmark = pytest.mark.runner

FAKE_APT = """#!/bin/sh
echo "$(basename "$0") $*" >> {log}
[ "$(basename "$0") $1 $2" != "apt-cache show docker-cli" ] || exit {has_docker_cli}
"""


def test_our_own_copy_wins_over_path_and_a_bad_version_is_named_with_its_place(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = tmp_path / "on-path"
    for folder, version in ((on_path, "v3.1.0"), (bin_folder, "v4.3.0")):
        folder.mkdir(parents=True)
        (folder / "helm").write_text(f"#!/bin/sh\necho {version}\n")
        (folder / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{on_path}:/usr/bin:/bin")
    helm = load_settings().tools["helm"]
    assert tools.find("helm", helm).problem is None
    (bin_folder / "helm").unlink()
    assert str(tools.find("helm", helm).problem) == f"helm 3.1.0 is older than 3.16.0 ({on_path}/helm)"
    (on_path / "helm").unlink()
    assert str(tools.find("helm", helm).problem) == "helm is not installed"


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo oops", ": oops"), ("echo 'cannot write: permission denied' >&2", ": cannot write: permission denied"), ("", "")],
)
def test_a_tool_that_tells_no_version_is_shown_with_what_it_says(bin_folder: Path, script: str, said: str) -> None:
    bin_folder.mkdir(parents=True)
    (bin_folder / "helm").write_text(f"#!/bin/sh\n{script}\n")
    (bin_folder / "helm").chmod(0o755)
    assert str(tools.find("helm", load_settings().tools["helm"]).problem) == f"{bin_folder}/helm does not tell its version{said}"


def test_the_plan_says_what_will_be_done_and_changes_nothing(bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installable", lambda: False)
    helm = Found("helm", (3, 1, 0), Problem("helm 3.1.0 is older than 3.16.0 (/usr/bin/helm)"))
    plan = setup.plan_for(load_settings(), [helm])
    (action,) = plan.actions
    assert action.announcement.startswith("bring helm 4.3.0 into .tools/bin (helm 3.1.0 is older than 3.16.0 (/usr/bin/helm))")
    assert action.announcement.endswith("download it and check its SHA-256, or build it with Go")
    assert plan.by_hand == []
    assert not bin_folder.exists()


@pytest.mark.parametrize(
    ("system", "command"),
    [
        ("darwin", "brew install --cask docker && open -a Docker"),
        ("fedora", "dnf install moby-engine"),
        ("arch", "pacman -S docker"),
        ("debian", "apt-get install docker.io"),
        ("windows", "wsl --install"),
    ],
)
def test_without_docker_and_without_root_the_exact_command_is_shown(
    system: str, command: str, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "installable", lambda: False)
    monkeypatch.setattr(packages, "system", lambda: system)
    monkeypatch.setattr(docker_client, "docker_refusal", lambda: docker_client.NotRunningError("Docker is not running"))
    monkeypatch.setenv("PATH", "/nonexistent")
    plan = setup.plan_for(load_settings(), [Found("docker", problem=Problem("docker is not installed"))])
    assert plan.actions == []
    assert len(plan.by_hand) == 1
    assert command in plan.by_hand[0]


def test_a_docker_that_somebody_names_is_not_installed_but_the_name_told(bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installable", lambda: True)
    monkeypatch.setattr(setup, "_for_tests", dict)
    monkeypatch.setattr(setup, "_for_bases", lambda *_: {})
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@build.example")
    plan = setup.plan_for(load_settings(), [Found("docker", problem=Problem("it cannot be used"))])
    assert plan.actions == []
    assert "forward its socket" in plan.by_hand[0]
    assert "DOCKER_HOST names a Docker daemon behind ssh" in plan.by_hand[0]


def test_on_debian_as_root_docker_is_installed_and_then_started(bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installable", lambda: True)
    monkeypatch.setattr(docker_client, "docker_refusal", lambda: docker_client.NotRunningError("Docker is not running"))
    monkeypatch.setattr(setup, "_for_tests", dict)
    monkeypatch.setenv("PATH", "/nonexistent")
    plan = setup.plan_for(load_settings(), [Found("docker", problem=Problem("docker is not installed"))])
    assert [action.announcement for action in plan.actions] == [
        "install the Docker engine: Debian's docker.io",
        "start the Docker engine, unless installing it has",
        "install Debian packages: mmdebstrap (makes base images where no registry answers)",
    ]
    assert plan.by_hand == []


@pytest.mark.parametrize(("has_docker_cli", "installed"), [(0, "docker.io docker-cli"), (100, "docker.io")])
def test_docker_cli_is_installed_where_it_is_a_package_of_its_own(
    has_docker_cli: int, installed: str, tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "apt.log"
    for name in ("apt-get", "apt-cache"):
        (tmp_path / name).write_text(FAKE_APT.format(log=log, has_docker_cli=has_docker_cli))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    packages.apt_install(["docker.io", "docker-cli"], step)
    calls = log.read_text().splitlines()
    assert calls[0] == "apt-get update"
    assert calls[-1] == f"apt-get install --yes --no-install-recommends {installed}"


def test_the_path_of_a_tool_that_does_not_do_is_the_one_that_would_run(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    bin_folder.mkdir(parents=True)
    for folder, version in ((bin_folder, "2.0.0"), (tmp_path / "elsewhere", "4.3.0")):
        (folder / "helm").write_text(f"#!/bin/sh\necho v{version}\n")
        (folder / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/elsewhere:/usr/bin:/bin")
    assert str(tools.find("helm", load_settings().tools["helm"]).problem) == f"helm 2.0.0 is older than 3.16.0 ({bin_folder}/helm)"


@pytest.mark.parametrize(("user", "engine"), [(0, "docker"), (1000, "minikube")], ids=["root", "a user"])
def test_minikube_is_set_up_for_whom_it_takes(user: int, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_works(_: Settings) -> NoReturn:
        raise MissingError("no engine can work yet", "invoke setup")

    monkeypatch.setattr(setup, "choose", none_works)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(tool_downloads, "kubernetes_answers", lambda *, refresh: refresh)
    settings = load_settings().model_copy(update={"engine": "auto"})
    assert setup.engine_to_set_up(settings)[0] == engine
