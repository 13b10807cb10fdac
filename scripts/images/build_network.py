"""What a build needs of this machine's network: the certificates that it trusts, and its proxies."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from scripts.config import proxies
from scripts.config.settings import Settings
from scripts.core.hashes import TAG, short_hash
from scripts.desired.labels import PART_OF
from scripts.machine.certificates import extra_ca
from scripts.machine.docker_client import docker_client

EXTRA_CA = "extra-ca"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
PASSED = (*PROXIES, "NO_PROXY", "no_proxy")
THIS_MACHINE = "host.docker.internal"
"""How a container of Docker Desktop calls the machine that a person sits at."""


def extra_ca_reference(settings: Settings) -> str:
    """Return the name of the image that holds the extra certificates, or of the empty one. Raises InputError."""
    content = extra_ca(settings.build.extra_ca)
    return f"{settings.project}-{EXTRA_CA}:h{short_hash(content, TAG)}" if content else "scratch"


def extra_ca_image(settings: Settings) -> str:
    """Return an image that holds the extra certificates for builds as `/ca.pem`, or the empty one.

    A build copies from it in its first stages only, so nothing of it stays in what runs. Raises InputError.
    """
    reference = extra_ca_reference(settings)
    if reference != "scratch" and not docker_client().images.list(name=reference):
        repository, _, tag = reference.partition(":")
        content = _tar({"ca.pem": extra_ca(settings.build.extra_ca)})
        label = f"LABEL {PART_OF}={settings.release}"
        docker_client().api.import_image_from_data(content, repository=repository, tag=tag, changes=[label])
    return reference


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def proxy_arguments() -> list[str]:
    """Return the build arguments for proxies: by name, so that no value, which may hold a password, is in a command line.

    They are arguments that Docker knows, and keeps out of the image's history.
    """
    return [part for key in PASSED if os.environ.get(key) for part in ("--build-arg", key)]


def network_arguments(*, desktop: bool) -> list[str]:
    """Return what lets a build reach a proxy on this machine's loopback address, which in a container is the container's own."""
    return ["--network", "host"] if not desktop and any(_on_loopback(os.environ.get(key, "")) for key in PROXIES) else []


def proxy_environment(*, desktop: bool) -> Mapping[str, str]:
    """Return the proxies on this machine as a build of Docker Desktop must see them, for the environment of the `docker` program."""
    values = {key: os.environ.get(key, "") for key in PROXIES}
    return {key: _from_a_container(value) for key, value in values.items() if desktop and _on_loopback(value)}


def behind_docker_desktop() -> bool:
    """Return whether builds run in Docker Desktop's virtual machine, whose host network is not this machine's."""
    return "Docker Desktop" in str(docker_client().info().get("OperatingSystem", ""))


def _on_loopback(url: str) -> bool:
    proxy = proxies.parse(_with_scheme(url))
    return proxy is not None and proxies.is_loopback(proxy.host)


def _from_a_container(url: str) -> str:
    parts = urlsplit(_with_scheme(url))
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{THIS_MACHINE}{f':{parts.port}' if parts.port else ''}"))


def _with_scheme(url: str) -> str:
    return url if "://" in url else f"http://{url}"
