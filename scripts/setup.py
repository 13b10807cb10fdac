"""Bring the programs that the engine needs, and the tests' where the development requirements are installed."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.bring_helm import HELM
from scripts.command import command, run_alone
from scripts.config.settings import Settings
from scripts.core import log
from scripts.core.errors import MissingError, TaskError
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport, changed, unchanged
from scripts.engines.choice import NAMED, choose, makers
from scripts.engines.docker.engine import DockerEngine
from scripts.engines.kube_context import KubeContextEngine
from scripts.engines.minikube.checks import rejects_root
from scripts.engines.minikube.engine import MinikubeEngine
from scripts.images import base_recipes, builder
from scripts.images.bases import find_base
from scripts.machine import docker_client, packages, tool_downloads, tool_folder, tools
from scripts.machine.tool_downloads import ToolDownload
from scripts.machine.tools import Found
from scripts.project import Project

OLDEST_NODE = (20, 9, 0)  # what Next.js asks for


@dataclass(frozen=True)
class ForTests:
    """A program that tests start, and the Debian package that has it."""

    package: str
    program: str
    """Its name, or a pattern of its path where it is not on PATH."""
    reason: str


FOR_TESTS = (
    ForTests("chromium", "chromium", "the page is used in a real browser"),
    ForTests("postgresql", "/usr/lib/postgresql/*/bin/initdb", "the app is tested on a real database"),
    ForTests("pgbouncer", "/usr/sbin/pgbouncer", "and through the kind of pooler that Neon has"),
    ForTests("prometheus", "promtool", "the alert rules are tested, and metrics scraped"),
    ForTests("mmdebstrap", "mmdebstrap", "base images are made from packages"),
    ForTests("nodejs", "node", "the page is built and tested"),
    ForTests("npm", "npm", "the page is built and tested"),
)


@dataclass(frozen=True)
class Action:
    """Something that setup does: how it is announced, and the doing, which returns what to tell afterwards."""

    announcement: str
    act: Callable[[StepReport], str]


@dataclass(frozen=True)
class Plan:
    """What setup will do, and the commands for what only a person can do."""

    actions: Sequence[Action]
    by_hand: Sequence[str]


@command(changes=True, help={"ai": "also kubectl-ai, for `invoke ask`"})
def setup(project: Project, report: Report, *, ai: bool = False) -> None:
    """Install the tools that this machine lacks.

    Those of the engine, and those of the tests where the development requirements are installed.
    """
    run_steps([Step("setup", partial(main, project, also=("kubectl-ai",) if ai else ()))], report)


def main(project: Project, step: StepReport, *, also: Sequence[str] = (), for_up: bool = False) -> Outcome:
    """Bring what is missing of the engine's tools and these, after saying what.

    for_up: `up` goes on from here: it brings helm itself while images build, and needs nothing of the tests.
    Raises MissingError with the exact commands for what a person has to do.
    """
    settings = project.settings
    tool_folder.clean_up()
    name, reason = engine_to_set_up(settings)
    step.say(f"for the {name} engine ({reason})")
    needed = [*(tool for tool in makers(settings)[name]().tools if not (for_up and tool == HELM)), *for_builds(settings), *also]
    wanted = {**settings.tools, "kubectl-ai": settings.ask.kubectl_ai}
    found = tools.find_all(needed, wanted)
    plan = plan_for(settings, found, for_tests=not for_up)
    for action in plan.actions:
        step.say(f"will {action.announcement}")
    done = [action.act(step) for action in plan.actions]
    if plan.by_hand:
        raise MissingError(
            f"{f'the {name} engine needs' if not also else 'there is'} what setup cannot install here",
            "run these commands",
            plan.by_hand,
            code="setup-by-hand",
        )
    if done:
        found = tools.find_all(needed, wanted)
    problems = [str(tool.problem) for tool in found if tool.problem]
    if problems:
        raise TaskError(
            "setup could not install everything that is needed", f"the details are in {log.shown_path()}", problems, code="setup-incomplete"
        )
    for warning in left_out() if not for_up else ():
        step.warn(warning)
    return changed("; ".join(done)) if done else unchanged(", ".join(map(str, found)))


def for_builds(settings: Settings) -> list[str]:
    """Return the tool without which a Dockerfile cannot be built here."""
    wanted = builder.BUILDX in settings.tools and builder.needing_buildkit(settings)
    return [builder.BUILDX] if wanted and builder.buildx() != builder.AS_PLUGIN else []


def engine_to_set_up(settings: Settings) -> tuple[str, str]:
    """Return the engine whose tools are wanted, and why; unlike `up`, setup counts an engine that its tools would make usable."""
    if settings.engine != "auto":
        return settings.engine, NAMED
    if settings.kube_context.context:
        return KubeContextEngine.name, "invoke.yaml names a context"
    try:
        chosen, reason = choose(settings)
    except MissingError:
        chosen = None
    if chosen is not None and (chosen.name != DockerEngine.name or chosen.deployed()):
        return chosen.name, reason
    if rejects_root(settings.minikube.driver):
        return DockerEngine.name, "no Kubernetes, since Minikube does not run as root: run this as an ordinary user to have one"
    if tool_downloads.kubernetes_answers(refresh=True):
        return MinikubeEngine.name, "Kubernetes can be downloaded, so Minikube can start"
    return DockerEngine.name, "no Kubernetes, since it cannot be downloaded here"


def plan_for(settings: Settings, found: Sequence[Found], *, for_tests: bool = True) -> Plan:
    """Return what installs the tools that are missing or unacceptable, and the packages that building and testing need. Changes nothing."""
    actions: list[Action] = []
    by_hand: list[str] = []
    for tool in found:
        if not tool.problem:
            continue
        if tool.name == "docker":
            _plan_docker(tool, actions, by_hand)
        else:
            wanted = settings.tools.get(tool.name, settings.ask.kubectl_ai)
            _plan_download(tool, wanted.version, actions, by_hand)
    extra = {**_for_bases(settings, found), **(_for_tests() if for_tests else {})}
    if extra and packages.installable():
        listed = ", ".join(f"{package} ({reason})" for package, reason in extra.items())
        names = list(extra)
        actions.append(Action(f"install Debian packages: {listed}", lambda step: _install(names, step, services=False)))
    return Plan(actions, by_hand)


def _plan_docker(tool: Found, actions: list[Action], by_hand: list[str]) -> None:
    refusal = docker_client.docker_refusal()
    if refusal is None and shutil.which("docker"):
        by_hand.append(f"{packages.docker_by_hand()}   ({tool.problem})")
    elif refusal is not None and not isinstance(refusal, docker_client.NotRunningError):
        by_hand.append(f"{refusal.action}   ({refusal.cause})")
    elif not packages.installable():
        by_hand.append(packages.docker_by_hand())
    else:
        if not (shutil.which("dockerd") and shutil.which("docker")):
            actions.append(
                Action("install the Docker engine: Debian's docker.io", lambda step: _install(["docker.io", "docker-cli"], step))
            )
        actions.append(Action("start the Docker engine, unless installing it has", _start_docker))


def _start_docker(step: StepReport) -> str:
    if not docker_client.docker_answers():
        packages.start_docker(step)
    return "the Docker engine runs"


def _install(names: Sequence[str], step: StepReport, *, services: bool = True) -> str:
    packages.apt_install(names, step, services=services)
    return f"installed {', '.join(names)}"


def _plan_download(tool: Found, version: str, actions: list[Action], by_hand: list[str]) -> None:
    source = tool_downloads.load()[tool.name]
    if source.can_come(version):
        way = "download it and check its SHA-256" + (", or build it with Go" if source.go else "")
        announcement = f"bring {tool.name} {version} into .tools/bin ({tool.problem}): {way}"
        actions.append(Action(announcement, lambda step: _bring(tool.name, version, source, step)))
    else:
        by_hand.append(source.command())


def _bring(name: str, version: str, source: ToolDownload, step: StepReport) -> str:
    way = tool_downloads.bring(name, version, source, step)
    return f"{name} {version} {way}"


def _for_bases(settings: Settings, found: Sequence[Found]) -> dict[str, str]:
    """What making base images takes, where they may have to be made: by package, with the reason."""
    if settings.build.base_source == "registry" or not base_recipes.obstacle():
        return {}
    runs = all(not tool.problem for tool in found if tool.name == "docker")
    if runs and all(find_base(settings, name) for name in settings.base_images):
        return {}
    return {"mmdebstrap": "makes base images where no registry answers"}


def _for_tests() -> dict[str, str]:
    """What the tests start and this machine lacks, by package, where the development requirements are installed."""
    if importlib.util.find_spec("pytest") is None:
        return {}
    return {needed.package: needed.reason for needed in FOR_TESTS if not _is_there(needed.program)}


def _is_there(program: str) -> bool:
    if program.startswith("/"):
        return any(Path("/").glob(program.lstrip("/")))
    return shutil.which(program) is not None


def left_out() -> list[str]:
    """Return what tests will leave out on this machine."""
    missing = _for_tests()
    warnings = []
    if missing:
        warnings.append(f"tests that need {', '.join(missing)} will be left out: install these yourself")
    elif importlib.util.find_spec("pytest") and (node := tools.version_of("node")) and node < OLDEST_NODE:
        warnings.append(f"the page's tests will be left out: node {tools.shown(node)} is older than {tools.shown(OLDEST_NODE)}")
    return warnings


if __name__ == "__main__":
    run_alone(main)
