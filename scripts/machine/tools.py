"""Finds the programs that engines need, and tells whether their versions do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from scripts.core import shell
from scripts.core.check import Problem
from scripts.core.errors import MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.core.shell import Result
from scripts.machine.docker_client import docker_client
from scripts.machine.known_versions import Version, remembered

ASK_SECONDS = 30
SNAP = "/snap/"
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "helm": ("version", "--short"),
    "kubectl": ("version", "--client"),
    "minikube": ("version", "--short"),
    "go": ("version",),
    "docker-buildx": ("version",),
    "kubectl-ai": ("version",),
    "node": ("--version",),
}
_VERSION = re.compile(r"(?<![\d.])v?(\d+)\.(\d+)(?:\.(\d+))?")


class Tool(Protocol):
    """The versions of a program that are accepted: from `minimum`, below `below` where that is set."""

    @property
    def minimum(self) -> str:
        """The oldest accepted version."""

    @property
    def below(self) -> str:
        """The first version that is too new, or an empty string."""


@dataclass(frozen=True)
class Found:
    """What is there of a tool. Without a problem, it does."""

    name: str
    version: Version | None = None
    problem: Problem | None = None

    def __str__(self) -> str:
        """Return the name and the version."""
        return f"{self.name} {shown(self.version)}" if self.version else self.name


def parse_version(text: str) -> Version | None:
    """Return the first version in what a program prints, or None.

    `v4.3` is 4.3.0; what follows the third number (`+dfsg1`, `-rc.1`, a vendor's mark) does not count.
    """
    match = _VERSION.search(text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def shown(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))


def misfit(version: Version, tool: Tool) -> str:
    """Return why a version does not do, or an empty string."""
    minimum, below = parse_version(tool.minimum), parse_version(tool.below)
    if minimum and version < minimum:
        return f"{shown(version)} is older than {tool.minimum}"
    if below and version >= below:
        return f"{shown(version)} is too new: a version below {tool.below} is needed"
    return ""


def version_of(name: str) -> Version | None:
    """Return the version that a program tells, or None when it tells none. Raises MissingError when it is not there."""
    return remembered(shell.which(name), lambda: parse_version(_answer(name).stdout))


def _answer(name: str) -> Result:
    return shell.run([name, *QUESTIONS[name]], timeout=ASK_SECONDS, ok=None)


def _instead(name: str) -> str:
    """Return what a program says in place of its version, after a colon: such as why it cannot run for this user."""
    answer = _answer(name) if name != "docker" else None
    said = (answer.stderr or answer.stdout).strip().splitlines() if answer else []
    return f": {said[-1].strip()}" if said else ""


def find(name: str, tool: Tool) -> Found:
    """Look for a tool: the project's own copy in .tools/bin, then PATH. For Docker, the engine that answers counts."""
    try:
        version = _docker_version() if name == "docker" else version_of(name)
    except MissingError as error:
        if name == "docker" and error.action and error.action != "invoke setup":
            cause = "; ".join((error.cause, *error.evidence))
            return Found(name, problem=Problem(cause, error.action))
        return Found(name, problem=Problem(error.cause))
    except TaskError as error:
        return Found(name, problem=Problem(f"{name} does not run: {error.cause}"))
    if version is None:
        return Found(name, problem=Problem(f"{shell.which(name)} does not tell its version{_instead(name)}"))
    reason = misfit(version, tool)
    return Found(name, version, Problem(f"{name} {reason} ({shell.which(name)})") if reason else None)


def _docker_version() -> Version | None:
    program = shell.which("docker")
    if program.startswith(SNAP) and not ROOT.is_relative_to("/home"):
        raise MissingError(
            "the docker program is a snap, which sees nothing outside of /home",
            "move the checkout to your home, or install Docker otherwise",
        )
    told = docker_client().version()
    if any("podman" in str(part.get("Name", "")).lower() for part in told.get("Components") or ()):
        raise _podman("point DOCKER_HOST to it")
    if os.environ.get("DOCKER_API_VERSION"):
        _check_docker_program()
    else:
        remembered(program, _check_docker_program)
    return parse_version(str(told["Version"]))


def _podman(remedy: str) -> MissingError:
    return MissingError("Podman answers in Docker's place, which is not supported", f"install Docker, or {remedy}")


def _check_docker_program() -> Version | None:
    client = shell.run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=ASK_SECONDS, ok=None)
    if "podman" in (client.stdout + client.stderr).lower():  # the package podman-docker, also beside a Docker daemon
        raise _podman("remove the package podman-docker")
    if client.code:  # such as what Docker Desktop puts into a WSL distribution that it does not serve, or a wrong DOCKER_API_VERSION
        said = next(filter(None, map(str.strip, (client.stdout + client.stderr).splitlines())), f"exit code {client.code}")
        wsl = "switch on WSL integration for this distribution in Docker Desktop's settings"
        pinned = "unset DOCKER_API_VERSION" if os.environ.get("DOCKER_API_VERSION") else "see why: docker version"
        raise MissingError(f"the docker program does not work: {said}", wsl if "WSL" in said else pinned)
    return parse_version(client.stdout)


def find_all(names: Iterable[str], tools: Mapping[str, Tool]) -> list[Found]:
    """Look for several tools at once, in their order."""
    wanted = list(names)
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
        return list(pool.map(lambda name: find(name, tools[name]), wanted))
