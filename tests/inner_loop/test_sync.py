"""What a container says of its files is told of the files that a person edits."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scripts.config.services import Service
from scripts.core.errors import TaskError
from scripts.core.shell import Result
from scripts.inner_loop import sync

pytestmark = pytest.mark.unit


def test_a_python_error_names_the_source_and_not_its_copy_in_the_container(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def broken(:\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    dev = {"sync": {"src": "/app/shop"}, "command": ["python"]}
    service = Service.model_validate({"context": str(tmp_path), "dev": dev})
    answer = json.dumps({"refused": ["/app/shop/app.py:1: invalid syntax", "def broken(:"]})
    engine: Any = SimpleNamespace(execute=lambda *_: Result(3, answer, "", 0.1))
    with pytest.raises(TaskError, match="api has a Python error") as caught:
        sync.bring(engine, "api", service, [cast("Any", SimpleNamespace(name="api-1"))], "{}")
    assert caught.value.evidence == (f"{tmp_path}/src/app.py:1: invalid syntax", "def broken(:")
