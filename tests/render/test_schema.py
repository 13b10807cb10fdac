"""The schema as an editor uses it: what it says of each key, and that this is what the comments of values.yaml say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.render.chart import CHART
from tests.render.schema import SCHEMA, comments, description, properties

pytestmark = pytest.mark.render

TEXT = (CHART / "values.yaml").read_text()


def named(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of the whole schema, in definitions, lists and maps too."""
    for key, part in schema.items():
        if key == "properties":
            for name, inner in part.items():
                yield f"{path}/{name}", inner
                yield from named(inner, f"{path}/{name}")
        elif isinstance(part, dict):
            yield from named(part, f"{path}/{key}")


def test_an_editor_finds_the_schema() -> None:
    first, _ = TEXT.split("\n", 1)
    assert first == "# yaml-language-server: $schema=values.schema.json"
    assert (CHART / first.rsplit("=", 1)[1]).is_file()


def test_every_key_is_described() -> None:
    found = list(named(SCHEMA))
    assert len(found) > 100
    assert [path for path, part in found if not description(part)] == []


def test_the_schema_says_what_the_comments_say() -> None:
    said = comments(TEXT)
    assert len(said) > 60
    described = {path: description(part) for path, part in properties(SCHEMA)}
    assert {path: described.get(path) for path in said} == {path: text[0].upper() + text[1:] for path, text in said.items()}


def test_comments_are_read_by_the_key_that_they_name() -> None:
    text = "# What it is.\n\n# a: first\n# and more.\na:\n  # b, c: both: alike\n  b: 1\n  c: 2\n  d: 3\n# Nothing named.\ne: 1\n"
    assert comments(text) == {"/a": "first and more.", "/a/b": "both: alike", "/a/c": "both: alike"}
