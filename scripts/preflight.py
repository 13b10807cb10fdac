"""Check what `up` needs of this machine, of `.env` and of the network's settings; change nothing."""

from __future__ import annotations

import ipaddress
import os
import shutil
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.command import run_alone
from scripts.config.settings import Needs, Settings
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Outcome, StepReport, unchanged
from scripts.engines.protocol import Engine
from scripts.machine import tools
from scripts.machine.certificates import extra_ca
from scripts.machine.docker_client import docker_client
from scripts.project import ENV, Project

MEMINFO = Path("/proc/meminfo")
GIB = 2**30
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
ENCRYPTED = ("require", "verify-ca", "verify-full")


def main(project: Project, step: StepReport) -> Outcome:
    """Raise one error with every problem found: MissingError where a tool is one of them, else InputError."""
    for warning in [*proxy_warnings(os.environ), *env_warnings(project)]:
        step.warn(warning)
    step.progress("looking at tools, disk, memory, ports")
    found = tools.find_all(project.engine.tools, project.settings.tools)
    missing = [tool.problem for tool in found if tool.problem]
    if missing:
        raise _as_one(MissingError, missing, "invoke setup")
    problems = checks(project.settings, project.engine)
    if problems:
        raise _as_one(InputError, problems, "fix that, and run it again. Nothing was changed")
    return unchanged(", ".join(map(str, found)))


def env_warnings(project: Project) -> list[str]:
    """Return what is doubtful in `.env`. Raises InputError with all that is wrong in it."""
    if not ENV.exists():
        return ["there is no .env yet: `invoke up` makes one and invents the passwords"]
    return [*project.env.warnings, *database_warnings(project.env.get("DATABASE_URL"))]


def _as_one(kind: type[TaskError], problems: Sequence[str], action: str) -> TaskError:
    return kind(problems[0], action) if len(problems) == 1 else kind(f"{len(problems)} problems", action, problems)


def checks(settings: Settings, chosen: Engine) -> list[str]:
    """Return every problem that would make `up` fail, each as one line of cause and remedy."""
    problems = disk_problems([ROOT, *_image_store()], settings.needs)
    if not chosen.deployed():  # what runs has its memory already
        problems += memory_problems(_meminfo(), settings.needs)
    try:
        extra_ca(settings.build.extra_ca)
    except InputError as error:
        problems.append(f"{error.cause}: {error.action}")
    return [*problems, *chosen.preflight()]


def _image_store() -> list[Path]:
    """Where the engine keeps images, when that is on this machine."""
    folder = Path(str(docker_client().info().get("DockerRootDir", "")))
    return [folder] if folder.is_dir() else []


def disk_problems(folders: Sequence[Path], needs: Needs) -> list[str]:
    """Return a problem for each file system that has less free space than `needs.free_disk_gib`."""
    by_device = {folder.stat().st_dev: folder for folder in folders}
    problems = []
    for folder in by_device.values():
        free = shutil.disk_usage(folder).free / GIB
        if free < needs.free_disk_gib:
            problems.append(
                f"{folder} has {free:.1f} GiB free, less than the {needs.free_disk_gib:g} GiB of needs.free_disk_gib: "
                "remove what you do not need (`docker system df` shows Docker's share)"
            )
    return problems


def memory_problems(meminfo: str, needs: Needs) -> list[str]:
    """Return a problem when the machine has less memory to give than `needs.free_memory_mib`; none where it does not tell."""
    for line in meminfo.splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) // 1024
            if available < needs.free_memory_mib:
                wanted = f"{needs.free_memory_mib} MiB of needs.free_memory_mib"
                return [f"{available} MiB of memory are available, less than the {wanted}: end programs that you do not need"]
    return []


def _meminfo() -> str:
    return MEMINFO.read_text(encoding="ascii") if MEMINFO.exists() else ""


def proxy_warnings(environment: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the proxy variables. Their values may hold a password, and are not shown."""
    warnings = []
    proxies = {name: environment.get(name) or environment.get(name.lower(), "") for name in ("HTTP_PROXY", "HTTPS_PROXY")}
    for name, value in proxies.items():
        if value and not urllib.parse.urlsplit(value).hostname:
            warnings.append(f"{name} is no URL such as http://proxy.example:3128")
        lower = environment.get(name.lower())
        if lower and environment.get(name) and lower != environment[name]:
            warnings.append(f"{name} and {name.lower()} differ: programs will disagree about which one counts")
    if any(proxies.values()):
        excluded = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
        if not any(_covers_this_machine(entry.strip()) for entry in excluded.split(",")):
            warnings.append("a proxy is set and NO_PROXY does not name localhost,127.0.0.1: calls to this machine will go to the proxy")
    return warnings


def _covers_this_machine(entry: str) -> bool:
    if entry in ("*", *LOCAL_NAMES):
        return True
    try:
        return ipaddress.ip_address("127.0.0.1") in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def database_warnings(url: str) -> list[str]:
    """Return what is doubtful about DATABASE_URL, never showing any of it but its host."""
    if not url:
        return []
    parts = urllib.parse.urlsplit(url)
    host, parameters = parts.hostname or "", urllib.parse.parse_qs(parts.query)
    warnings = []
    if not host or not parts.path.strip("/"):
        warnings.append("DATABASE_URL names no host or no database: postgresql://user:password@host/database")
    if host in LOCAL_NAMES:
        warnings.append(f"DATABASE_URL names {host}: inside a container that is the container itself, not this machine")
    elif host and parameters.get("sslmode", [""])[0] not in ENCRYPTED:
        warnings.append("DATABASE_URL does not ask for TLS, so the password may cross the network in clear: end it with ?sslmode=require")
    if "-pooler." in host and "options" in parameters:
        warnings.append("DATABASE_URL sends `options` to a pooler, which refuses them: use the direct host, or leave them out")
    return warnings


if __name__ == "__main__":
    run_alone(main, changes=False)
