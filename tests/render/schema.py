"""The chart's schema and the comments of its values, and ways to walk both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.render.chart import CHART

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the definition that a schema refers to, or the schema itself."""
    return SCHEMA["definitions"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every named property, as it stands where it is named, with its path in the values."""
    for name, part in resolved(schema).get("properties", {}).items():
        yield f"{path}/{name}", part
        yield from properties(part, f"{path}/{name}")


def description(schema: dict[str, Any]) -> str:
    """Return what an editor shows: the description beside a reference goes before that of the definition."""
    return str(schema.get("description") or resolved(schema).get("description", ""))


def comments(text: str) -> dict[str, str]:
    """Return the comments of values, by the path that each is about: the lines `# name: ...` or `# one, two: ...` above a key."""
    found: dict[str, str] = {}
    pending: list[str] = []
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        if said := re.fullmatch(r" *# (.*)", line):
            pending.append(said[1])
            continue
        if key := re.match(r"( *)([\w.-]+):", line):
            path = [*(step for step in path if step[0] < len(key[1])), (len(key[1]), key[2])]
            parent = "".join(f"/{name}" for _, name in path[:-1])
            if about := re.fullmatch(r"(\w+(?:, \w+)*): (.*)", " ".join(pending)):
                found |= {f"{parent}/{name}": about[2] for name in about[1].split(", ")}
        pending = []
    return found
