"""Which image a name without a version means today."""

from __future__ import annotations

from contextlib import closing

import requests
from docker.errors import DockerException

import docker
from scripts.core.errors import MissingError
from scripts.images.bases import REGISTRY_SECONDS
from scripts.machine.docker_client import docker_client
from scripts.machine.docker_endpoint import find_endpoint


def todays_digest(image: str) -> str:
    """Return the digest of Docker's own copy of an image, or else its registry's; an empty string where neither can be had.

    Takes REGISTRY_SECONDS at most.
    """
    try:
        return _of_docker(image) or _of_registry(image)
    except (DockerException, requests.RequestException, OSError, MissingError):
        return ""


def _of_docker(image: str) -> str:
    try:
        digests = docker_client().images.get(image).attrs.get("RepoDigests")
    except docker.errors.ImageNotFound:
        return ""
    return str(digests[0]).partition("@")[2] if digests else ""


def _of_registry(image: str) -> str:
    endpoint = find_endpoint()
    with closing(docker.DockerClient(base_url=endpoint.host, tls=endpoint.tls or False, timeout=REGISTRY_SECONDS)) as client:
        return str(client.images.get_registry_data(image).id)
