"""Which programs are asked for their version again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.machine import known_versions
from scripts.machine.known_versions import Version, remembered

pytestmark = pytest.mark.unit


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(known_versions, "PATH", tmp_path / "state" / "tool-versions.json")
    program = tmp_path / "helm"
    program.write_text("one")
    return program


class Asked:
    def __init__(self, version: Version | None = (1, 2, 3)) -> None:
        self.times = 0
        self.version = version

    def __call__(self) -> Version | None:
        self.times += 1
        return self.version


def test_a_program_is_asked_once_until_it_is_another(program: Path) -> None:
    asked = Asked()
    assert [remembered(str(program), asked) for _ in range(2)] == [(1, 2, 3)] * 2
    assert asked.times == 1
    os.utime(program, (1, 1))
    remembered(str(program), asked)
    program.write_text("two, longer")
    remembered(str(program), asked)
    assert asked.times == 3


def test_no_version_is_not_remembered(program: Path) -> None:
    asked = Asked(None)
    assert [remembered(str(program), asked) for _ in range(2)] == [None, None]
    assert asked.times == 2


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}', '{"PROGRAM": [1, 2]}'])
def test_a_memory_that_was_damaged_is_none(program: Path, text: str) -> None:
    known_versions.PATH.parent.mkdir()
    known_versions.PATH.write_text(text.replace("PROGRAM", str(program)))
    assert remembered(str(program), Asked()) == (1, 2, 3)


def test_a_folder_that_cannot_be_written_costs_the_memory_alone(program: Path) -> None:
    known_versions.PATH.parent.write_text("a file")
    assert remembered(str(program), Asked()) == (1, 2, 3)


def test_programs_that_are_gone_are_forgotten(program: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    remembered(str(other), Asked())
    other.unlink()
    remembered(str(program), Asked())
    assert str(other) not in known_versions.PATH.read_text()
