"""Brings the pinned version of a tool into .tools/bin: downloaded and verified, or built by Go from the same version's module."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import requests
import yaml
from pydantic import Field

from scripts.core import paths, shell
from scripts.core.errors import InterruptedRunError, MissingError, TaskError
from scripts.core.hashes import FINGERPRINT, short_hash
from scripts.core.paths import ROOT
from scripts.core.report import StepReport
from scripts.core.strict import Strict
from scripts.machine import packages
from scripts.machine.go_build import GoPackage, go_install
from scripts.machine.tool_folder import put_in_place, workplace

LOCK = ROOT / "scripts/tools.lock.yaml"
CONNECT_SECONDS, READ_SECONDS = 5, 30
CHUNK = 1 << 20
PROBE_SECONDS = 4
NO_LASTS_SECONDS = 3600
BAD_PROXY = (ValueError, requests.exceptions.ProxyError)
"""What a proxy variable that is wrong leads to: a kind that is not known (of several types, all ValueErrors), or nobody there."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ToolDownload(Strict):
    """Where a tool's downloads are, and what they must be."""

    url: str
    sha256: dict[str, dict[str, Sha256]]
    member: str = ""
    go: GoPackage | None = None
    module: str = ""
    by_hand: dict[str, str] = Field(default_factory=dict)

    def checksum(self, version: str) -> str:
        """Return the SHA-256 of the download for this machine, or an empty string when it is not known."""
        return self.sha256.get(version, {}).get("/".join(platform_name()), "")

    def can_come(self, version: str) -> bool:
        """Whether `bring` can try anything on this machine."""
        return bool(self.checksum(version) or self.go)

    def command(self) -> str:
        """Return the command with which a person brings the tool to this system."""
        command = self.by_hand.get(packages.system()) or self.by_hand.get("linux", "")
        needs_root = hasattr(os, "geteuid") and os.geteuid() != 0 and command.split(" ")[0] in ("dnf", "pacman", "snap")
        return f"sudo {command}" if needs_root else command


class UnreachableError(TaskError):
    """A tool could not be downloaded: no route, no name, a refusal, a broken transfer."""

    code = "download-failed"


def load() -> dict[str, ToolDownload]:
    """Return the downloads in the lock file, by tool."""
    return {name: ToolDownload.model_validate(raw) for name, raw in yaml.safe_load(LOCK.read_text(encoding="utf-8")).items()}


def platform_name() -> tuple[str, str]:
    """Return this machine's operating system and processor as downloads name them."""
    machine = platform.machine().lower()
    return platform.system().lower(), {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def site_answers(url: str, *, refresh: bool = False) -> bool:
    """Whether anything answers there. A no is remembered for an hour, so that a second run asks nobody, unless it is to ask again.

    It is remembered of this way there alone: behind another proxy the site may answer. What is wrong with a proxy variable is no answer.
    """
    no, way = paths.TOOLS.parent / f"no-{urlsplit(url).hostname}", _way()
    if not refresh and no.exists() and time.time() - no.stat().st_mtime < NO_LASTS_SECONDS and no.read_text(encoding="utf-8") == way:
        return False
    answers, remember = True, True
    try:
        answers = requests.head(url, timeout=PROBE_SECONDS, verify=trusted()).status_code < 500
    except (requests.RequestException, ValueError) as error:
        answers, remember = False, not isinstance(error, BAD_PROXY)
    no.parent.mkdir(exist_ok=True)
    if not answers and remember:
        no.write_text(way, encoding="utf-8")
    else:
        no.unlink(missing_ok=True)
    return answers


def _way() -> str:
    """A mark of the proxies in the environment, without the passwords in them."""
    proxies = [f"{name}={value.rpartition('@')[2]}" for name, value in sorted(os.environ.items()) if name.lower().endswith("_proxy")]
    return short_hash("\n".join(proxies).encode(errors="surrogateescape"), FINGERPRINT)


def kubernetes_answers(*, refresh: bool) -> bool:
    """Whether the site of Kubernetes' own downloads answers: a new node's programs come from there."""
    return site_answers(load()["kubectl"].url.partition("{")[0], refresh=refresh)


def bring(name: str, version: str, source: ToolDownload, step: StepReport) -> str:
    """Bring the tool into .tools/bin; return how it came.

    Nothing is found there under its name before it is whole. Raises TaskError when what was served is not the pinned one,
    MissingError when it can be neither pulled nor built from packages.
    """
    try:
        download(name, version, source, step)
    except UnreachableError as error:
        if source.go is None:
            raise MissingError(f"{name} {version} cannot be downloaded", source.command(), [str(error)], code="download-failed") from None
        step.say(f"{error.cause}; building {name} {version} with Go instead: 5 to 10 minutes, once")
        go_install(name, version, source.go, step)
        return "built with Go"
    return "downloaded"


def download(name: str, version: str, source: ToolDownload, step: StepReport) -> None:
    """Download the tool for this machine, verify it, and put it in place. Raises UnreachableError, TaskError."""
    system, arch = platform_name()
    wanted = source.checksum(version)
    if not wanted:
        raise UnreachableError(f"{LOCK.name} has no checksum of {name} {version} for {system}/{arch}")
    names = {"version": version, "os": system, "arch": arch, "system": system.title(), "machine": arch.replace("amd64", "x86_64")}
    url = source.url.format_map(names)
    with workplace() as place:
        archive = place / "download"
        got = _fetch(url, archive, lambda text: step.progress(f"{name} {version}: {text}"))
        if got != wanted:
            raise TaskError(
                f"what {url} served is not {name} {version}",
                "a proxy may have answered in its place; nothing of it was kept. Try again elsewhere",
                [f"SHA-256 expected {wanted}", f"SHA-256 received {got}"],
                code="checksum-mismatch",
            )
        program = _member(archive, source.member.format_map(names), place) if source.member else archive
        put_in_place(program, name)


def _fetch(url: str, target: Path, tell: Callable[[str], None]) -> str:
    """Download `url` into `target`; return its SHA-256. Raises UnreachableError."""
    digest, received = hashlib.sha256(), 0
    try:
        with (
            requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS), verify=trusted()) as answer,
            target.open("wb") as file,
        ):
            if not answer.ok:
                raise UnreachableError(f"{url} answered {answer.status_code} {answer.reason}")
            total = int(answer.headers.get("Content-Length", 0))
            for chunk in answer.iter_content(CHUNK):
                if shell.stopping():
                    raise InterruptedRunError
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                tell(f"{received / 1e6:.0f} of {total / 1e6:.0f} MB")
    except (requests.RequestException, ValueError) as error:
        raise UnreachableError(f"{url} cannot be downloaded: {_reason(error)}") from None
    return digest.hexdigest()


def trusted() -> str | bool:
    """Return the certificates to trust: what the environment names, else the usual ones."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True


def _reason(error: Exception) -> str:
    """The innermost cause of a failed request, in a few words."""
    cause: BaseException | None = error
    while cause is not None and (cause.__cause__ or cause.__context__):
        cause = cause.__cause__ or cause.__context__
    return str(getattr(cause, "strerror", "") or cause or type(error).__name__)


def _member(archive: Path, member: str, place: Path) -> Path:
    program = place / "program"
    with tarfile.open(archive) as tar:
        source = tar.extractfile(member)
        if source is None:
            raise TaskError(f"the download holds no file {member}", code="download-failed")
        with source, program.open("wb") as target:
            shutil.copyfileobj(source, target)
    return program
