"""The client of the local Docker daemon: one for the whole run."""

from __future__ import annotations

import contextlib
import platform
from functools import lru_cache

from docker.errors import DockerException

import docker
from scripts.core.errors import MissingError

SECONDS = 60
PROBE_SECONDS = 10


@lru_cache
def docker_client() -> docker.DockerClient:
    """Return a client of the local Docker daemon. Raises MissingError when it does not answer."""
    try:
        client = docker.from_env(timeout=SECONDS)
        client.ping()
    except DockerException as error:
        raise MissingError("Docker is not running", _start_docker(str(error))) from None
    return client


def _start_docker(message: str) -> str:
    if "permission denied" in message.lower():
        return "your user may not use it: sudo usermod -aG docker $USER, then log in again"
    return "start it (Docker Desktop, or `sudo systemctl start docker`), or run `invoke setup`"


def docker_answers() -> bool:
    """Return whether a Docker daemon answers now. Asks each time."""
    try:
        with contextlib.closing(docker.from_env(timeout=PROBE_SECONDS)) as client:
            return bool(client.ping())
    except (DockerException, OSError):
        return False


def build_platform() -> str:
    """Return the platform that images are built for, as Docker names it."""
    return {"x86_64": "linux/amd64", "amd64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64"}[platform.machine().lower()]
