"""The project's images and their tags. A tag is `h` and 12 hex digits of everything that goes into the image."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.utils.build import exclude_paths

from scripts.config.env_file import EnvFile
from scripts.config.settings import Settings, Source
from scripts.core.paths import ROOT
from scripts.desired.secrets import uses_own_database

HEX_DIGITS = 12
DATABASE, EXPORTER = "postgres", "postgres-exporter"
UID = 10001  # above 10000, so that it meets no user of the host; the chart and the Dockerfiles use the same


@dataclass(frozen=True)
class BaseImage:
    """A base image that is in the engine: what FROM names, and the ids that stand for its content."""

    build: str
    runtime: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Image:
    """An image of ours."""

    service: str
    repository: str
    tag: str
    context: Path
    dockerfile: Path
    base: BaseImage

    @property
    def reference(self) -> str:
        """`repository:tag`, as Docker and the chart write it."""
        return f"{self.repository}:{self.tag}"


def sources(settings: Settings, env: EnvFile, *, monitored: bool) -> dict[str, Source]:
    """Return what images are made of, by name. monitored: whether Prometheus will run beside the app."""
    made: dict[str, Source] = dict(settings.services)
    if uses_own_database(settings, env):
        made[DATABASE] = settings.database
        if monitored:
            made[EXPORTER] = settings.database.exporter
    return made


def desired_image(project: str, name: str, source: Source, base: BaseImage, platform: str) -> Image:
    """Return the image that `source` makes on `base` for a platform (as Docker names it: `linux/amd64`)."""
    context, dockerfile = ROOT / source.context, ROOT / source.dockerfile
    inputs = {"platform": platform, "base": " ".join(base.ids)}
    return Image(name, f"{project}-{name}", f"h{content_hash(context, dockerfile, inputs)}", context, dockerfile, base)


def content_hash(context: Path, dockerfile: Path, inputs: Mapping[str, str]) -> str:
    """Return 12 hex digits over a build: Dockerfile, context as its `.dockerignore` leaves it, and named inputs.

    Path, kind, executable bit and bytes of every file count; times, owners and the order of the disk do not.
    """
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)

    for key, value in sorted(inputs.items()):
        add(b"input", key.encode(), value.encode())
    add(b"dockerfile", dockerfile.read_bytes())
    for relative in sorted(context_files(context)):
        path = context / relative
        if path.is_symlink():
            add(b"link", relative.encode(), str(path.readlink()).encode())
        elif path.is_file():
            executable = b"x" if path.stat().st_mode & stat.S_IXUSR else b"-"
            add(b"file", relative.encode(), executable, path.read_bytes())
    return digest.hexdigest()[:HEX_DIGITS]


def context_files(context: Path) -> Iterator[str]:
    """Yield the paths in a build context as its `.dockerignore` leaves it (Docker's own rules, from Docker's own library)."""
    ignore = context / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.exists() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for path in exclude_paths(str(context), patterns):
        if path != ".dockerignore" and ((context / path).is_file() or (context / path).is_symlink()):
            yield path
