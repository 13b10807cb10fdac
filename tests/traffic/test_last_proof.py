"""A smoke test that failed is remembered until one passes, of the app that it was of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.core.redaction import redact
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.traffic import last_proof

pytestmark = pytest.mark.unit


def project(context: str = "one") -> Any:
    deployment = SimpleNamespace(cluster=SimpleNamespace(context=context)) if context else None
    return SimpleNamespace(settings=load_settings(), engine=SimpleNamespace(deployment=deployment))


def told(app: Any) -> list[Diagnosis]:
    return last_proof.told(app.settings, app.engine)


def failed(app: Any, error: TaskError) -> None:
    last_proof.failed(app.settings, app.engine, error)


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(last_proof, "PATH", tmp_path / "state" / "last-proof.json")


def test_a_failure_is_told_until_a_test_passes() -> None:
    assert told(project()) == []
    failed(project(), TaskError("the todo was marked done, and the list does not say so", code="smoke-failed"))
    (cause,) = told(project())
    assert (cause.code, cause.workload) == ("proof-failed", "todo-chatbot")
    assert cause.cause.endswith("and none has passed since: the todo was marked done, and the list does not say so")
    assert cause.action.startswith("invoke smoke")
    last_proof.forget()
    assert told(project()) == []


def test_a_failure_elsewhere_says_nothing_of_this_app() -> None:
    failed(project("one"), TaskError("no", code="smoke-failed"))
    assert told(project("two")) == told(project("")) == []


def test_a_secret_in_a_failure_is_not_written_down() -> None:
    redact.learn("s3cret-value")
    failed(project(), TaskError("it said s3cret-value", code="smoke-failed"))
    assert "s3cret-value" not in last_proof.PATH.read_text()
    assert "[secret]" in told(project())[0].cause


@pytest.mark.parametrize("content", ["", "{", "[]", '{"app": "one"}'])
def test_a_broken_memory_is_none(content: str) -> None:
    last_proof.PATH.parent.mkdir()
    last_proof.PATH.write_text(content)
    assert told(project()) == []
