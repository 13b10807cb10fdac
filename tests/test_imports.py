"""Imports run one way: each room may import those below it, and no step imports a step."""

from __future__ import annotations

import ast
import graphlib
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

ORDER = ("core", "config", "desired", "images", "kubernetes", "engines", "traffic", "project", "database", "command")
"""The rooms from the lowest up; each may import itself and those before it."""
BELOW = {room: set(ORDER[: position + 1]) for position, room in enumerate(ORDER)}
BELOW["logs"] = {"logs", "core"}
BELOW["discover"] = {"discover", "core", "config", "desired"}
BELOW["program"] = {"program", "config", "core"}
BELOW["command"].add("program")
BELOW["machine"] = {"machine", "core"}
BELOW["monitoring"] = {"monitoring", "core", "config", "desired", "kubernetes"}
for users in ORDER[ORDER.index("images") :]:
    BELOW[users] |= {"machine", "logs"}
GRAPHS = {"up", "down", "smoke", "setup", "rollback", "rotate", "init"}
"""Modules of `scripts/` that are commands: they may import steps."""


def room(module: str) -> str:
    return module.removeprefix("scripts.").partition(".")[0]


def modules(folder: Path = ROOT / "scripts") -> Iterator[tuple[str, str]]:
    """Each module of ours, and each that it imports."""
    for path in folder.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names if alias.name.partition(".")[0] in ("scripts", "tasks"))
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in ("scripts", "tasks"):
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield name, whole if (ROOT / whole.replace(".", "/")).with_suffix(".py").exists() else node.module


def steps() -> set[str]:
    return {path.stem for path in (ROOT / "scripts").glob("*.py")} - GRAPHS - {"__init__", "project", "command"}


def test_a_room_imports_only_what_is_below_it() -> None:
    wrong = [f"{importer} imports {imported}" for importer, imported in modules() if not _may(room(importer), room(imported))]
    assert not wrong


def _may(importer: str, imported: str) -> bool:
    if importer in BELOW:
        return imported in BELOW[importer]
    return imported != "tasks" and (imported != "ai" or importer in ("ai", "tasks"))


def uses() -> dict[str, set[str]]:
    """Each room, with those that it imports."""
    found: dict[str, set[str]] = {}
    for importer, imported in modules():
        if room(importer) != room(imported):
            found.setdefault(room(importer), set()).add(room(imported))
    return found


def test_no_rooms_import_each_other_in_a_circle() -> None:
    graphlib.TopologicalSorter(uses()).prepare()
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter({**uses(), "look": {"operate"}}).prepare()


def test_no_step_imports_a_step_or_a_command() -> None:
    upper = steps() | GRAPHS | {"look", "operate", "dev", "ai", "inner_loop", "audit", "bench"}
    wrong = [f"{importer} imports {imported}" for importer, imported in modules() if room(importer) in steps() and room(imported) in upper]
    assert not wrong


def test_the_inner_loop_is_above_all_other_commands() -> None:
    found = {importer for importer, imported in modules() if room(imported) == "inner_loop" != room(importer)}
    assert not found
    assert ("scripts.inner_loop.dev", "scripts.inner_loop.session") in set(modules())


def test_the_rule_sees_a_wrong_import(tmp_path: Path) -> None:
    assert not _may("core", "config")
    assert not _may("kubernetes", "engines")
    assert not _may("machine", "config")
    assert not _may("look", "ai")
    assert not _may("core", "logs")
    assert not _may("engines", "traffic")
    assert not _may("traffic", "project")
    assert _may("ai", "look")
    assert _may("up", "build_images")
    assert ("scripts.up", "scripts.build_images") in set(modules())


def is_there(module: str, name: str) -> bool:
    found = importlib.import_module(module)
    return hasattr(found, name) or (hasattr(found, "__path__") and importlib.util.find_spec(f"{module}.{name}") is not None)


@pytest.mark.parametrize("folder", ["docs", "tests"])
def test_what_is_imported_where_a_test_seldom_runs_is_there(folder: str) -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {node.module}.{alias.name}"
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scripts")
        for alias in node.names
        if not is_there(str(node.module), alias.name)
    ]
    assert missing == []
