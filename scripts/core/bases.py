"""Base images: the registry's, or, where no registry answers, the same made from Debian packages by the recipe in docker/base."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from docker.errors import APIError, DockerException

import docker
from scripts.core import shell
from scripts.core.errors import MissingError, TaskError
from scripts.core.images import BaseImage, engine, find_base, packages_reference
from scripts.core.report import StepReport
from scripts.core.settings import ROOT, Settings

RECIPES = ROOT / "docker/base"
CACHE = ROOT / ".cache/bases"
REGISTRY_SECONDS = 20  # for the registry's first answer, not for the download
ROOT_HOURS = 12  # how long the common root's package lists are good for
MAKE_SECONDS = 900
_root_lock = threading.Lock()


def ensure(settings: Settings, name: str, step: StepReport) -> BaseImage:
    """Return the base image `name`, bringing it into the engine first where it is not there.

    The registry is asked first, unless `build.bases` says `packages`; then, unless it says `registry`, it is made from packages.
    Raises TaskError, or MissingError where mmdebstrap is needed and not there, with what was tried and why each failed.
    """
    if found := find_base(settings, name):
        return found
    image, refusals = settings.bases[name].image, []
    if settings.build.bases != "packages":
        refusal = registry_refusal(image)
        if not refusal:
            step.progress(f"{name}: pulling {image}")
            refusal = _pull(image, settings.build.timeout_seconds, step)
        if refusal:
            refusals.append(f"{image}: {refusal}")
            if settings.build.bases == "auto":
                step.warn(f"{image} cannot be pulled ({refusal.rpartition(': ')[2]}); making it from Debian packages instead")
    if settings.build.bases != "registry" and find_base(settings, name) is None:
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
    return "mend the network or Docker's proxy; or `invoke setup`, which brings mmdebstrap on Debian and Ubuntu"


@lru_cache
def registry_refusal(image: str) -> str:
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
    base = settings.bases[name]
    recipe = ROOT / base.recipe if base.recipe else None
    wanted = {packages_reference(settings.project, name, base): base.packages}
    wanted[packages_reference(settings.project, name, base, runtime=True)] = base.runtime_packages or base.packages
    root = _common_root(step)
    for reference, packages in wanted.items():
        if engine().images.list(name=reference):
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
    """Return the tar of what all bases have in common; made anew when its package lists are old."""
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
