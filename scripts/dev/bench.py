"""`invoke bench`: how fast we are beside the plain commands, in one run on the cluster that the app is installed in."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import takewhile
from pathlib import Path

from scripts.bench import measure, page
from scripts.bench.measure import Measured
from scripts.bench.page import FLOOR, OURS, PLAIN
from scripts.bench.plain import Plain
from scripts.command import command
from scripts.config.services import local_path
from scripts.config.settings import KUBERNETES_ENGINES
from scripts.core import shell
from scripts.core.counting import several
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project
from scripts.up import steps

DOCUMENT, PICTURE = ROOT / "docs/performance.md", ROOT / "docs/performance.svg"
Ways = dict[str, Callable[[], object]]
SUFFIXES = (".py", ".ts", ".js", ".go", ".rb")


@command(
    changes=False,
    help={
        "rounds": "how often to repeat each; the median counts",
        "service": "the service whose sources are changed; otherwise the first that is built",
        "beside": 'another command to compare with, such as "skaffold run"',
        "cold": "also remove the app and bring it up again; the data stays",
        "write": "write docs/performance.md and its picture",
        "plot": "write the picture to this file",
    },
)
def bench(  # noqa: PLR0913 - they are the options of the command
    project: Project,
    report: Report,
    *,
    rounds: int = 3,
    service: str = "",
    beside: str = "",
    cold: bool = False,
    write: bool = False,
    plot: str = "",
) -> None:
    """Compare `up` with plain docker, kubectl and helm.

    On the cluster that the app is installed in, which ends as the sources say. One source file is changed meanwhile, and put back.
    """
    if project.engine.deployment is None:
        wanted = " or ".join(f"--engine {name}" for name in KUBERNETES_ENGINES)
        raise InputError("the plain commands need Kubernetes", f"use {wanted}", code="unsupported-by-engine")
    project.require_installed()
    file = source_file(project, service)
    engine = project.engine.name
    found = []
    for measured in _all(project, file, engine, rounds, beside, cold=cold):
        found.append(measured)
        report.say(f"{measured.what}: {', '.join(f'{way} {measured.median(way):.2f} s' for way in measured.seconds)}")
    columns, rows = page.rows(found)
    report.table(columns, rows, "bench")
    about = f"{page.machine()}; {engine} engine, Kubernetes {_kubernetes(project)}; {several(rounds, 'round')}"
    about += f"; beside it `{beside}`" if beside else ""
    if write:
        page.write(found, about, DOCUMENT, PICTURE)
        report.say(f"wrote {DOCUMENT.relative_to(ROOT)} and {PICTURE.relative_to(ROOT)}")
    if plot:
        Path(plot).write_text(page.picture(found), encoding="utf-8")


def _kubernetes(project: Project) -> str:
    return str(project.cluster_deployment().cluster.get("nodes")[0]["status"]["nodeInfo"]["kubeletVersion"])


def source_file(project: Project, service: str) -> Path:
    """Return the source file that is changed: the largest of the service's own. Raises InputError where there is none."""
    built = {name: each for name, each in project.settings.services.items() if each.context}
    if service and service not in built:
        raise InputError(f"{service} is not built here", f"one of: {', '.join(built)}", code="service-unknown")
    for name, each in built.items() if not service else [(service, built[service])]:
        folder = local_path(str(each.context))
        listed = shell.run(["git", "ls-files", "-z"], timeout=60, cwd=folder).stdout.split("\0")
        files = [folder / line for line in listed if line.endswith(SUFFIXES) and "test" not in line and name]
        if files:
            return max(files, key=lambda file: file.stat().st_size)
    raise InputError("no service has a source file that could be changed", f"of {', '.join(SUFFIXES)}", code="input-invalid")


def _service_of(project: Project, file: Path) -> str:
    found = (name for name, each in project.settings.services.items() if each.context and file.is_relative_to(local_path(each.context)))
    return next(found)


def _all(project: Project, file: Path, engine: str, rounds: int, beside: str, *, cold: bool) -> Iterator[Measured]:
    """Do everything, and yield each as it is measured. The cluster ends as the sources say."""
    up = measure.invoke("up", "--engine", engine)
    up()
    service = _service_of(project, file)
    others: Ways = {called(beside): lambda: shell.run(shlex.split(beside), timeout=measure.SECONDS)} if beside else {}

    def by_hand(work: Callable[[Plain], None]) -> Callable[[], object]:
        return lambda: work(Plain(Project(engine)))

    everything = by_hand(Plain.all_of_it)
    full: Ways = {OURS: up, PLAIN: everything, **others}
    try:
        yield _list(rounds)
        yield measure.in_turn("plan, nothing changed", {OURS: measure.invoke("plan", "--engine", engine)}, rounds)
        # Each way begins where it ended itself: the others' tags would roll every pod.
        nothing = measure.in_turn("up, nothing changed", full, rounds, lambda way: full[way]())
        up()
        up()
        nothing.programs = measure.programs_of_last_run()
        yield nothing
        with measure.editing(file) as edit:

            def changed(way: str) -> None:
                (everything if way == FLOOR else full[way])()
                edit()

            ways = {**full, FLOOR: by_hand(partial(Plain.only, service=service))}
            yield measure.in_turn(f"up, one line of {service} changed", ways, rounds, changed)
        if project.settings.services[service].dev.sync:
            yield _dev(file, engine, service, rounds)
        up()
        if cold:
            yield _cold(project, engine)
    finally:
        up()
        Plain(Project(engine)).forget()


def called(command: str) -> str:
    """Return a command without its options: `skaffold run`."""
    return " ".join(takewhile(lambda word: not word.startswith("-"), shlex.split(command)))


def _list(rounds: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tasks.py").write_text("", encoding="utf-8")
        empty = measure.invoke("--list", folder=Path(folder))
        ways: Ways = {OURS: measure.invoke("--list"), "an empty tasks.py": partial(_lenient, empty)}
        return measure.in_turn("invoke --list", ways, rounds)


def _lenient(work: Callable[[], object]) -> None:
    """An empty tasks.py has nothing to list, which Invoke calls an error."""
    try:
        work()
    except shell.CommandError:
        return


def _dev(file: Path, engine: str, service: str, rounds: int) -> Measured:
    with measure.editing(file) as edit, measure.in_dev(engine, service) as served:

        def bring() -> None:
            edit()
            served()

        return measure.in_turn(f"dev, one line of {service} changed", {OURS: bring}, rounds)


def _cold(project: Project, engine: str) -> Measured:
    """Take the app away, bring it up again, and compare that with the longest chain of its own steps."""
    measure.invoke("down", "--engine", engine)()
    said: list[str] = []

    def up() -> None:
        argv = [sys.executable, "-m", "invoke", "up", "--json", "--engine", engine]
        said.append(shell.run(argv, timeout=measure.SECONDS, holds_lock=False).stdout)

    measured = measure.in_turn("up, after down", {OURS: up}, 1)
    events = [json.loads(line) for line in said[0].splitlines()]
    seconds = {event["step"]: float(event["seconds"]) for event in events if event["event"] == "step_finished"}
    measured.seconds["its critical path"] = [
        measure.critical_path(seconds, {step.name: (*step.needs, *step.follows) for step in steps(project)})
    ]
    return measured


if __name__ == "__main__":
    run_command()
