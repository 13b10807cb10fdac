"""The project's images and their tags. A tag is `h` and 12 hex digits of everything that goes into the image."""

from __future__ import annotations

import hashlib
import platform
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from docker.errors import DockerException, ImageNotFound
from docker.utils.build import exclude_paths

import docker
from scripts.core.env_file import EnvFile
from scripts.core.errors import MissingError, TaskError
from scripts.core.secrets import uses_own_database
from scripts.core.settings import ROOT, Base, Settings, Source

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


@lru_cache
def engine() -> docker.DockerClient:
    """Return a client of the local Docker engine. Raises MissingError when it does not answer."""
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except DockerException as error:
        raise MissingError("Docker is not running", _start_docker(str(error))) from None
    return client


def _start_docker(message: str) -> str:
    if "permission denied" in message.lower():
        return "your user may not use it: sudo usermod -aG docker $USER, then log in again"
    return "start it (Docker Desktop, or `sudo systemctl start docker`), or run `invoke setup`"


def node_platform() -> str:
    """Return the platform that images are built for, as Docker names it."""
    return {"x86_64": "linux/amd64", "amd64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64"}[platform.machine().lower()]


def packages_reference(project: str, name: str, base: Base, *, runtime: bool = False) -> str:
    """Return the name of the base image that is made from Debian packages: its tag is the hash of its recipe."""
    packages = base.runtime_packages if runtime and base.runtime_packages else base.packages
    digest = hashlib.sha256("\0".join(packages).encode())
    for folder in (ROOT / "docker/base", *([ROOT / base.recipe] if base.recipe else [])):
        if folder.is_dir():
            for path in sorted(p for p in folder.iterdir() if p.is_file()):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    kind = "-runtime" if runtime and base.runtime_packages else ""
    return f"{project}-base-{name}{kind}:h{digest.hexdigest()[:HEX_DIGITS]}"


def _id(reference: str) -> str | None:
    try:
        return str(engine().images.get(reference).id)
    except ImageNotFound:
        return None


def find_base(settings: Settings, name: str) -> BaseImage | None:
    """Return the base image `name` that the engine has: the registry's one before the one made from packages, or None."""
    base = settings.bases[name]
    if settings.build.bases in ("auto", "registry") and (found := _id(base.image)):
        return BaseImage(base.image, base.image, (found,))
    if settings.build.bases in ("auto", "packages"):
        build = packages_reference(settings.project, name, base)
        runtime = packages_reference(settings.project, name, base, runtime=True)
        build_id, runtime_id = _id(build), _id(runtime)
        if build_id and runtime_id:
            return BaseImage(build, runtime, (build_id, runtime_id))
    return None


def sources(settings: Settings, env: EnvFile, *, monitored: bool) -> dict[str, Source]:
    """Return what images are made of, by name. monitored: whether Prometheus will run beside the app."""
    made: dict[str, Source] = dict(settings.services)
    if uses_own_database(settings, env):
        made[DATABASE] = settings.database
        if monitored:
            made[EXPORTER] = settings.database.exporter
    return made


def planned(settings: Settings, sources: Mapping[str, Source]) -> list[Image]:
    """Return the project's images as the sources are now. Raises TaskError when a base image is not there yet."""
    images = []
    for name, source in sources.items():
        base = find_base(settings, source.base)
        if base is None:
            raise TaskError(f"the base image `{source.base}` is not there", "invoke build")
        images.append(image_of(settings.project, name, source, base))
    return images


def image_of(project: str, name: str, source: Source, base: BaseImage) -> Image:
    """Return the image that `source` makes on `base`."""
    context, dockerfile = ROOT / source.context, ROOT / source.dockerfile
    inputs = {"platform": node_platform(), "base": " ".join(base.ids)}
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
