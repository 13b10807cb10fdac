"""The schema for editors is the one of the settings, and says what each key is for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from scripts.config import schema
from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

TEXT = (ROOT / "invoke.yaml").read_text()
COMMITTED = json.loads(schema.PATH.read_text())
VALIDATOR = jsonschema.Draft7Validator(COMMITTED)


def test_the_committed_schema_is_current() -> None:
    assert schema.PATH.read_text() == schema.text(), "python -m scripts.dev.generated"


def test_it_is_a_schema_and_the_settings_name_and_fit_it() -> None:
    jsonschema.Draft7Validator.check_schema(COMMITTED)
    assert TEXT.splitlines()[0] == f"# yaml-language-server: $schema=./{schema.PATH.name}"
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(TEXT))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("engine: auto", "engin: auto"),
        ("engine: auto", "engine: nomad"),
        ("    port: 8000", "    port: eight"),
        ("    port: 8000", "    port: 80000"),
        ("    local_port: 8000", "    local_prot: 8000"),
        ("  POSTGRES_PASSWORD:\n", "  postgres-password:\n"),
        ("    format: token", "    format: tokn"),
        ("kubernetes_version: v1.35.1", "kubernetes_version: latest"),
    ],
)
def test_an_editor_shows_the_mistakes_that_we_refuse(old: str, new: str) -> None:
    assert old in TEXT
    assert list(VALIDATOR.iter_errors(yaml.safe_load(TEXT.replace(old, new, 1))))


def properties(part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        yield from part.get("properties", {}).items() if isinstance(part.get("properties"), dict) else ()
        for inner in part.values():
            yield from properties(inner)


def test_every_key_is_explained() -> None:
    found = list(properties(COMMITTED))
    assert len(found) > 70
    assert [name for name, value in found if len(value.get("description", "")) < 8] == []
