"""The chart as the real helm renders it: scenarios, rendering, and ways to walk the objects."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "todo-chatbot"
MINIMAL = CHART / "ci" / "minimal-values.yaml"
ALL = CHART / "ci" / "all-values.yaml"
OTHER = CHART / "ci" / "other-values.yaml"
TOOL_PATH = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ.get("PATH", ""), str(Path.home() / ".cache" / "cli")])
RELEASE = NAMESPACE = "todo-chatbot"
KUBERNETES = "1.36.0"  # for helm, which has no cluster to ask here

Object = dict[str, Any]
Values = Mapping[str, Any]

IN_DEV = {"folders": ["/app/todo_backend", "/srv"], "command": ["python", "-m", "todo_backend"]}

SCENARIOS: dict[str, tuple[Path, Values]] = {
    "minimal": (MINIMAL, {}),
    "every value": (ALL, {}),
    "database outside": (MINIMAL, {"postgres": {"enabled": False}}),
    "monitored": (
        MINIMAL,
        {
            "monitoring": {"enabled": True},
            "postgres": {"exporter": {"image": {"repository": "postgres-exporter", "tag": "v1"}}},
        },
    ),
    "everything switched on": (
        MINIMAL,
        {
            "monitoring": {"enabled": True},
            "ingress": {"enabled": True, "host": "todo.example.com", "tlsSecretName": "todo-example-com"},
            "postgres": {"exporter": {"image": {"repository": "postgres-exporter", "tag": "v1"}}},
        },
    ),
    "another application": (OTHER, {}),
    "another application, everything switched on": (
        OTHER,
        {"monitoring": {"enabled": True}, "ingress": {"enabled": True, "host": "shop.example.com"}, "test": {"imageOf": "api"}},
    ),
    "in development": (MINIMAL, {"services": {"backend": {"dev": IN_DEV}}}),
    "shared namespace": (MINIMAL, {"namespaceRules": {"enabled": False}}),
    "behind an ingress": (MINIMAL, {"ingress": {"enabled": True, "host": "todo.example.com"}}),
    "fixed size, no test": (
        MINIMAL,
        {"serviceDefaults": {"autoscaling": {"enabled": False}, "replicas": 3}, "test": {"enabled": False}},
    ),
}


def find_tool(name: str) -> str | None:
    """Return the path of a program: the project's own, then PATH, then the user's cache; None when it is nowhere."""
    return shutil.which(name, path=TOOL_PATH)


def need_tool(name: str) -> str:
    """Return the path of a program, or skip the test and say why."""
    path = find_tool(name)
    if path is None:
        pytest.skip(f"{name} is not installed (looked in .tools/bin, PATH and ~/.cache/cli)")
    return path


@functools.cache
def helms() -> dict[str, str]:
    """Return the path of each helm that is installed, by version; one a version."""
    found = {}
    for name in ("helm", "helm4", "helm3"):
        if path := find_tool(name):
            answer = subprocess.run([path, "version", "--short"], capture_output=True, text=True, timeout=30, check=True)
            found.setdefault(answer.stdout.strip().removeprefix("v").split("+")[0], path)
    return found


def any_helm() -> str:
    """Return the newest helm, or skip the test."""
    if not helms():
        pytest.skip("helm is not installed (looked for helm, helm4 and helm3 in .tools/bin, PATH and ~/.cache/cli)")
    newest = max(helms(), key=lambda version: [int(part) for part in re.findall(r"\d+", version)])
    return helms()[newest]


def template(helm: str, base: Path | None, values: Values, *options: str, release: str = RELEASE) -> subprocess.CompletedProcess[str]:
    """Run `helm template` offline. values go over the file `base`."""
    argv = [helm, "template", release, str(CHART), "--namespace", NAMESPACE, "--kube-version", KUBERNETES, *options]
    if base:
        argv += ["--values", str(base)]
    argv += ["--values", "-"]
    return subprocess.run(argv, input=json.dumps(values), capture_output=True, text=True, timeout=60, check=False)


@functools.cache
def _rendered(helm: str, base: Path, values_json: str) -> str:
    done = template(helm, base, json.loads(values_json))
    assert done.returncode == 0, done.stderr
    return done.stdout


def render_text(values: Values | None = None, *, base: Path = MINIMAL, helm: str | None = None) -> str:
    """Return the rendered manifest as text; cached by what goes in."""
    return _rendered(helm or any_helm(), base, json.dumps(values or {}, sort_keys=True))


def render(values: Values | None = None, *, base: Path = MINIMAL, helm: str | None = None) -> list[Object]:
    """Return the rendered objects, test hooks among them."""
    import yaml

    return [o for o in yaml.load_all(render_text(values, base=base, helm=helm), yaml.CSafeLoader) if o]


def scenario(name: str, helm: str | None = None) -> list[Object]:
    """Return the objects of a scenario."""
    base, values = SCENARIOS[name]
    return render(values, base=base, helm=helm)


def of_kind(objects: Sequence[Object], *kinds: str) -> list[Object]:
    """Return the objects of these kinds."""
    return [o for o in objects if o["kind"] in kinds]


def one(objects: Sequence[Object], kind: str, name: str) -> Object:
    """Return the one object of this kind and name."""
    (found,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


def title(thing: Object) -> str:
    """Return how a failure names an object."""
    return f"{thing['kind']}/{thing['metadata']['name']}"


def pods(objects: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    """Yield each pod, templates' and test pods alike, as (owner's title, {metadata, spec})."""
    for thing in objects:
        if thing["kind"] in ("Deployment", "StatefulSet"):
            yield title(thing), thing["spec"]["template"]
        elif thing["kind"] == "Pod":
            yield title(thing), thing


def containers(objects: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    """Yield every container of every pod, init containers too, as (title, container)."""
    for owner, pod in pods(objects):
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            yield f"{owner}: {container['name']}", container


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether a label selector of matchLabels alone selects these labels. An empty one selects everything."""
    assert set(selector) <= {"matchLabels"}, f"this helper reads matchLabels only: {selector}"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
