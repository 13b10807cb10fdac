"""Who set which field of an object, and when: what `metadata.managedFields` tell. Pure.

The form (fieldsV1) is that of structured-merge-diff: `f:NAME` is a key of an object, `k:{...}` an item of a list by its key fields,
`v:VALUE` an item of a set, `.` the thing itself, and an empty tree all that is below it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

Path = tuple[str | int, ...]
Tree = Mapping[str, Any]

HELM = "helm"
PEOPLES = ("kubectl", "k9s", "node-fetch", "Mozilla", "curl", "python-requests", "OpenAPI-Generator")
"""How the tools of people call themselves (node-fetch: Lens; Mozilla: a browser). What a controller sets is its own affair."""
NOT_TOLD = ("f:metadata", "f:status", "f:apiVersion", "f:kind")
RESTARTED = "kubectl.kubernetes.io/restartedAt"  # `kubectl rollout restart`: asked for, and over


def owner(thing: Object, path: Path) -> str:
    """Return who set the field, if it was not helm, and when; empty where nobody knows.

    >>> owner(deployment, ("spec", "replicas"))
    'kubectl at 14:02'
    """
    entries = [
        e for e in thing["metadata"].get("managedFields", ()) if e.get("manager") != HELM and _has(e.get("fieldsV1", {}), thing, path)
    ]
    newest = max(entries, key=lambda e: str(e.get("time", "")), default=None)
    if newest is None:
        return ""
    when = datetime.fromisoformat(newest["time"]).astimezone() if newest.get("time") else None
    return f"{newest['manager']} at {when:%H:%M}" if when else str(newest["manager"])


def program(thing: Object, path: Path) -> str:
    """Return the program that set the field, where it is neither helm nor a person's tool: it may set it again."""
    who = owner(thing, path).partition(" at ")[0]
    return "" if who.startswith(PEOPLES) else who


def strays(thing: Object) -> Iterator[Path]:
    """Yield the fields that a person's tool has set and helm has not, each at its highest place."""
    entries = thing["metadata"].get("managedFields", ())
    ours = [e.get("fieldsV1", {}) for e in entries if not _by_person(e)]
    seen: set[Path] = set()
    for entry in entries:
        if _by_person(entry) and entry.get("subresource") != "status":
            tree = {key: below for key, below in entry.get("fieldsV1", {}).items() if key not in NOT_TOLD}
            seen.update(path for path in _strays(tree, thing, (), ours, thing) if not _is_restart(thing, path))
    yield from seen


def value_at(thing: Object, path: Path) -> Any:
    """Return what an object has at a path."""
    value: Any = thing
    for part in path:
        value = value[part]
    return value


def _is_restart(thing: Object, path: Path) -> bool:
    """Whether a path is the mark of a restart, or holds nothing else."""
    value = value_at(thing, path)
    return path[-1] == RESTARTED or (isinstance(value, dict) and value.keys() == {RESTARTED})


def _by_person(entry: Object) -> bool:
    return str(entry.get("manager", "")).startswith(PEOPLES)


def _strays(tree: Tree, value: Any, path: Path, ours: list[Tree], thing: Object) -> Iterator[Path]:
    for key, below in tree.items():
        step = _step(key, value)
        if step is None:
            continue
        here = (*path, step)
        whole = not below or "." in below
        if whole and not any(_has(each, thing, here) for each in ours):
            yield here
        else:
            yield from _strays(below, value[step], here, ours, thing)


def _step(key: str, value: Any) -> str | int | None:
    """Where a tree's key leads from a value; None where the value has no such part."""
    kind, _, rest = key.partition(":")
    if kind == "f" and isinstance(value, dict):
        return rest if rest in value else None
    if kind in ("k", "v") and isinstance(value, list):
        wanted = json.loads(rest)
        for index, item in enumerate(value):
            if item == wanted or (isinstance(wanted, dict) and isinstance(item, dict) and wanted.items() <= item.items()):
                return index
    return None


def _has(tree: Tree, value: Any, path: Path) -> bool:
    """Whether a tree of fields has this path, or a whole that it is part of."""
    for part in path:
        found = next((key for key in tree if key != "." and _step(key, value) == part), None)
        if found is None:
            return False
        tree, value = tree[found], value[part]
        if not tree:
            return True
    return True


def shown_path(thing: Object, path: Path) -> str:
    """Return a path as a person reads it: `spec.template.spec.containers[api].image`."""
    text = ""
    value: Any = thing
    for part in path:
        if isinstance(part, int):
            value = value[part]
            text += f"[{value.get('name', part) if isinstance(value, dict) else part}]"
        else:
            value = value.get(part, {})
            text += f".{part}" if text else part
    return text
