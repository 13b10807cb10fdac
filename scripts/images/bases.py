"""Base images: the registry's, or, where no registry answers, the same made from Debian packages by the recipe in docker/base."""

from __future__ import annotations

import hashlib
import shutil
import sys
import threading
import time
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from docker.errors import APIError, DockerException, ImageNotFound

import docker
from scripts.config.settings import Base, Settings
from scripts.core import shell
from scripts.core.errors import MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.core.report import StepReport
from scripts.desired.build_context import HEX_DIGITS
from scripts.desired.images import BaseImage
from scripts.machine.docker_client import docker_client

RECIPES = ROOT / "docker/base"
CACHE = ROOT / ".cache/bases"
REGISTRY_SECONDS = 20  # for the registry's first answer, not for the download
ROOT_HOURS = 12  # how long the common root's package lists are good for
MAKE_SECONDS = 900
_root_lock = threading.Lock()


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
        return str(docker_client().images.get(reference).id)
    except ImageNotFound:
        return None


def find_base(settings: Settings, name: str) -> BaseImage | None:
    """Return the base image `name` that the engine has: the registry's one before the one made from packages, or None."""
    base = settings.base_images[name]
    if settings.build.base_source in ("auto", "registry") and (found := _id(base.image)):
        return BaseImage(base.image, base.image, (found,))
    if settings.build.base_source in ("auto", "packages"):
        build = packages_reference(settings.project, name, base)
        runtime = packages_reference(settings.project, name, base, runtime=True)
        build_id, runtime_id = _id(build), _id(runtime)
        if build_id and runtime_id:
            return BaseImage(build, runtime, (build_id, runtime_id))
    return None


def ensure(settings: Settings, name: str, step: StepReport) -> BaseImage:
    """Return the base image `name`, bringing it into the engine first where it is not there.

    The registry is asked first, unless `build.base_source` says `packages`; then, unless it says `registry`, it is made from packages.
    Raises TaskError, or MissingError where mmdebstrap is needed and not there, with what was tried and why each failed.
    """
    if found := find_base(settings, name):
        return found
    image, refusals = settings.base_images[name].image, []
    if settings.build.base_source != "packages":
        refusal = registry_error(image)
        if not refusal:
            step.progress(f"{name}: pulling {image}")
            refusal = _pull(image, settings.build.timeout_seconds, step)
        if refusal:
            refusals.append(f"{image}: {refusal}")
            if settings.build.base_source == "auto":
                step.warn(f"{image} cannot be pulled ({refusal.rpartition(': ')[2]}); making it from Debian packages instead")
    if settings.build.base_source != "registry" and find_base(settings, name) is None:
        if shutil.which("mmdebstrap") is None:
            raise MissingError(f"the base image `{name}` can be had neither way", _how(), [*refusals, _NO_MMDEBSTRAP])
        try:
            _make(settings, name, step)
        except shell.CommandError as error:
            evidence = [*refusals, f"from packages: {error.cause}", *error.evidence]
            raise TaskError(f"the base image `{name}` can be had neither way", _how(), evidence) from None
    found = find_base(settings, name)
    if found is None:
        raise TaskError(f"the base image `{name}` cannot be had from its registry", _how(), refusals)
    return found


_NO_MMDEBSTRAP = "from packages: mmdebstrap is not installed"


def _how() -> str:
    if sys.platform != "linux":
        return "bring this machine online, or set the proxy of Docker Desktop; then run it again"
    return "fix the network or Docker's proxy; or `invoke setup`, which brings mmdebstrap on Debian and Ubuntu"


@lru_cache
def registry_error(image: str) -> str:
    """Return why the engine cannot get `image` from its registry, or an empty string. Takes REGISTRY_SECONDS at most, once a run."""
    try:
        with closing(docker.from_env(timeout=REGISTRY_SECONDS)) as client:
            client.images.get_registry_data(image)
    except APIError as error:
        return str(error.explanation or error).strip()
    except (DockerException, OSError):
        return f"the registry did not answer within {REGISTRY_SECONDS} s"
    return ""


def _pull(image: str, timeout: float, step: StepReport) -> str:
    """Pull `image`; return why it failed, or an empty string."""
    try:
        shell.run(["docker", "pull", image], timeout=timeout, on_line=step.progress)
    except shell.CommandError as error:
        return (error.evidence or (error.cause,))[-1]
    return ""


def _make(settings: Settings, name: str, step: StepReport) -> None:
    """Make what `name` lacks of its base for building and its base for running."""
    base = settings.base_images[name]
    recipe = ROOT / base.recipe if base.recipe else None
    wanted = {packages_reference(settings.project, name, base): base.packages}
    wanted[packages_reference(settings.project, name, base, runtime=True)] = base.runtime_packages or base.packages
    root = _common_root(step)
    for reference, packages in wanted.items():
        if docker_client().images.list(name=reference):
            continue
        tar = CACHE / f"{reference.replace(':', '-')}.tar"
        try:
            _run("base", root, tar, recipe or "", *packages, step=step, what=reference)
            shell.run(["docker", "import", *_labels(settings), str(tar), reference], timeout=MAKE_SECONDS)
        finally:
            tar.unlink(missing_ok=True)


def _labels(settings: Settings) -> list[str]:
    return ["--change", f"LABEL app.kubernetes.io/part-of={settings.release}"]


def _common_root(step: StepReport) -> Path:
    """Return the tar of what all bases have in common; made again when its package lists are old."""
    with _root_lock:
        tar = CACHE / "root.tar"
        CACHE.mkdir(parents=True, exist_ok=True)
        if not tar.exists() or time.time() - tar.stat().st_mtime > ROOT_HOURS * 3600:
            _run("root", tar, step=step, what="Debian root")
        return tar


def _run(*arguments: str | Path, step: StepReport, what: str) -> None:
    argv = [str(RECIPES / "make.sh"), *map(str, arguments)]
    step.progress(f"making {what} from Debian packages")
    shell.run(argv, timeout=MAKE_SECONDS, on_line=lambda line: step.progress(f"{what}: {line}"))
