"""What is written into `.env`: a new file, what an existing one lacks, and another value for a key."""

import os
import stat
from pathlib import Path

import pytest

from scripts.config import env_file, env_generation
from scripts.config.settings import EnvKey
from scripts.core.errors import InputError

pytestmark = pytest.mark.unit

KEYS = {
    "PASSWORD": EnvKey(description="the password", generate=True),
    "URL": EnvKey(description="the database", optional=True, format="postgres_url"),
    "TOKEN": EnvKey(description="empty means open", optional=True, generate=True),
}


def test_a_new_file_has_strong_values_and_is_the_owners_alone(tmp_path: Path) -> None:
    example, path = tmp_path / ".env.example", tmp_path / ".env"
    example.write_text("# about\nPASSWORD=\nURL=\n")
    assert env_generation.create(path, example, KEYS) == ["PASSWORD", "TOKEN"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    values = env_file.read(path, KEYS)
    assert len(values.get("PASSWORD")) >= 32
    assert values.get("URL") == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == [".env", ".env.example"]


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    example, path = tmp_path / ".env.example", tmp_path / ".env"
    example.write_text("PASSWORD=\n")
    path.write_text("PASSWORD=mine\n")
    with pytest.raises(InputError, match="has been created in the meantime"):
        env_generation.create(path, example, KEYS)
    assert path.read_text() == "PASSWORD=mine\n"


@pytest.mark.parametrize(
    ("old", "around"),
    [
        ("# first\n\nexport PASSWORD='old one'  # mine\r\nURL=\n", ("# first\n\nexport PASSWORD=", "  # mine\r\nURL=\n")),
        ('PASSWORD = "two\nlines"\nNOTE="a # b"\n', ("PASSWORD = ", '\nNOTE="a # b"\n')),
        ("URL=\nPASSWORD=it's#one", ("URL=\nPASSWORD=", "\n")),
        ("\ufeffPASSWORD=old \n", ("PASSWORD=", " \n")),
        ("PASSWORD=\n", ("PASSWORD=", "\n")),
        ("NOTE=x", ("NOTE=x\nPASSWORD=", "\n")),
    ],
)
def test_a_value_is_replaced_and_all_else_in_the_file_stays(tmp_path: Path, old: str, around: tuple[str, str]) -> None:
    target, path = tmp_path / "elsewhere", tmp_path / ".env"
    target.write_bytes(old.encode())
    target.chmod(0o640)
    path.symlink_to(target)
    new = env_generation.replace_value(path, "PASSWORD")
    assert target.read_bytes().decode() == new.join(around)
    assert env_file.parse(target.read_text()).values["PASSWORD"] == new
    assert (len(new), stat.S_IMODE(target.stat().st_mode)) == (32, 0o640)
    assert sorted(each.name for each in tmp_path.iterdir()) == [".env", "elsewhere"]


def test_what_is_no_file_is_not_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(InputError, match=r"\.env is not a writable file\n  -> change PASSWORD where \.env comes from"):
        env_generation.replace_value(tmp_path / ".env", "PASSWORD")


@pytest.mark.parametrize("old", ["PASSWORD=\nTOKEN=\n", "# mine\nTOKEN=\nPASSWORD=''  # to come\n", "TOKEN=\n"])
def test_a_copied_example_gets_the_passwords_that_it_needs(tmp_path: Path, old: str) -> None:
    path = tmp_path / ".env"
    path.write_text(old)
    path.chmod(0o644)
    assert env_generation.lacking(path, KEYS) == ["PASSWORD"]
    supposed = env_generation.supposed(path, tmp_path / "none", KEYS)
    assert supposed
    assert (len(supposed.get("PASSWORD")), path.read_text()) == (32, old)
    assert env_generation.complete(path, KEYS) == ["PASSWORD"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = env_file.read(path, KEYS)
    assert (len(read.get("PASSWORD")), read.get("TOKEN")) == (32, ""), "an empty optional key means something"
    assert env_generation.complete(path, KEYS) == []
    assert env_generation.supposed(path, tmp_path / "none", KEYS) is None


@pytest.mark.parametrize("old", ["PASSWORD=\nURL=nonsense\n", "PASSWORD=\nOTHER=1\n", "PASSWORD=\nnonsense\n", "PASSWORD=mine\n"])
def test_a_file_in_which_something_else_is_wrong_is_left_to_its_reader(tmp_path: Path, old: str) -> None:
    path = tmp_path / ".env"
    path.write_text(old)
    assert env_generation.complete(path, KEYS) == []
    assert path.read_text() == old


def test_a_pipe_is_left_to_its_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    assert env_generation.complete(tmp_path / ".env", KEYS) == []
