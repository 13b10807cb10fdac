"""The pins of this checkout, each with where it is and which index knows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.machine import tool_downloads

LOCKED = {
    "requirements.in": "requirements.txt",
    "app/backend/requirements.in": "app/backend/requirements.txt",
    "app/backend/requirements-test.in": "requirements-dev.txt",
    "tests/monitoring/requirements.in": "requirements-dev.txt",
    "tests/render/requirements.in": "requirements-dev.txt",
    "requirements-dev.in": "requirements-dev.txt",
}
NAME = re.compile(r"^([A-Za-z0-9][\w.-]*)", re.MULTILINE)
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
IMAGE = re.compile(r"(?P<repository>.+):(?P<version>v?\d+(\.\d+)*)(?P<suffix>[^:/]*)")
PACKAGE_JSON = "app/frontend/package.json"
KUBERNETES = "k8s.io/kubernetes"


@dataclass(frozen=True)
class Pin:
    """One version that is written down."""

    name: str
    where: str
    now: str
    index: Literal["python", "npm", "go", "chart", "image"]
    asked: str = ""
    """What the index knows it by: the Go module, the repository of the chart or the image; nothing where that is its name."""
    patches: bool = False
    below: str = ""


def pins(settings: Settings) -> list[Pin]:
    """Return every pin. Raises TaskError for a name that is not locked."""
    return [*_python(), *_npm(), *_tools(settings), *_charts(settings), *_images(settings)]


def _python() -> Iterator[Pin]:
    known = set()
    for source, lock in LOCKED.items():
        locked = {name.lower(): version for name, version in PIN.findall((ROOT / lock).read_text(encoding="utf-8"))}
        for name in map(str.lower, NAME.findall((ROOT / source).read_text(encoding="utf-8"))):
            if name not in locked:
                raise TaskError(f"{lock} does not have {name} of {source}", "invoke lock", code="not-locked")
            if (name, locked[name]) not in known:
                known.add((name, locked[name]))
                yield Pin(name, lock, locked[name], "python")
    for path in sorted((ROOT / "scripts").glob("*.lock.txt")):
        for name, version in PIN.findall(path.read_text(encoding="utf-8")):
            yield Pin(name, f"scripts/{path.name}", version, "python")


def _npm() -> Iterator[Pin]:
    package = json.loads((ROOT / PACKAGE_JSON).read_text(encoding="utf-8"))
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        yield Pin(name, PACKAGE_JSON, version, "npm")


def _tools(settings: Settings) -> Iterator[Pin]:
    downloads = tool_downloads.load()
    wanted = {**settings.tools, "kubectl-ai": settings.ask.kubectl_ai}
    for name, download in downloads.items():
        tool = wanted[name]
        yield Pin(name, "invoke.yaml", tool.version, "go", download.module, patches=name == "kubectl", below=tool.below or "")
    yield Pin("kubernetes", "invoke.yaml", settings.kubernetes_version, "go", KUBERNETES, patches=True)


def _charts(settings: Settings) -> Iterator[Pin]:
    monitoring, kagent = settings.monitoring, settings.kagent
    yield Pin("kube-prometheus-stack", "invoke.yaml", monitoring.chart_version, "chart", monitoring.chart_repository)
    yield Pin("prometheus-adapter", "invoke.yaml", monitoring.adapter.chart_version, "chart", monitoring.adapter.chart_repository)
    yield Pin("kagent", "invoke.yaml", kagent.version, "chart", kagent.repository)


def _images(settings: Settings) -> Iterator[Pin]:
    """The base images whose tags begin with a version."""
    for base in settings.base_images.values():
        if match := IMAGE.fullmatch(base.image):
            yield Pin(
                f"{match['repository']}:*{match['suffix']}", "invoke.yaml", match["version"], "image", _in_registry(match["repository"])
            )


def _in_registry(repository: str) -> str:
    """The repository with its registry, as Docker completes a name."""
    first, slash, _ = repository.partition("/")
    if slash and (first == "localhost" or set(".:") & set(first)):
        return repository
    return f"registry-1.docker.io/{'' if slash else 'library/'}{repository}"
