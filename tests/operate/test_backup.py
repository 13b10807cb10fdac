"""A backup's file is whole or not there, whatever happens to the program that writes it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.core.errors import InputError, TaskError
from scripts.core.shell import CommandLine
from scripts.operate import dump
from scripts.operate.backup import write
from tests.doubles import Step

pytestmark = pytest.mark.runner

WHOLE = f"{dump.BEGINS.decode()}\\nselect 1;\\n{dump.ENDS.decode()}\\n"


def printing(text: str, code: int = 0) -> CommandLine:
    return CommandLine([sys.executable, "-c", f"import sys; print('{text}'); sys.exit({code})"])


def test_a_whole_dump_takes_its_name_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "b.sql"
    path.write_text("the one before")
    assert write(printing(WHOLE), path, Step()).kind == "changed"
    assert dump.ENDS in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("line", [printing(WHOLE, 1), printing(WHOLE[:60])], ids=["it fails", "it breaks off"])
def test_a_dump_that_is_not_whole_leaves_what_was_there(line: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "b.sql"
    path.write_text("the one before")
    with pytest.raises(TaskError):
        write(line, path, Step())
    assert path.read_text() == "the one before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_to_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: No such file"):
        write(printing(WHOLE), tmp_path / "gone" / "b.sql", Step())
