"""Which image a name without a version means today."""

from __future__ import annotations

import requests
from docker.errors import DockerException, ImageNotFound

from scripts.core.errors import MissingError
from scripts.images.bases import registry_digest
from scripts.machine.docker_client import docker_client


def todays_digest(image: str) -> str:
    """Return the digest of Docker's own copy of an image, or else its registry's; an empty string where neither can be had.

    Takes REGISTRY_SECONDS at most.
    """
    try:
        return _of_docker(image) or registry_digest(image)
    except (DockerException, requests.RequestException, OSError, MissingError):
        return ""


def _of_docker(image: str) -> str:
    try:
        digests = docker_client().images.get(image).attrs.get("RepoDigests")
    except ImageNotFound:
        return ""
    return str(digests[0]).partition("@")[2] if digests else ""
