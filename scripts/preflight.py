"""Check what `up` needs of this machine, of `.env` and of the network's settings; change nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from scripts.command import run_alone
from scripts.config.proxies import proxy_warnings
from scripts.config.settings import Needs, Settings
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.machine_trouble import refuse_what_is_anothers
from scripts.core.paths import ROOT
from scripts.core.report import Outcome, StepReport, passed
from scripts.desired import pod_proxies
from scripts.desired.database_reach import Place, blocked, databases, doubts, seems_blocked, unreachable
from scripts.desired.helm_release import provisional_release
from scripts.engines.protocol import Engine
from scripts.machine import tools
from scripts.machine.certificates import extra_ca
from scripts.machine.docker_client import docker_client
from scripts.project import ENV, Project

UNCHANGED = ". Nothing was changed"
AGAIN = f"fix that, and run it again{UNCHANGED}"
MEMINFO = Path("/proc/meminfo")
GIB = 2**30


def main(project: Project, step: StepReport) -> Outcome:
    """Raise one error with every problem found: MissingError where a tool is one of them, else InputError."""
    problems = env_problems(project, step)
    step.progress("looking at tools, disk, memory, ports")
    found = tools.find_all(project.engine.tools, project.settings.tools)
    missing = [tool for tool in found if tool.problem]
    problems += [] if problems else reach_problems(project, step)
    if missing:
        action = AGAIN if all(tool.has_action for tool in missing) else "invoke setup"
        raise _as_one(MissingError, [*(tool.problem for tool in missing), *problems], action)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="chart") as pool:
        chart = pool.submit(chart_problems, project)
        problems += [*checks(project.settings, project.engine), *chart.result()]
    if problems:
        raise _as_one(InputError, problems, AGAIN)
    return passed(", ".join(map(str, found)))


def env_problems(project: Project, step: StepReport) -> list[str]:
    """Return all that is wrong in `.env`, and warn of what is doubtful there and in the settings of proxies."""
    warnings, problems = proxy_warnings(os.environ), []
    try:
        warnings += env_warnings(project)
    except InputError as error:
        problems = [f".env: {line}" for line in error.evidence] or [f"{error.cause}: {error.action.removesuffix(UNCHANGED)}"]
    for warning in warnings:
        step.warn(warning)
    return problems


def env_warnings(project: Project) -> list[str]:
    """Return what is doubtful in `.env`. Raises InputError with all that is wrong in it."""
    if not os.path.lexists(ENV):
        return ["there is no .env yet: `invoke up` creates one and generates the passwords"]
    _ = project.secrets
    of_databases = (doubt for key, url in databases(project.settings, project.env) for doubt in doubts(key, url))
    return [*project.env.warnings, *of_databases, *pod_proxies.doubts(project.settings, project.env, os.environ)]


def reach_problems(project: Project, step: StepReport) -> list[str]:
    """Return why the services will not reach the database or the proxy that `.env` names."""
    problems: list[str] = []
    if not os.path.lexists(ENV):
        return problems
    places: list[tuple[str, Place]] = [*databases(project.settings, project.env), *pod_proxies.given(project.settings, project.env)]
    for key, url in places:
        problems += unreachable(key, url)
        if project.engine.deployment is not None:
            problems += blocked(key, url, project.settings)
            for doubt in seems_blocked(key, url, project.settings):
                step.warn(doubt)
    return problems


def chart_problems(project: Project) -> list[str]:
    """Return what the chart refuses of `chart.values` and the services, before anything is built for it."""
    try:
        project.engine.check(provisional_release(project.settings, monitoring=project.monitored))
    except TaskError as error:
        return [": ".join(filter(None, (error.cause, "; ".join(map(str.strip, error.evidence)), error.action)))]
    return []


def _as_one(kind: type[TaskError], problems: Sequence[str], action: str) -> TaskError:
    cause, evidence = (problems[0], ()) if len(problems) == 1 else (f"{len(problems)} problems", problems)
    return kind(cause, action, evidence, code="preflight-failed")


def checks(settings: Settings, chosen: Engine) -> list[str]:
    """Return every problem that would make `up` fail, each as one line of cause and remedy."""
    problems = disk_problems([ROOT, *_image_store()], settings.needs)
    if not chosen.deployed():  # what runs has its memory already
        problems += memory_problems(_meminfo(), settings.needs)
    for check in (partial(extra_ca, settings.build.extra_ca), refuse_what_is_anothers):
        try:
            check()
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


if __name__ == "__main__":
    run_alone(main, changes=False)
