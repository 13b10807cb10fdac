"""Reads YAML into plain values: what JSON, Helm and Invoke can take too, and nothing that only looks like it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Hashable, Iterator
from typing import Any

import yaml

from scripts.core.errors import InputError, all_problems

DEEPEST = 40
MOST = 50_000
"""Values in one file; a few aliases of aliases make more than a machine can hold."""


class _EachKeyOnce(yaml.constructor.SafeConstructor):
    """Refuses a key that is there twice, where YAML's rule is that the last one wins in silence."""

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Hashable, Any]:
        """Make a dict of a mapping's keys and values."""
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen and not key.tag.endswith(":merge"):
                raise yaml.constructor.ConstructorError(None, None, f"the key `{key.value}` is there twice", key.start_mark)
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)  # type: ignore[arg-type]


class _Loader(_EachKeyOnce, yaml.SafeLoader):
    pass


class _FastLoader(_EachKeyOnce, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml may be missing
    pass


def load(text: str, name: str) -> dict[str, Any]:
    """Return the keys and values in `text`, unchecked. Raises InputError when it is no such YAML, with the place."""
    with refusing(name, code="settings-invalid"):
        raw = _loaded(text)
    if not isinstance(raw, dict):
        raise InputError(f"{name} holds no settings", f"restore it: git checkout {name}", code="settings-invalid")
    problems = list(dict.fromkeys(_Walk().problems(raw, "")))
    if problems:
        raise all_problems(name, problems, f"fix {name}. Nothing was changed", code="settings-invalid")
    return raw


@contextlib.contextmanager
def refusing(name: str, *, code: str) -> Iterator[None]:
    """Turn what PyYAML raises of the text of a file into an InputError that names the file, and the place in it."""
    try:
        yield
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" on line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        raise InputError(f"{name} is not YAML{where}: {why}", "fix it there", code=code) from None
    except RecursionError:
        raise InputError(f"{name} is nested too deeply", "fix it", code=code) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # What PyYAML's constructors raise for `2020-99-99`, `!!int x` or `!!timestamp x`.
        raise InputError(f"{name} holds a value that does not fit its type: {error}", "put it in quotes, or fix it", code=code) from None


def _loaded(text: str) -> Any:
    """Read by libyaml, which takes a seventh of the time; what that refuses is read once more, for the words and the place of the error."""
    with contextlib.suppress(yaml.YAMLError):
        # It would take tabs where YAML has none, and any depth, up to the end of the stack and of the process.
        if "\t" not in text and _depth(text) <= DEEPEST:
            return yaml.load(text, _FastLoader)  # noqa: S506 - a SafeLoader
    return yaml.load(text, _Loader)  # noqa: S506 - as above


def _depth(text: str) -> int:
    depth = deepest = 0
    for event in yaml.parse(text, _FastLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
    return deepest


class _Walk:
    """Goes through the values once, as often as they are referred to."""

    def __init__(self) -> None:
        self._met = 0

    def problems(self, value: Any, place: str, depth: int = 0) -> Iterator[str]:
        """Yield what is wrong with the value and those within it."""
        self._met += 1
        if depth > DEEPEST or self._met > MOST:
            yield "it is nested too deeply, refers to itself, or repeats too much by aliases"
            return
        if isinstance(value, dict):
            for key, inner in value.items():
                if not isinstance(key, str) or _unprintable(key):
                    yield f"{place or 'at the top'}: a key is not text (put it in quotes)"
                else:
                    yield from self.problems(inner, f"{place}.{key}".lstrip("."), depth + 1)
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from self.problems(inner, f"{place}.{number}", depth + 1)
        else:
            yield from (f"{place}: {problem}" for problem in _scalar(value))


def _scalar(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if unprintable(value):
            yield "holds a character that cannot be printed"
    elif isinstance(value, float) and not math.isfinite(value):
        yield "is not a finite number"
    elif not isinstance(value, bool | int | float | None):
        yield f"is a {type(value).__name__}, which JSON does not have: put it in quotes"


def unprintable(text: str) -> bool:
    """Return whether a text of some lines holds what no file of settings should: a control character."""
    return _unprintable(text.replace("\n", "").replace("\t", ""))


def _unprintable(text: str) -> bool:
    return any(not (character.isprintable() or character.isspace()) or character in "\r\0" for character in text)
