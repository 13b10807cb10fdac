"""Check what `up` needs of this machine, of `.env` and of the network's settings; change nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.command import run_alone
from scripts.config import env_generation
from scripts.config.proxies import is_set, proxy_warnings
from scripts.config.settings import NEEDED_TOOLS, Needs
from scripts.core.check import Check, Problem
from scripts.core.counting import several
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.machine_trouble import refuse_what_is_anothers
from scripts.core.paths import ROOT
from scripts.core.report import Outcome, StepReport, passed
from scripts.desired import alert_rules, dashboards, monitoring, pod_proxies
from scripts.desired.database_reach import Place, blocked, databases, doubts, seems_blocked, unreachable
from scripts.desired.helm_release import provisional_release
from scripts.images import builder
from scripts.machine import tools
from scripts.machine.certificates import extra_ca
from scripts.machine.docker_client import docker_client
from scripts.machine.tools import Found
from scripts.project import ENV, Project

UNCHANGED = ". Nothing was changed"
AGAIN = f"fix that, and run it again{UNCHANGED}"
SETUP = "invoke setup"
MEMINFO = Path("/proc/meminfo")
GIB = 2**30


def main(project: Project, step: StepReport, *, awaited: Sequence[str] = ()) -> Outcome:
    """Raise one error with every problem found: MissingError where a tool is one of them, else InputError.

    awaited: the tools that come beside later steps, which look at what these judge.
    """
    step.progress("looking at .env, tools, disk, memory, ports, the chart")
    found = look(project, awaited)
    for check in found:
        for warning in check.warnings:
            step.warn(warning)
    if failure := refusal(found):
        raise failure
    return passed(", ".join(f"{check.name} {check.found}" for check in found if check.name in project.engine.tools and not check.skipped))


def refusal(found: Sequence[Check]) -> TaskError | None:
    """Return one error with every problem of these checks; None where there is none."""
    problems = [problem for check in found for problem in check.problems]
    if not problems:
        return None
    lacking = [problem for check in found if check.name in (*NEEDED_TOOLS, "builder") for problem in check.problems]
    cause, evidence = (str(problems[0]), ()) if len(problems) == 1 else (f"{len(problems)} problems", tuple(map(str, problems)))
    if lacking:
        action = SETUP if any(problem.remedy in ("", SETUP) for problem in lacking) else AGAIN
        return MissingError(cause.removesuffix(f": {SETUP}"), action, evidence, code="preflight-failed")
    return InputError(cause, AGAIN, evidence, code="preflight-failed")


def look(project: Project, awaited: Sequence[str] = ()) -> list[Check]:
    """Return every check of what `up` needs, each with what was found. Changes nothing.

    All are made side by side. What others stand on comes first: without the tools the chart and the engine are not looked at, and what a
    `.env` names is not looked for while that is wrong. A tool that is awaited is no problem: the chart is judged when it has come.
    """
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="check") as pool:
        env = pool.submit(env_check, project)
        tool_checks = pool.submit(tools_checks, project, awaited)
        asked = (builder_check, proxies_check, disk_check, memory_check, certificates_check, files_check, monitoring_check)
        machine = [pool.submit(ask, project) for ask in asked]
        reach = pool.submit(reach_check, project) if not env.result().problems else None
        lacking = {check.name for check in tool_checks.result() if check.problems}
        to_come = any(check.skipped for check in tool_checks.result())
        chart = None if lacking or to_come else pool.submit(chart_check, project)
        engine = None if lacking - {"helm"} else pool.submit(engine_check, project)  # the chart alone needs helm
        rest = [
            each.result() if each else Check(name, "a tool is missing", skipped=True)
            for name, each in (("chart", chart), ("engine", engine))
        ]
        database = reach.result() if reach else Check("database", ".env is wrong", skipped=True)
        return [settings_check(project), env.result(), database, *tool_checks.result(), *(each.result() for each in machine), *rest]


def settings_check(project: Project) -> Check:
    """`invoke.yaml` was read and judged before anything else: say what it is about."""
    count = len(project.settings.services)
    return Check("invoke.yaml", f"{several(count, 'service')}, release {project.settings.release}")


def env_check(project: Project) -> Check:
    """All that is wrong or doubtful in `.env`."""
    try:
        warnings = env_warnings(project)
    except InputError as error:
        lines = error.evidence or (str(Problem(error.cause, error.action.removesuffix(UNCHANGED))),)
        return Check(".env", problems=tuple(Problem(f".env: {line}" if error.evidence else line) for line in lines))
    keys = project.settings.env
    found = f"{sum(1 for key in keys if project.env.get(key))} of {len(keys)} keys have a value" if os.path.lexists(ENV) else "none yet"
    return Check(".env", found, (), tuple(warnings))


def builder_check(project: Project) -> Check:
    """Whether what builds images here can read every Dockerfile. What is wrong with the Docker client its own check says."""
    try:
        reasons = builder.needing_buildkit(project.settings)
    except InputError as error:
        return Check("builder", problems=(Problem(error.cause, error.action),))
    if not reasons:
        return Check("builder", "reads every Dockerfile")
    try:
        found = builder.buildx()
    except MissingError:
        return Check("builder", "there is no Docker client", skipped=True)
    return Check("builder", "BuildKit") if found else Check("builder", problems=tuple(Problem(reason, SETUP) for reason in reasons))


def proxies_check(project: Project) -> Check:  # noqa: ARG001 - as every check's
    """What is doubtful in the environment's proxies."""
    return Check("proxy", "set" if is_set(os.environ) else "none", (), tuple(proxy_warnings(os.environ)))


def env_warnings(project: Project) -> list[str]:
    """Return what is doubtful in `.env`. Raises InputError with all that is wrong in it."""
    if not os.path.lexists(ENV):
        return ["there is no .env yet: `invoke up` creates one and generates the passwords"]
    empty = env_generation.lacking(ENV, project.settings.env)
    project.suppose_env()
    _ = project.secrets
    generated = [f"no value yet for {', '.join(empty)}: `invoke up` generates it"] if empty else []
    of_databases = (doubt for key, url in databases(project.settings, project.env) for doubt in doubts(key, url))
    return [*generated, *project.env.warnings, *of_databases, *pod_proxies.doubts(project.settings, project.env, os.environ)]


def reach_check(project: Project) -> Check:
    """Whether the services will reach the database and the proxy that `.env` names."""
    if not os.path.lexists(ENV):
        return Check("database", "the bundled Postgres, with a new .env")
    problems, warnings = list[Problem](), list[str]()
    named = list(databases(project.settings, project.env))
    places: list[tuple[str, Place]] = [*named, *pod_proxies.given(project.settings, project.env)]
    for key, url in places:
        problems += unreachable(key, url)
        if project.engine.deployment is not None:
            problems += blocked(key, url, project.settings)
            warnings += seems_blocked(key, url, project.settings)
    found = ", ".join(key for key, _ in named) or "the bundled Postgres"
    return Check("database", found, tuple(problems), tuple(warnings))


def tools_checks(project: Project, awaited: Sequence[str] = ()) -> list[Check]:
    """Whether each program that the engine needs is there, in a version that does."""
    return [_tool_check(found, found.name in awaited) for found in tools.find_all(project.engine.tools, project.settings.tools)]


def _tool_check(found: Found, awaited: bool) -> Check:
    if found.problem and awaited:
        return Check(found.name, "on its way", skipped=True)
    if not found.problem:
        return Check(found.name, tools.shown(found.version) if found.version else "")
    return Check(found.name, problems=(Problem(found.problem.cause, found.problem.remedy or SETUP),))


def chart_check(project: Project) -> Check:
    """What the chart refuses of `chart.values` and the services, before anything is built for it."""
    try:
        project.engine.check(provisional_release(project.settings, monitoring=project.monitored))
    except TaskError as error:
        cause = ": ".join(filter(None, (error.cause, "; ".join(map(str.strip, error.evidence)))))
        return Check("chart", problems=(Problem(cause, error.action),))
    return Check("chart", f"{project.settings.chart.path} renders")


def _unless_refused(name: str, look: Callable[[], str]) -> Check:
    """Return a check of what is found, or of the InputError that says what is wrong."""
    try:
        return Check(name, look())
    except InputError as error:
        return Check(name, problems=(Problem(error.cause, error.action),))


def monitoring_check(project: Project) -> Check:
    """What is wrong in the files of monitoring that `invoke.yaml` names: values, alerts, rows of the dashboard."""

    def look() -> str:
        if why := project.why_not_monitored():
            return f"none: {why}"
        monitoring.grafana_is_off(project.settings)  # reads the values
        return f"{len(alert_rules.alerts(project.settings))} alerts, {len(dashboards.rendered(project.settings))} dashboards"

    return _unless_refused("monitoring", look)


def disk_check(project: Project) -> Check:
    """Whether every file system that is written to has room."""
    try:
        folders = [ROOT, *_image_store()]
    except MissingError:  # the check of Docker says why
        folders = [ROOT]
    free = min(shutil.disk_usage(folder).free for folder in folders) / GIB
    return Check("disk", f"{free:.1f} GiB free", tuple(disk_problems(folders, project.settings.needs)))


def memory_check(project: Project) -> Check:
    """Whether the machine has memory to give. What runs has its own already."""
    available, wanted = available_mib(_meminfo()), project.settings.needs.free_memory_mib
    found = f"{available} MiB available" if available else "this system does not tell"
    if not available or available >= wanted or project.engine.deployed():
        return Check("memory", found)
    cause = f"{available} MiB of memory are available, less than the {wanted} MiB of needs.free_memory_mib"
    return Check("memory", found, (Problem(cause, "end programs that you do not need"),))


def certificates_check(project: Project) -> Check:
    """Whether the extra certificates can be read."""
    return _unless_refused("certificates", lambda: "an extra CA" if extra_ca(project.settings.build.extra_ca) else "no extra CA")


def files_check(project: Project) -> Check:  # noqa: ARG001 - as every check's
    """Whether what earlier runs left here can be written to."""

    def look() -> str:
        refuse_what_is_anothers()
        return "yours"

    return _unless_refused("files", look)


def engine_check(project: Project) -> Check:
    """What keeps the app from running in the engine: the cluster, its rights, the ways for images, ports."""
    return Check("engine", project.engine.name, tuple(project.engine.preflight()))


def _image_store() -> list[Path]:
    """Where the engine keeps images, when that is on this machine."""
    folder = Path(str(docker_client().info().get("DockerRootDir", "")))
    return [folder] if folder.is_dir() else []


def disk_problems(folders: Sequence[Path], needs: Needs) -> list[Problem]:
    """Return a problem for each file system that has less free space than `needs.free_disk_gib`."""
    by_device = {folder.stat().st_dev: folder for folder in folders}
    problems = []
    for folder in by_device.values():
        free = shutil.disk_usage(folder).free / GIB
        if free < needs.free_disk_gib:
            cause = f"{folder} has {free:.1f} GiB free, less than the {needs.free_disk_gib:g} GiB of needs.free_disk_gib"
            problems.append(Problem(cause, "remove what you do not need (`docker system df` shows Docker's share)"))
    return problems


def available_mib(meminfo: str) -> int:
    """Return how much memory the machine has to give; 0 where it does not tell."""
    return next((int(line.split()[1]) // 1024 for line in meminfo.splitlines() if line.startswith("MemAvailable:")), 0)


def _meminfo() -> str:
    return MEMINFO.read_text(encoding="ascii") if MEMINFO.exists() else ""


if __name__ == "__main__":
    run_alone(main, changes=False)
