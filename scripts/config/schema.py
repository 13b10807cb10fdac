"""The JSON schema of `invoke.yaml`, by which editors complete and check it; `scripts.dev.generated` writes it."""

from __future__ import annotations

import ast
import inspect
import json
from types import ModuleType
from typing import Any

from scripts.config import assistants, services, settings
from scripts.core.paths import ROOT

PATH = ROOT / "invoke.schema.json"


def schema() -> dict[str, Any]:
    """Return the schema of the whole file, each key with the docstring of its field."""
    made = settings.Settings.model_json_schema()
    described = {**_docstrings(services), **_docstrings(assistants), **_docstrings(settings)}
    parts = {settings.Settings.__name__: made, **made["$defs"]}
    for name, part in parts.items():
        for key, value in part["properties"].items():
            value["description"] = _docstring(name, key, described)
            if "patternProperties" in value:  # pydantic refuses keys that do not fit, and leaves that out here
                value["additionalProperties"] = False
    made["$schema"] = "http://json-schema.org/draft-07/schema#"
    made["title"] = "invoke.yaml"
    return made


def text() -> str:
    """Return the schema as it is committed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _docstring(model: str, key: str, described: dict[tuple[str, str], str]) -> str:
    """The text under the field in the model or in the one that it is made from."""
    field = key.replace("-", "_")
    for parent in getattr(settings, model, getattr(services, model, object)).__mro__:
        if (parent.__name__, field) in described:
            return described[parent.__name__, field]
    raise KeyError(f"{model}.{key} has no docstring")


def _docstrings(module: ModuleType) -> dict[tuple[str, str], str]:
    """The string that stands under each field, by class and field. Pydantic would look for them at each start."""
    classes = [part for part in ast.parse(inspect.getsource(module)).body if isinstance(part, ast.ClassDef)]
    found = {}
    for part in classes:
        for field, below in zip(part.body, part.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[part.name, name] = inspect.cleandoc(text)
    return found
