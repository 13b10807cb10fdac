"""What a user can name, and whether a specification names it: commands, keys of invoke.yaml, values of the chart, parts."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

SCHEMA, VALUES = "invoke.schema.json", "helm/todo-chatbot/values.yaml"
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[\w./-]+")


def unnamed(root: Path, commands: Collection[str]) -> list[str]:
    """Return each command, key and value that no specification names, in their order."""
    words = _words(root)
    found = [f"command {name}" for name in sorted(commands) if name not in words]
    found += [f"invoke.yaml: {'.'.join(key)}" for key in keys(root) if key[-1] not in words]
    return [*found, *(f"chart: {'.'.join(value)}" for value in values(root) if value[-1] not in words)]


def count(root: Path, commands: Collection[str]) -> int:
    """Return how many commands, keys and values there are."""
    return len(commands) + len(keys(root)) + len(values(root))


def keys(root: Path) -> list[tuple[str, ...]]:
    """Return every key of invoke.yaml, by its schema; a name that its user chooses is a `*`."""
    schema = json.loads((root / SCHEMA).read_text(encoding="utf-8"))
    return sorted(set(_keys(schema, schema, ())))


def _keys(node: Mapping[str, Any], schema: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    for either in node.get("anyOf", ()):
        yield from _keys(either, schema, above)
    for name, inner in node.get("properties", {}).items():
        yield (*above, name)
        yield from _keys(inner, schema, (*above, name))
    for inner in (node.get("additionalProperties"), *node.get("patternProperties", {}).values()):
        if isinstance(inner, dict):
            yield from _keys(inner, schema, (*above, "*"))


def values(root: Path) -> list[tuple[str, ...]]:
    """Return every value of the chart, by its values.yaml; labels that Kubernetes names are none."""
    return sorted(_values(yaml.safe_load((root / VALUES).read_text(encoding="utf-8")), ()))


def _values(node: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, inner in node.items() if isinstance(node, Mapping) else ():
        if above[-1:] != ("podLabels",):
            yield (*above, name)
            yield from _values(inner, (*above, name))


def parts(root: Path) -> dict[str, list[str]]:
    """Return the parts in the table of specs/architecture.md, each with the pages that it names."""
    text = (root / "specs" / "architecture.md").read_text(encoding="utf-8").partition("\n## Parts\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ") and not line.startswith("| part ")]
    return {cells[0].strip(): re.findall(r"`([\w-]+\.md)`", cells[2]) for cells in rows}


def parts_without_page(root: Path) -> list[str]:
    """Return each part that names no specification, or one that is not there."""
    return [
        f"part `{name}` has no specification"
        for name, pages in parts(root).items()
        if not pages or not all((root / "specs" / page).is_file() for page in pages)
    ]


def _words(root: Path) -> set[str]:
    """The words in what specifications mark as code: whole, and in parts between dots."""
    found: set[str] = set()
    for page in (root / "specs").glob("*.md"):
        for code in _CODE.findall(page.read_text(encoding="utf-8")):
            words = _WORD.findall(code)
            found.update(words)
            found.update(part for word in words for part in re.split(r"[./]", word))
    return found
