"""Every command line that the Minikube engine builds, checked by the real program, so that no fake blesses a flag that does not exist."""

from __future__ import annotations

import inspect
import json
import re
import shutil
from pathlib import Path

import pytest

from scripts.config.settings import load_settings
from scripts.core import shell
from scripts.core.errors import MissingError
from scripts.engines.minikube import checks, engine, program
from scripts.engines.minikube.events import read_event
from scripts.engines.minikube.profile import NO_PROFILE, State, read_profiles, read_status, start_argv
from scripts.kubernetes.nodes import minikube_vm

pytestmark = pytest.mark.engine

PROFILE = "todo-command-lines"
COMMANDS = {
    "start": start_argv(PROFILE, checks.sized(load_settings().minikube, None), load_settings().kubernetes_version),
    "profile": ["minikube", "profile", "list", "--light", "--output", "json"],
    "status": ["minikube", "status", "--profile", PROFILE, "--output", "json"],
    "update-context": ["minikube", "update-context", "--profile", PROFILE],
    "unpause": ["minikube", "unpause", "--profile", PROFILE],
    "addons": ["minikube", "addons", "enable", "metrics-server", "--profile", PROFILE],
    "config": ["minikube", "config", "defaults", "kubernetes-version", "--output", "json"],
    "delete": ["minikube", "delete", "--profile", PROFILE],
    "stop": ["minikube", "stop", "--profile", PROFILE],
    "image ls": ["minikube", "image", "ls", "--profile", PROFILE, "--format", "json"],
    "image load": ["minikube", "image", "load", "--profile", PROFILE, "/archive.tar"],
    "image rm": ["minikube", "image", "rm", "--profile", PROFILE, "docker.io/library/todo-backend:h1"],
    "ssh": ["minikube", "ssh", "--profile", PROFILE],
}


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    try:
        shell.which("minikube")
    except MissingError:
        pytest.skip("minikube is not installed (invoke setup)")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home of its own: no profile of the user is seen, let alone touched."""
    home = tmp_path_factory.mktemp("minikube")
    return {"MINIKUBE_HOME": str(home), "KUBECONFIG": str(home / "kubeconfig"), "MINIKUBE_IN_STYLE": "false"}


def test_the_list_above_holds_every_command_of_the_engine() -> None:
    source = "".join(map(inspect.getsource, (checks, engine, minikube_vm, program)))
    words = re.findall(r'argv = \("([a-z-]+)"', source)
    called = set(words) | set(re.findall(r'(?:\.run|\.change|self\.minikube)\(\s*"([a-z-]+)"', source))
    assert called <= {name.split()[0] for name in COMMANDS}
    assert len(called) >= 9


@pytest.mark.parametrize("argv", COMMANDS.values(), ids=COMMANDS)
def test_the_real_program_knows_every_flag(argv: list[str], environment: dict[str, str]) -> None:
    answer = shell.run([*argv, "--help"], timeout=60, env=environment, ok=None)
    assert answer.code == 0, answer.stderr
    assert "unknown" not in answer.stderr


def test_the_real_program_refuses_a_flag_that_it_does_not_have(environment: dict[str, str]) -> None:
    """The check above can fail."""
    answer = shell.run([*COMMANDS["start"], "--no-such-flag", "--help"], timeout=60, env=environment, ok=None)
    assert answer.code != 0
    assert "unknown flag" in answer.stdout + answer.stderr


def test_a_missing_profile_is_told_as_we_read_it(environment: dict[str, str]) -> None:
    profiles = shell.run(COMMANDS["profile"], timeout=60, env=environment)
    assert read_profiles(profiles.stdout) == {}
    status = shell.run(COMMANDS["status"], timeout=60, env=environment, ok=None)
    assert status.code == NO_PROFILE
    assert read_status(status.code, status.stdout) is State.MISSING
    assert all(read_event(line) for line in status.stdout.splitlines())
    assert shell.run(COMMANDS["delete"], timeout=120, env=environment).code == 0


def test_a_profile_whose_container_is_gone_is_down(environment: dict[str, str]) -> None:
    folder = Path(environment["MINIKUBE_HOME"]) / ".minikube" / "profiles" / PROFILE
    folder.mkdir(parents=True)
    node = {"Name": "", "IP": "192.168.49.2", "Port": 8443, "KubernetesVersion": "v1.35.1", "ControlPlane": True, "Worker": True}
    kubernetes = {"KubernetesVersion": "v1.35.1", "ClusterName": PROFILE, "ContainerRuntime": "containerd", "CNI": "auto"}
    config = {"Name": PROFILE, "Driver": "docker", "Memory": 4096, "CPUs": 2, "DiskSize": 20480}
    (folder / "config.json").write_text(json.dumps({**config, "KubernetesConfig": kubernetes, "Nodes": [node]}))
    try:
        profile = read_profiles(shell.run(COMMANDS["profile"], timeout=60, env=environment).stdout)[PROFILE]
        assert (profile.driver, profile.memory_mib, profile.runtime, profile.nodes) == ("docker", 4096, "containerd", (PROFILE,))
        status = shell.run(COMMANDS["status"], timeout=60, env=environment, ok=None)
        assert read_status(status.code, status.stdout) is State.GONE
    finally:
        shutil.rmtree(folder)
