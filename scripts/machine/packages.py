"""The distribution's packages: what is missing, how to install it here, and the exact command where that is for a person to do."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.machine.docker_client import docker_answers

APT_SECONDS = 1200
APT_LOCK_SECONDS = 600
APT_POLL_SECONDS = 3
DOCKER_START_SECONDS = 90
DOCKER_LOG = Path("/var/log/docker.log")
PID_FILES = (Path("/run/docker.pid"), Path("/run/docker/containerd/containerd.pid"))
SYSTEMD = Path("/run/systemd/system")
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# Put here by `invoke setup` while it installs packages for the tests; their services stay off.\nexit 101\n"


@lru_cache
def system() -> str:
    """Return `debian` (and its like), `fedora`, `arch`, `linux` for the others, `darwin` or `windows`."""
    if platform.system() != "Linux":
        return platform.system().lower()
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "linux"
    like = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    return next((name for name in ("debian", "fedora", "arch") if name in like or (name == "debian" and "ubuntu" in like)), "linux")


def installable() -> bool:
    """Whether we may install packages ourselves: Debian or Ubuntu, as root."""
    return system() == "debian" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Sequence[str], step: StepReport, *, services: bool = True) -> None:
    """Install Debian packages without their recommendations; with `services=False` none of their services is started."""
    with contextlib.nullcontext() if services else _services_off():
        _apt_get(["update"], step)
        _apt_get(["install", "--yes", "--no-install-recommends", *filter(_known, packages)], step)


def _apt_get(arguments: Sequence[str], step: StepReport) -> None:
    """Run apt-get; while another program holds its lock, as unattended upgrades do after boot, wait for that."""
    environment: dict[str, str | None] = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1", "LC_ALL": "C"}

    def installed() -> bool:
        argv = ["apt-get", *arguments]
        shell.run(argv, timeout=APT_SECONDS, env=environment, on_line=lambda line: step.progress(f"apt-get: {line}"), holds_lock=False)
        return True

    def locked(error: TaskError) -> bool:
        held = any("Could not get lock" in line for line in error.evidence)
        if held:
            step.progress("apt-get: waiting for another program that installs packages")
        return held

    what = "another program that installs packages"
    until(installed, seconds=APT_LOCK_SECONDS, pause=APT_POLL_SECONDS, what=what, tolerate=locked)


def _known(package: str) -> bool:
    """Whether this release has the package; `docker-cli` is one of its own in the newer ones only."""
    return package != "docker-cli" or shell.run(["apt-cache", "show", package], timeout=60, ok=None).code == 0


@contextlib.contextmanager
def _services_off() -> Iterator[None]:
    """Debian starts a service as soon as it is installed, unless this file says no. One that is there already stays."""
    ours = not POLICY.exists() or POLICY.read_text(encoding="utf-8", errors="replace") == POLICY_TEXT
    if ours:
        POLICY.write_text(POLICY_TEXT, encoding="utf-8")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)


def start_docker(step: StepReport) -> None:
    """Start the installed Docker engine and wait until it answers. Raises TaskError with the last lines of its log.

    What starts it detaches it, so it holds nothing of ours and outlives this run.
    """
    _forget_dead_engine()
    for argv in _ways_to_start_docker():
        started = shell.run(argv, timeout=DOCKER_START_SECONDS, ok=None, on_line=step.progress, holds_lock=False)
        if started.code == 0:
            break
    step.progress("waiting for the Docker daemon to answer")
    try:
        until(docker_answers, seconds=0 if started.code else DOCKER_START_SECONDS, pause=0.5, what="the Docker daemon to answer")
    except OverdueError:
        log = DOCKER_LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-8:] if DOCKER_LOG.exists() else []
        evidence = log or (started.stderr or started.stdout).splitlines()[-8:]
        cause = f"the Docker daemon does not start (`{argv[0]}`)"
        raise TaskError(cause, "fix what its log says", evidence, code="docker-not-running") from None


def _forget_dead_engine() -> None:
    """Remove the process ids that a killed engine has left.

    The next one takes such a process for alive where it is still listed, since nobody collected it (a container without an init), or where
    its number was given to another.
    """
    for file in PID_FILES:
        try:
            process = Path(f"/proc/{int(file.read_text(encoding='ascii'))}/stat")
            name, _, rest = process.read_text(encoding="utf-8", errors="replace").partition("(")[2].rpartition(")")
        except ValueError:
            continue
        except OSError:
            name, rest = "", ""
        if name not in ("dockerd", "containerd") or rest.split()[0] == "Z":
            file.unlink(missing_ok=True)


def _ways_to_start_docker() -> list[list[str]]:
    """The commands to try in turn.

    Debian's init script raises limits before it starts the engine, which a container or a small virtual machine may refuse; the engine
    itself does without.
    """
    if SYSTEMD.is_dir():
        return [["systemctl", "enable", "--now", "docker"]]
    daemon = ["start-stop-daemon", "--start", "--oknodo", "--background", "--output", str(DOCKER_LOG), "--exec", "/usr/sbin/dockerd"]
    return [["service", "docker", "start"], daemon]


def docker_by_hand() -> str:
    """Return the commands that bring a running Docker engine to this system."""
    as_root = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    if shutil.which("docker") and system() not in ("darwin", "windows"):
        return f"{as_root}systemctl start docker   (and once: {as_root}usermod -aG docker $USER, then log in again)"
    return {
        "darwin": "brew install --cask docker && open -a Docker",
        "windows": "wsl --install -d Debian, and in it: sudo apt-get install docker.io",
        "debian": f"{as_root}apt-get update && {as_root}apt-get install docker.io && {as_root}usermod -aG docker $USER",
        "fedora": f"{as_root}dnf install moby-engine && {as_root}systemctl enable --now docker && {as_root}usermod -aG docker $USER",
        "arch": f"{as_root}pacman -S docker && {as_root}systemctl enable --now docker && {as_root}usermod -aG docker $USER",
    }.get(system(), "follow https://docs.docker.com/engine/install")
