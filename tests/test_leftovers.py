"""The comparison of a machine before and after the tests finds what was left, and nothing that stays on purpose."""

from __future__ import annotations

import pytest

from tests import leftovers

pytestmark = pytest.mark.unit

CLEAN = {"container": ["db of postgres:17"], "image": ["mine:1"], "rule": ["-A FORWARD -j ACCEPT"], "file": ["!! .venv/"]}


@pytest.mark.parametrize(
    ("what", "thing"),
    [
        ("container", "todo-chatbot-test-backend of todo-backend:h1"),
        ("image", "todo-backend:h1"),
        ("rule", "-A FORWARD -i todo-test0 -j ACCEPT"),
        ("file", "?? stray.txt"),
        ("file", "!! app/backend/build/"),
    ],
)
def test_what_was_left_is_named(what: str, thing: str) -> None:
    assert leftovers.left(CLEAN, {**CLEAN, what: [*CLEAN[what], thing]}) == [f"{what}: {thing}"]


@pytest.mark.parametrize(
    ("what", "thing"),
    [
        ("image", "todo-base-python:h0123456789ab"),
        ("image", "python:3.13-slim-trixie"),
        ("file", "!! app/frontend/node_modules/"),
        ("file", "!! tests/__pycache__/"),
        ("file", "!! .coverage.1"),
        ("link", "todo-test0"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_stays_on_purpose_and_what_was_not_asked_before_is_none(what: str, thing: str) -> None:
    assert leftovers.left(CLEAN, {**CLEAN, what: [*CLEAN.get(what, []), thing]}) == []


def test_what_has_gone_is_none() -> None:
    assert leftovers.left(CLEAN, {**CLEAN, "container": []}) == []


def test_lines_of_programs_are_told_apart_by_names_alone() -> None:
    assert leftovers._named("link", "7: todo-test0@if2: <BROADCAST> mtu 1500") == "todo-test0"
    assert leftovers._named("network namespace", "todo-test (id: 9)") == "todo-test"
    assert leftovers._named("rule", ":FORWARD DROP [12:3456]") == ":FORWARD DROP"
    assert leftovers._named("rule", "# Completed on Fri") == ""


def test_the_machine_can_be_asked() -> None:
    found = leftovers.seen()
    assert "folder" in found
    assert all(lines == sorted(lines) for lines in found.values())
