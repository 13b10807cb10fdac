"""The client of the Docker daemon: one for the whole run, and the same daemon that Docker's command line speaks to."""

from __future__ import annotations

import contextlib
import shutil
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import requests
from docker.errors import DockerException, TLSParameterError

import docker
from scripts.core.errors import MissingError
from scripts.machine.docker_endpoint import Endpoint, find_endpoint
from scripts.machine.docker_errors import stopped_working

SECONDS = 60
PROBE_SECONDS = 10
PLATFORMS = ("linux/amd64", "linux/arm64")
CLI_ENVIRONMENT: Mapping[str, str | None] = {"DOCKER_DEFAULT_PLATFORM": None, "BUILDX_BUILDER": None}
"""What a person's shell may say to `docker` that would bring images for another machine, or build where our base images are not."""
warnings.filterwarnings("ignore", module=r"docker\.credentials")  # of a helper that is missing: we say it ourselves
KERNEL = Path("/proc/sys/kernel/osrelease")


class NotRunningError(MissingError):
    """No daemon runs where one usually does: it can be installed and started."""

    code = "docker-not-running"


class _Api(docker.APIClient):
    """Docker's API, of which a failure to answer is an error that a person understands, once it has answered."""

    answered = False

    def request(self, *arguments: Any, **named: Any) -> requests.Response:
        try:
            return super().request(*arguments, **named)
        except requests.RequestException as error:
            if not self.answered:
                raise
            raise stopped_working(error) from None


class _Client(docker.DockerClient):
    def __init__(self, **named: Any) -> None:
        self.api: _Api = _Api(**named)


def docker_client() -> docker.DockerClient:
    """Return a client of the Docker daemon. Raises MissingError with the cause when it cannot be used."""
    found = _probe()
    if isinstance(found, MissingError):
        raise MissingError(found.cause, found.action, found.evidence, code=found.code)
    return found


@lru_cache
def _probe() -> _Client | MissingError:
    """Connect once a run. A refusal is kept as well: a daemon that hangs would cost its seconds each time."""
    try:
        client = _connect()
    except MissingError as error:
        return error
    client.api.timeout, client.api.answered = SECONDS, True
    return client


def docker_answers() -> bool:
    """Return whether a Docker daemon answers now. Asks each time."""
    return docker_refusal() is None


def docker_refusal() -> MissingError | None:
    """Return why the Docker daemon cannot be used now, or None. Asks each time."""
    try:
        with contextlib.closing(_connect()):
            pass
    except MissingError as error:
        return error
    if isinstance(_probe(), MissingError):
        _probe.cache_clear()
    return None


def _connect() -> _Client:
    endpoint = find_endpoint()
    with contextlib.ExitStack() as unless_it_answers:
        try:
            client = _Client(base_url=endpoint.host, tls=endpoint.tls or False, timeout=PROBE_SECONDS)
            unless_it_answers.callback(client.close)
            # Or requests would look for proxies and logins in the environment before each question, for which a socket has no use.
            client.api.trust_env = not endpoint.host.startswith("unix:")
            client.ping()
        except (DockerException, requests.RequestException, OSError) as error:
            raise _explained(error, endpoint) from None
        unless_it_answers.pop_all()
    return client


def _explained(error: Exception, endpoint: Endpoint) -> MissingError:
    """Return what is wrong and what to do: the daemon does not run, may not be used, does not answer, or is not where it is said to be."""
    chain, at = list(_chain(error)), f" at {endpoint.host}, which {endpoint.named_by} names" if endpoint.named_by else ""
    text = " ".join(map(str, chain))
    if "permission denied" in text.lower():
        return MissingError(
            f"your user is not allowed to use Docker{at}", "sudo usermod -aG docker $USER, then log in again", code="docker-forbidden"
        )
    if any(isinstance(each, TimeoutError | requests.Timeout) for each in chain) or "timed out" in text.lower():
        return MissingError(
            f"Docker does not answer within {PROBE_SECONDS} s{at}",
            "restart it; `docker version` shows when it answers",
            code="docker-silent",
        )
    if isinstance(error, TLSParameterError) or "SSL" in text or "HTTP request to an HTTPS server" in text:
        return MissingError(
            f"Docker does not answer over TLS{at}",
            "fix DOCKER_CERT_PATH and DOCKER_TLS_VERIFY, or the context",
            [text[-300:]],
            code="docker-misconfigured",
        )
    if any(isinstance(each, ConnectionRefusedError | FileNotFoundError) for each in chain) or "refused" in text:
        if not endpoint.named_by:
            return NotRunningError("Docker is not running", _how_to_start())
        return MissingError(
            f"Docker is not running{at}", f"start it, or fix what names it ({endpoint.named_by})", code="docker-not-running"
        )
    return MissingError(f"Docker cannot be used{at}", "`docker version` shows more", [str(chain[-1])[:300]], code="docker-unusable")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it comes from; urllib3 keeps a cause in `reason`, requests in its arguments."""
    yield error
    causes = (error.__cause__, getattr(error, "reason", None), *error.args, error.__context__)
    inner = next((each for each in causes if isinstance(each, BaseException)), None)
    if inner is not None:
        yield from _chain(inner)


def _how_to_start() -> str:
    with contextlib.suppress(OSError):
        if "microsoft" in KERNEL.read_text(encoding="utf-8").lower():
            return "switch on WSL integration for this distribution in Docker Desktop's settings, or run `invoke setup`"
    if shutil.which("rdctl"):
        return "choose dockerd (moby) as container engine in Rancher Desktop's preferences, or start another Docker beside it"
    return "start it (Docker Desktop, or `sudo systemctl start docker`), or run `invoke setup`"


def build_platform(target: str = "") -> str:
    """Return the platform that images are built for, as Docker names it: the target's, else the daemon's own.

    Raises MissingError for one that neither our base images nor the tools are there for.
    """
    platform = target or _daemon_platform()
    if platform not in PLATFORMS:
        action = "switch Docker Desktop to Linux containers" if platform.startswith("windows") else "use a machine of one of these"
        asks = "the cluster's nodes are" if target else "Docker runs"
        raise MissingError(f"images can be built for {' and '.join(PLATFORMS)}, and {asks} {platform}", action, code="platform-unsupported")
    return platform


@lru_cache
def _daemon_platform() -> str:
    version = docker_client().version()
    return f"{version['Os']}/{version['Arch']}"
