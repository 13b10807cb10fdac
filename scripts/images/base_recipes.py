"""Makes base images from Debian packages, by the recipe in docker/base, where no registry answers."""

from __future__ import annotations

import getpass
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.config.settings import Base, Settings
from scripts.core import shell
from scripts.core.hashes import TAG
from scripts.core.paths import CACHE, ROOT
from scripts.core.report import StepReport
from scripts.desired.dockerignore import Dockerignore
from scripts.desired.labels import PART_OF
from scripts.machine import packages
from scripts.machine.docker_client import CLI_ENVIRONMENT, docker_client

RECIPES = ROOT / "docker/base"
BASES = CACHE / "bases"
SUBUID = Path("/etc/subuid")
ROOT_HOURS = 12  # reuse the shared Debian root for 12 h
MAKE_SECONDS = 900
_root_lock = threading.Lock()


def packages_reference(project: str, name: str, base: Base, *, runtime: bool = False) -> str:
    """Return the name of the base image that is made from Debian packages: its tag is the hash of its recipe."""
    wanted = base.runtime_packages if runtime and base.runtime_packages else base.packages
    digest = hashlib.sha256("\0".join(wanted).encode())
    for folder in (RECIPES, *([ROOT / base.recipe] if base.recipe else [])):
        for file, content in recipe_files(folder).items():
            digest.update(file.encode() + b"\0" + content)
    kind = "-runtime" if runtime and base.runtime_packages else ""
    return f"{project}-base-{name}{kind}:h{digest.hexdigest()[:TAG]}"


def recipe_files(folder: Path) -> Mapping[str, bytes]:
    """Return the files of a recipe with the line ends that a shell needs, whatever the checkout has."""
    droppings = Dockerignore()
    files = sorted(path for path in folder.iterdir() if path.is_file() and not droppings.leaves_out(path.name)) if folder.is_dir() else []
    return {path.name: path.read_bytes().replace(b"\r\n", b"\n") for path in files}


def obstacle() -> str:
    """Return what keeps this user from making bases from packages, or an empty string."""
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is not installed"
    if os.geteuid() == 0:
        return ""
    if shutil.which("newuidmap") is None:
        return "an ordinary user's mmdebstrap needs the package uidmap, which is not installed"
    user = getpass.getuser()
    names = [line.partition(":")[0] for line in SUBUID.read_text(encoding="utf-8").splitlines()] if SUBUID.is_file() else []
    return "" if user in names or str(os.geteuid()) in names else f"{SUBUID} has no entry for {user}, which mmdebstrap needs"


def remedy() -> str:
    """Return the command that lets this user make bases from packages."""
    if packages.installable():
        return "invoke setup"
    if packages.system() != "debian":
        return "run it on Debian or Ubuntu"
    ids = "100000-165535"
    subuid = "" if os.geteuid() == 0 else f" uidmap && sudo usermod --add-subuids {ids} --add-subgids {ids} $USER"
    return f"sudo apt-get install mmdebstrap{subuid}"


def make(settings: Settings, name: str, step: StepReport) -> None:
    """Make what `name` lacks of its base for building and its base for running. Raises CommandError."""
    base = settings.base_images[name]
    wanted = {packages_reference(settings.project, name, base): base.packages}
    wanted[packages_reference(settings.project, name, base, runtime=True)] = base.runtime_packages or base.packages
    with _unpacked(base) as (recipes, own):
        root = _common_root(recipes, step)
        for reference, content in wanted.items():
            if docker_client().images.list(name=reference):
                continue
            tar = BASES / f"{reference.replace(':', '-')}.tar"
            try:
                _run(recipes, "base", root, tar, own, *content, step=step, what=reference)
                label = f"LABEL {PART_OF}={settings.release}"
                argv = ["docker", "import", "--change", label, str(tar), reference]
                shell.run(argv, timeout=MAKE_SECONDS, env=CLI_ENVIRONMENT)
            finally:
                tar.unlink(missing_ok=True)


@contextmanager
def _unpacked(base: Base) -> Iterator[tuple[Path, str]]:
    """Yield copies of the common recipe and of the base's own (or an empty string), as programs that run: a ZIP file loses their modes."""
    with tempfile.TemporaryDirectory(prefix="todo-bases-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # mmdebstrap's hooks are another user's, where it is not root's
        _unpack(RECIPES, folder / "common")
        if not base.recipe:
            yield folder / "common", ""
            return
        _unpack(ROOT / base.recipe, folder / "own")
        yield folder / "common", str(folder / "own")


def _unpack(source: Path, target: Path) -> None:
    target.mkdir(mode=0o755)
    for name, content in recipe_files(source).items():
        (target / name).write_bytes(content)
        (target / name).chmod(0o755 if content.startswith(b"#!") else 0o644)


def _common_root(recipes: Path, step: StepReport) -> Path:
    """Return the tar of what all bases have in common; made again when its package lists are old."""
    with _root_lock:
        tar = BASES / "root.tar"
        BASES.mkdir(parents=True, exist_ok=True)
        if not tar.exists() or time.time() - tar.stat().st_mtime > ROOT_HOURS * 3600:
            _run(recipes, "root", tar, step=step, what="Debian root")
        return tar


def _run(recipes: Path, *arguments: str | Path, step: StepReport, what: str) -> None:
    argv = [str(recipes / "make.sh"), *map(str, arguments)]
    step.progress(f"making {what} from Debian packages")
    shell.run(argv, timeout=MAKE_SECONDS, on_line=lambda line: step.progress(f"{what}: {line}"))
