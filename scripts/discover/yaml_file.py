"""Reads YAML that others wrote: as Go programs read it, where all scalars but null are kept as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from scripts.config import text_file, yaml_text
from scripts.core.errors import InputError

MOST = 100_000
"""Values in one file; merge keys and aliases of aliases can make more than a machine holds."""


class _Loader(yaml.SafeLoader):
    """Knows no types: Compose and Kubernetes read `8000:22` as text, where YAML 1.1 sees a number to the base of 60."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way to say it
        first: [(tag, rule) for tag, rule in rules if tag.endswith((":null", ":merge"))]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _plain(loader: _Loader, _suffix: str, node: yaml.Node) -> Any:
    """Compose's `!override`, CloudFormation's `!Ref`: the value below the tag; `!reset` takes a value away."""
    if node.tag == "!reset":
        return None
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("", _plain)
for _tag in ("int", "float", "bool", "timestamp", "binary"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", lambda _, node: node.value)


def read_documents(path: Path) -> list[Any]:
    """Return the documents in a file. Raises InputError, with the place."""
    text = text_file.read_text(path, InputError(f"{path} does not exist", "name another file", code="file-unreadable"))
    return documents(text, path.name)


def documents(text: str, name: str) -> list[Any]:
    """Return the documents in a text, `name` being the file's. Raises InputError, with the place."""
    with yaml_text.refusing(name, code="input-invalid"):
        found = list(yaml.load_all(text, _Loader))
    if _too_many(found):
        raise _wrong(f"{name} refers to itself, or repeats too much by aliases")
    if any(yaml_text.unprintable(each) for each in _texts(found)):
        raise _wrong(f"{name} holds a character that cannot be printed")
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _wrong(cause: str) -> InputError:
    return InputError(cause, "fix it there", code="input-invalid")


def _too_many(value: Any) -> bool:
    met, left = 0, [(value, 0)]
    while left:
        inner, depth = left.pop()
        met += 1
        if met > MOST or depth > 60:
            return True
        if isinstance(inner, dict):
            left += [(each, depth + 1) for each in inner.values()]
        elif isinstance(inner, list):
            left += [(each, depth + 1) for each in inner]
    return False
