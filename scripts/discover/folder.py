"""Looks at the folder of an app: which files say something, and which of them speak of the same service."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.config.text_file import text_if_any
from scripts.core.errors import InputError, TaskError
from scripts.discover import code, compose, dockerfiles, env_examples, known_images, manifests, projects
from scripts.discover.code import Code
from scripts.discover.dockerfiles import Dockerfile
from scripts.discover.found import Build, EnvKey, Found, Unknown
from scripts.discover.projects import Project

DEEPEST = 5
_SKIPPED = code.SKIPPED | {"specs", ".git", "templates"}
_VARIANTS = ("dev", "development", "local", "test", "tests", "ci", "debug", "playwright", "e2e")
_MIGRATES = re.compile(r"^\s*(?:\S+ run )?(?:python3? -m )?alembic\b.*\bupgrade\b", re.MULTILINE)
_SERVES = re.compile(r"uvicorn|gunicorn|hypercorn|fastapi (run|dev)|runserver|flask run|celery|pytest|\bexec\b")
_MANIFEST = re.compile(r"^kind:\s*(Deployment|StatefulSet|DaemonSet|Service|ConfigMap|Secret|List)\s*$", re.MULTILINE)


@dataclass
class Program:
    """What lies where an image is built from."""

    home: Path
    dockerfile: Dockerfile = field(default_factory=Dockerfile)
    project: Project = field(default_factory=Project)
    code: Code = field(default_factory=Code)
    examples: list[EnvKey] = field(default_factory=list)
    migrations: tuple[str, ...] = ()
    """What runs its migrations of Alembic, where nothing that is read does."""


@dataclass
class Findings:
    """All that was found in a folder."""

    folder: Path
    services: list[Found] = field(default_factory=list)
    programs: dict[str, Program] = field(default_factory=dict)
    """By the name of the service that is built of it."""
    examples: list[EnvKey] = field(default_factory=list)
    """Of the folder itself."""
    unknown: list[Unknown] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    """The files that the services come from, as a person names them."""

    def tell(self, about: str, what: str) -> None:
        """Note what could not be known."""
        self.unknown.append(Unknown(about, what))


@dataclass
class _Files:
    dockerfiles: list[Path] = field(default_factory=list)
    charts: list[Path] = field(default_factory=list)
    manifests: list[Path] = field(default_factory=list)
    composes: list[Path] = field(default_factory=list)
    projects: list[Path] = field(default_factory=list)


def look(folder: Path, compose_files: Sequence[Path] = ()) -> Findings:
    """Return what is found in a folder. Raises InputError where nothing in it can be deployed, or a compose file cannot be read."""
    folder = folder.resolve()
    findings = Findings(folder)
    files = _files(folder)
    chosen = list(compose_files) or [folder / name for name in compose.NAMES if (folder / name).is_file()][:1]
    if chosen:
        findings.services, left_out = compose.read(chosen)
        findings.unknown += left_out
        findings.read += [path.name for path in chosen]
        if not compose_files:
            _tell_overrides(findings)
    _add_workloads(findings, files)
    _add_dockerfiles(findings, files)
    if not findings.services:
        raise _nothing(folder, files)
    findings.examples = env_examples.beside(folder)
    for service in findings.services:
        if service.build:
            program = _program(service.build, folder, findings, service.name)
            if program.home in (other.home for other in findings.programs.values()):
                program.migrations = ()  # once is enough
            findings.programs[service.name] = program
    _tell_programs_without_image(findings, files)
    return findings


def _files(folder: Path) -> _Files:
    found = _Files()
    for here, folders, names in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(n for n in folders if n not in _SKIPPED and not n.startswith(".") and depth < DEEPEST)
        if "Chart.yaml" in names:
            found.charts.append(Path(here))
            folders[:] = []
            continue
        for name in sorted(names):
            path = Path(here, name)
            if name == "Dockerfile" or name.startswith("Dockerfile.") or name.endswith(".Dockerfile"):
                found.dockerfiles.append(path)
            elif name in compose.NAMES:
                found.composes.append(path)
            elif name.endswith((".yaml", ".yml")) and _MANIFEST.search(text_if_any(path)):
                found.manifests.append(path)
            elif name in ("package.json", "requirements.txt", "pyproject.toml"):
                found.projects.append(path)
    return found


def _tell_overrides(findings: Findings) -> None:
    for path in sorted(findings.folder.glob("*compose*.y*ml")):
        if path.name not in compose.NAMES:
            main = findings.read[0]
            findings.tell(path.name, f"was not read; if it belongs to what is to run: --compose {main} --compose {path.name}")


def _add_workloads(findings: Findings, files: _Files) -> None:
    """Take from charts and manifests what they know better, or the services themselves where no compose file builds any."""
    workloads: list[Found] = []
    for chart in files.charts:
        try:
            workloads += manifests.read_chart(chart)
        except TaskError as error:
            said = [line.strip() for line in error.evidence if line.strip() and not line.startswith("Use --debug")]
            why = said[-1] if said else error.cause
            findings.tell(_shown(chart, findings), f"the chart could not be rendered, so its ports and probes were not taken: {why[:200]}")
    of_files, wrong = manifests.read_files(files.manifests)
    for path, why in wrong:
        findings.tell(_shown(path, findings), why)
    builds = any(service.build for service in findings.services)
    for workload in [*workloads, *of_files]:
        workload.name = workload.name.removeprefix(f"{manifests.RELEASE}-")
        known = max(findings.services, key=lambda service: _likeness(service.name, workload.name), default=None)
        if known and _likeness(known.name, workload.name):
            _take_over(known, workload)
        elif not builds:
            workload.build = _build_of(workload, files, findings.folder)
            if not any(service.build and service.build == workload.build for service in findings.services if not workload.command):
                _call_by_its_folder(workload, findings)
                findings.services.append(workload)
                findings.read += [workload.origin] if workload.origin not in findings.read else []


def _call_by_its_folder(workload: Found, findings: Findings) -> None:
    """Name `shop-release-backend` after `backend/`, where its Dockerfile is."""
    labels = _labels(workload.build.dockerfile, findings.folder) if workload.build else []
    label = max(labels, key=lambda label: _likeness(label, workload.name), default="")
    if _likeness(label, workload.name) and label not in (service.name for service in findings.services):
        workload.aliases.add(workload.name)
        workload.name = label


def _take_over(service: Found, workload: Found) -> None:
    if workload.probes and service.build:
        service.probes = workload.probes
    service.ports = service.ports or workload.ports
    service.resources = service.resources or workload.resources
    service.aliases |= workload.aliases
    if not service.environment:
        service.environment, service.has_other_secrets = workload.environment, workload.has_other_secrets


def _likeness(name: str, *called: str) -> int:
    """How surely what is called so is meant by this name; 0: it is not."""
    wanted = _words(name)
    best = 0
    for have in map(_words, called):
        if have == wanted:
            best = max(best, 3)
        elif wanted and have[-len(wanted) :] == wanted:
            best = max(best, 2)
    return best


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]


def _build_of(workload: Found, files: _Files, folder: Path) -> Build | None:
    called = (workload.name, known_images.name_of(workload.image))
    alike = [
        (_likeness(label, *called), -distance, path) for path in files.dockerfiles for distance, label in enumerate(_labels(path, folder))
    ]
    likeness, _, best = max(alike, key=lambda each: each[:2], default=(0, 0, None))
    return _build(best) if best and likeness else None


def _labels(dockerfile: Path, folder: Path) -> list[str]:
    """What a Dockerfile may be called by: its own addition, or the folders that it lies in, the nearest first."""
    own = dockerfile.name.removeprefix("Dockerfile").removesuffix(".Dockerfile").strip(".")
    if own and own not in ("prod", "production"):
        return [own]
    return list(reversed(dockerfile.parent.relative_to(folder).parts)) or ["app"]


def _build(dockerfile: Path) -> Build:
    return Build(dockerfile.parent, dockerfile)


def _add_dockerfiles(findings: Findings, files: _Files) -> None:
    """Make services of Dockerfiles that nothing speaks of, where no compose file builds any."""
    used = {service.build.dockerfile for service in findings.services if service.build}
    usual = [path for path in files.dockerfiles if not path.name.lower().endswith(tuple(f".{word}" for word in _VARIANTS))]
    rest = [path for path in usual if os.path.normpath(path) not in {os.path.normpath(each) for each in used}]
    if findings.read and (used or _runs_images(findings.services)):
        for path in rest:
            findings.tell(_shown(path, findings), f"is used by no service of {findings.read[0]}")
        return
    deeper = [path for path in rest if path.parent != findings.folder]
    for path in [path for path in rest if path not in deeper] if deeper else ():
        findings.tell(_shown(path, findings), "was left out, since the folders below have Dockerfiles of their own")
    labels = [_labels(path, findings.folder)[0] for path in deeper or rest]
    if len(set(labels)) < len(labels):
        raise _nothing(findings.folder, files)
    known = {service.name: service for service in findings.services}
    for path, label in zip(deeper or rest, labels, strict=True):
        service = known.get(label)
        if service and (service.image or service.build):
            findings.tell(_shown(path, findings), f"is used by no service: {service.origin} has another `{label}`")
            continue
        if service:
            service.build = _build(path)
        else:
            findings.services.append(Found(label, _shown(path, findings), build=_build(path)))
        findings.read.append(_shown(path, findings))


def _runs_images(services: list[Found]) -> bool:
    """Whether an image among them is the app itself, and not only servers that it uses while it is developed."""
    others = {known_images.name_of(each.image) for each in services if each.image and not known_images.known(each.image)}
    return bool(others - known_images.CONSOLES)


def _nothing(folder: Path, files: _Files) -> InputError:
    of_compose, of_images = {path.parent for path in files.composes}, {path.parent.parent for path in files.dockerfiles}
    below = sorted(of_compose - {folder}) or sorted(of_images - {folder, folder.parent})
    if below:
        return InputError(
            f"{folder} holds {'several apps' if len(below) > 1 else 'its app in a folder below'}",
            "name the folder of one: " + ", ".join(f"invoke init {path}" for path in below[:6]),
            code="input-invalid",
        )
    return InputError(
        f"nothing in {folder} can be deployed: no compose file, no Dockerfile, no chart and no Kubernetes manifest",
        "name the folder of an app, or write a Dockerfile for each of its services",
        [f"a program without a Dockerfile: {path.parent}" for path in files.projects[:5]],
        code="input-invalid",
    )


def _program(build: Build, folder: Path, findings: Findings, name: str) -> Program:
    if not os.path.isdir(build.context):  # noqa: PTH112 - Path.is_dir raises on a name that is too long
        findings.tell(name, f"its folder {_shown(build.context, findings)[:200]} is not there")
        return Program(build.context)
    home = _home(build)
    text = text_if_any(build.dockerfile)
    if not text:
        findings.tell(name, f"its Dockerfile {_shown(build.dockerfile, findings)} is not there, or cannot be read: write it")
    parsed = dockerfiles.parse(text, build.target) if text else None
    if text and parsed is None:
        findings.tell(name, f"{_shown(build.dockerfile, findings)} has no stage {build.target or 'at all'}")
    project = projects.read(home)
    for problem in project.problems:
        findings.tell(name, problem)
    examples = env_examples.beside(home) if home != folder else []
    image = parsed or Dockerfile()
    sources = code.read(home)
    migrations = () if sources.migrates or not (home / "alembic.ini").is_file() else _unrun_migrations(home, image)
    return Program(home, image, project, sources, examples, migrations)


def _unrun_migrations(home: Path, image: Dockerfile) -> tuple[str, ...]:
    """What runs the migrations, where what starts the container does not: the one script that does and then ends, or Alembic itself."""
    scripts = {path: text_if_any(path) for path in [*home.glob("*.sh"), *home.glob("scripts/*.sh")]}
    started = [image.started, *(text for path, text in scripts.items() if path.name in image.started)]
    if any("alembic" in text for text in started):
        return ()
    ending = [path for path, text in scripts.items() if _MIGRATES.search(text) and not _SERVES.search(text)]
    return ("bash", ending[0].relative_to(home).as_posix()) if len(ending) == 1 else ("alembic", "upgrade", "head")


def _home(build: Build) -> Path:
    """The folder of the program: the Dockerfile's, where the context is wider."""
    folder = build.dockerfile.parent
    signs = ("package.json", "requirements.txt", "pyproject.toml", "go.mod")
    return folder if folder != build.context and any((folder / sign).is_file() for sign in signs) else build.context


def _tell_programs_without_image(findings: Findings, files: _Files) -> None:
    homes = {Path(os.path.normpath(program.home)) for program in findings.programs.values()} | {path.parent for path in files.dockerfiles}
    for folder in _outermost({path.parent for path in files.projects}):
        if projects.read(folder).page and not any(home.is_relative_to(folder) or folder.is_relative_to(home) for home in homes):
            findings.tell(_shown(folder, findings), "is a program without a Dockerfile: nothing deploys it until it has one")


def _outermost(folders: set[Path]) -> Iterator[Path]:
    yield from (each for each in sorted(folders) if not any(parent in folders for parent in each.parents))


def _shown(path: Path, findings: Findings) -> str:
    return os.path.relpath(path, findings.folder)
