"""Where the Docker daemon is, by the rules of Docker's own command line, so that it and our client speak to the same one."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docker.tls import TLSConfig

from scripts.core.errors import MissingError
from scripts.core.nested import at
from scripts.core.paths import expanded

DEFAULT_HOST = "unix:///var/run/docker.sock"
DEFAULT_CONTEXT = "default"
FOLDER = "~/.docker"


@dataclass(frozen=True)
class Endpoint:
    """Where the daemon is."""

    host: str
    context: str = DEFAULT_CONTEXT
    named_by: str = ""
    """What names it, for messages: DOCKER_HOST, or a context. Empty: nothing, it is the usual socket."""
    tls: TLSConfig | None = None

    @property
    def local(self) -> bool:
        """Whether it is on this machine: its published ports are then ours."""
        parts = urlsplit(self.host)
        if parts.scheme != "tcp":
            return parts.scheme in ("unix", "npipe", "fd")
        try:
            return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
        except ValueError:
            return False


def find_endpoint() -> Endpoint:
    """Return the daemon that DOCKER_HOST names, else the one of the current context. Raises MissingError, DockerException for bad TLS."""
    _refuse_a_node_of_minikube()
    if host := os.environ.get("DOCKER_HOST"):
        return _checked(Endpoint(host, named_by="DOCKER_HOST", tls=_tls_of_environment()))
    folder = expanded(os.environ.get("DOCKER_CONFIG") or FOLDER)
    named_by, name = "DOCKER_CONTEXT", os.environ.get("DOCKER_CONTEXT", "")
    if not name:
        named_by, name = str(folder / "config.json"), str(_read(folder / "config.json").get("currentContext") or DEFAULT_CONTEXT)
    if name == DEFAULT_CONTEXT:
        return Endpoint(DEFAULT_HOST, tls=_tls_of_environment())
    identity = hashlib.sha256(name.encode()).hexdigest()
    host = _host(_read(folder / "contexts/meta" / identity / "meta.json"))
    if not host:
        action = "unset DOCKER_CONTEXT" if named_by == "DOCKER_CONTEXT" else "docker context use default"
        raise MissingError(
            f"the Docker context `{name}`, which {named_by} names, does not exist",
            f"{action}, or make that context",
            code="docker-misconfigured",
        )
    return _checked(Endpoint(host, name, f"the context `{name}`", _tls(folder / "contexts/tls" / identity / "docker")))


def _refuse_a_node_of_minikube() -> None:
    if profile := os.environ.get("MINIKUBE_ACTIVE_DOCKERD"):
        raise MissingError(
            f"this shell speaks to the Docker daemon inside the Minikube node `{profile}`, not to this machine's",
            "eval $(minikube docker-env --unset)",
            code="docker-misconfigured",
        )


def _checked(endpoint: Endpoint) -> Endpoint:
    if not _is_address(endpoint.host):
        raise MissingError(
            f"{endpoint.named_by} names no address of a Docker daemon: {re.sub('//.*@', '//', endpoint.host)}",
            "write it as unix:///var/run/docker.sock or tcp://HOST:PORT; without DOCKER_HOST and contexts the usual socket is taken",
            code="docker-misconfigured",
        )
    if endpoint.host.startswith("ssh://"):
        raise MissingError(
            f"{endpoint.named_by} names a Docker daemon behind ssh, which is not supported",
            "use a local one, or forward its socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST, and "
            "DOCKER_HOST=unix:///tmp/docker.sock",
            code="docker-misconfigured",
        )
    return endpoint


def _is_address(host: str) -> bool:
    try:
        parts = urlsplit(host)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme in ("unix", "npipe"):
        return bool(parts.path)
    if "@" in host and parts.scheme != "ssh":  # Docker takes no login, and a password would be shown
        return False
    return parts.scheme in ("tcp", "http", "https", "fd", "ssh") and bool(parts.hostname) and not re.search(r"\s", host)


def _read(file: Path) -> dict[str, Any]:
    """Return a JSON file of Docker's, or nothing where there is none that can be read: then the command line goes on as well."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _host(context: Any) -> str:
    """Return where a context's daemon is; an empty string where it does not say so."""
    host = at(context, "Endpoints", "docker", "Host")
    return host if isinstance(host, str) else ""


def _tls_of_environment() -> TLSConfig | None:
    folder, verify = os.environ.get("DOCKER_CERT_PATH", ""), os.environ.get("DOCKER_TLS_VERIFY", "")
    if not folder and not verify:
        return None
    return _tls(expanded(folder or FOLDER), needed=True, verify=bool(verify))


def _tls(folder: Path, *, needed: bool = False, verify: bool = True) -> TLSConfig | None:
    """Return what a folder holds for TLS: an authority, and a certificate with its key. Raises MissingError where it is needed."""
    authority, certificate, key = (folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
    missing = [file for file in (authority, certificate, key) if not file.is_file()]
    if needed and missing:
        raise MissingError(
            f"Docker needs TLS, but {missing[0]} does not exist",
            "set DOCKER_CERT_PATH, or unset DOCKER_TLS_VERIFY and DOCKER_HOST",
            code="docker-misconfigured",
        )
    if not authority.is_file():
        return None
    client = (str(certificate), str(key)) if certificate.is_file() and key.is_file() else None
    return TLSConfig(client_cert=client, ca_cert=str(authority), verify=verify)
