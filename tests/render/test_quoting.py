"""Strings come out as they went in, also those that YAML would read as something else: `yes`, `1e3`, `*`, `a: b`.

Every string that the schema leaves open is set to a marker. Putting a word in the markers' place before rendering must give the same as
putting it there afterwards.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.render.chart import ALL, NAMESPACE, RELEASE, any_helm, template
from tests.render.schema import SCHEMA, resolved

pytestmark = pytest.mark.render

EVERYTHING = yaml.safe_load(ALL.read_text())
EVERYTHING["ingress"]["closeInternalPaths"] = False  # else a path counts without its query, and one that stands twice once

# Most are names too, so that patterns let them through; paths and hosts have words of their own.
WORDS = [
    "null", "yes", "no", "on", "true", "n", "1e3", "0x1f", "0x1F", "1_000", "0o14", "012", "1.5", "NaN", ".inf", "2026-01-02", "12:30:45",
    "~", "*", "&a", "!b", "@c", "`d", "%e", "|", ">-", "#f", "- g", "? h", ": i", "j: k", "l #m", "[n", "{o", "'p", '"q', "r\\s", " t ",
    "u\nv", "\u00fc\u2028\u0007", "=", "<<", "---", "*.example.com", "/", "/*", "/: a", "/a#b", "/{c}", "/[d", "/%20", "/e'f\"g", "/h: #j",
]  # fmt: skip
VARIABLES = [word for word in WORDS if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", word)]
SERVICES = next(iter(SCHEMA["properties"]["services"]["patternProperties"]))
MOUNT = "^/.+$"
"""Where a volume is mounted: two cannot be at one path."""
NOT_MARKED = {"calls", "imageOf", "publicPath", "scaled"}
"""Keys whose strings name a service that must be there, or must differ from one service to the next."""


def accepts(schema: dict[str, Any], word: str) -> bool:
    """Return whether the schema of a string takes the word."""
    long_enough = schema.get("minLength", 0) <= len(word) <= schema.get("maxLength", len(word))
    return long_enough and bool(re.search(schema.get("pattern", ""), word))


class Markers:
    """Markers where the schema takes a word, each in the shape of the word, and what stands for them then."""

    def __init__(self, word: str, *, variables: bool) -> None:
        self.word, self.variables = word, variables
        self.stands_for: dict[str, str] = {}
        self.once: set[str] = set()
        self.more_keys = True

    def marker(self, schema: dict[str, Any]) -> str | None:
        """Return a new marker, or None where the schema does not take the word."""
        text = f"mark{len(self.stands_for)}x"
        for prefix in ("*.", "/", ""):
            if self.word.startswith(prefix) and accepts(schema, self.word) and accepts(schema, prefix + text):
                if schema.get("pattern") == MOUNT and MOUNT in self.once:
                    return None
                self.once.add(schema.get("pattern", ""))
                self.stands_for[text] = self.word.removeprefix(prefix)
                return prefix + text
        return None

    def within(self, schema: dict[str, Any], value: Any) -> Any:
        """Return the value with a marker for each of its strings, and for one more key of each open map."""
        schema = resolved(schema)
        if isinstance(value, str) and value and "string" in schema.get("type", ()):
            return self.marker(schema) or value
        if isinstance(value, list) and "items" in schema:
            return [self.within(schema["items"], item) for item in value]
        if not isinstance(value, dict) or "propertyNames" in schema:
            return value
        if "properties" in schema:
            # One name cannot be both a plain variable and one from a Secret.
            kept = NOT_MARKED | ({"keys"} if self.variables else set())
            return {key: part if key in kept else self.within(schema["properties"][key], part) for key, part in value.items()}
        return self.within_map(schema, value)

    def within_map(self, schema: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
        ((pattern, part),) = schema.get("patternProperties", {"": schema.get("additionalProperties")}).items()
        is_services, is_variables = pattern == SERVICES, "A-Z" in pattern
        # A key that a service has beside serviceDefaults would be two as markers, and one as the word.
        self.more_keys = self.more_keys and not is_services
        result = {key: self.within(part, item) for key, item in value.items()}
        items = [item for item in result.values() if item is not None]
        wanted = items and self.word not in value and self.variables >= is_variables and (self.more_keys or is_services)
        if wanted and (name := self.marker({"pattern": pattern, "maxLength": 63})):
            # Of what must stand once only, the new one has another, or none.
            once = {"path": f"/more/{len(self.stands_for)}", "public": False}
            new = items[0]
            result[name] = {**new, **{key: once[key] for key in once if key in new}} if isinstance(new, dict) else new
        self.more_keys = self.more_keys or is_services
        return result


def put(thing: Any, words: dict[str, str]) -> Any:
    """Return the thing with words in the markers' place in all its strings, keys too."""
    if isinstance(thing, dict):
        return {put(key, words): put(part, words) for key, part in thing.items()}
    if isinstance(thing, list):
        return [put(part, words) for part in thing]
    return re.sub(r"mark\d+x", lambda found: words[found[0]], thing) if isinstance(thing, str) else thing


def rendered(values: dict[str, Any]) -> list[Any]:
    """Return the objects, with JSON inside strings read, so that its escapes do not count."""
    return json.loads(rendered_json(json.dumps(values)))


@functools.cache
def rendered_json(values: str) -> str:
    done = template(any_helm(), None, json.loads(values))
    assert done.returncode == 0, done.stderr
    return json.dumps([read(each) for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each])


def read(thing: Any) -> Any:
    if isinstance(thing, dict):
        return {key: read(part) for key, part in thing.items()}
    if isinstance(thing, list):
        return [read(part) for part in thing]
    return json.loads(thing) if isinstance(thing, str) and thing.startswith('[{"') else thing


def unordered(thing: Any) -> Any:
    """Return the thing with its lists as sets: names give an order, and two paths are one as the word, which is asked once."""
    if isinstance(thing, dict):
        return {key: unordered(part) for key, part in thing.items()}
    if isinstance(thing, list):
        return {json.dumps(unordered(part), sort_keys=True, default=sorted) for part in thing}
    return thing


@pytest.mark.parametrize("word", WORDS)
def test_a_string_that_yaml_reads_as_something_else_stays_the_string(word: str) -> None:
    check(word, variables=True)


@pytest.mark.parametrize("word", VARIABLES)
def test_the_name_of_a_variable_from_a_secret_stays_the_string(word: str) -> None:
    check(word, variables=False)


def check(word: str, *, variables: bool) -> None:
    markers = Markers(word, variables=variables)
    values = markers.within(SCHEMA, EVERYTHING)
    assert markers.stands_for
    expected = put(rendered(values), markers.stands_for)
    assert unordered(rendered(put(values, markers.stands_for))) == unordered(expected)


def test_the_words_reach_every_string_that_is_open() -> None:
    """No string of the schema is so narrow that only its own test value fits, but for those that are no free text."""

    def closed(schema: Any, path: str) -> Iterator[str]:
        if isinstance(schema, dict):
            text = "string" in schema.get("type", ()) and not any(accepts(schema, word) for word in WORDS)
            if text:
                yield path
            for key, part in schema.items():
                yield from closed(part, f"{path}/{key}")

    narrow = {path.rsplit("/", 1)[1] for path in closed(SCHEMA, "")}
    assert narrow == {"bytes", "duration", "cidr", "digest", "pem"}


@pytest.mark.parametrize("word", ["null", "1e3", "0x1f", "012", "1.5", "12"])
def test_names_from_the_command_line_stay_strings_too(word: str) -> None:
    for release, namespace in ((word, NAMESPACE), (RELEASE, word.replace(".", "-"))):
        done = template(any_helm(), ALL, {"fullnameOverride": ""}, "--namespace", namespace, release=release)
        assert done.returncode == 0, done.stderr
        for thing in yaml.load_all(done.stdout, yaml.CSafeLoader):
            assert all(isinstance(text, str) for text in thing["metadata"]["labels"].values()), thing["metadata"]
            assert isinstance(thing["metadata"]["name"], str)
            if thing["kind"] == "ServiceMonitor":
                assert thing["spec"]["namespaceSelector"] == {"matchNames": [namespace]}
