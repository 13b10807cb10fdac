"""`.env` as people have it: refused with the key or the line, and never with a value; and every kind of file in its place."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import yaml

from scripts.config import env_file, env_generation, text_file
from scripts.config.formats import LONGEST_STRING
from scripts.config.settings import EnvKey, load_settings
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.core.redaction import redact

pytestmark = pytest.mark.unit

REPORTED = yaml.safe_load((ROOT / "tests/reports/env_files.yaml").read_text())
RIGHT = "# ours\nPOSTGRES_PASSWORD=hunter2-pg\nGRAFANA_ADMIN_PASSWORD=hunter2-gf\n"
KEYS = load_settings().env


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def longest_token(more: int = 0) -> str:
    """A token that fills up the environment's longest string, or so many bytes more (test_machines.py shows that it does)."""
    return ("ab" * LONGEST_STRING)[: LONGEST_STRING - len("API_TOKEN=") - 1 + more]


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as error:
        env_file.read(path, KEYS)
    return str(error.value)


@pytest.mark.parametrize("row", REPORTED["refused"], ids=lambda row: row["text"].replace("\n", "\\n"))
def test_it_is_refused_without_its_value(row: dict[str, str], tmp_path: Path) -> None:
    told = refusal(write(tmp_path / ".env", RIGHT + row["text"] + "\n"))
    assert row["says"] in told
    assert "marked" not in told.lower()


@pytest.mark.parametrize("text", REPORTED["taken"])
def test_it_is_taken(text: str, tmp_path: Path) -> None:
    assert env_file.read(write(tmp_path / ".env", RIGHT + text + "\n"), KEYS).warnings == ()


def test_a_password_has_one_line(tmp_path: Path) -> None:
    told = refusal(write(tmp_path / ".env", RIGHT.replace("hunter2-pg", '"hunter2\\nmarked"')))
    assert "POSTGRES_PASSWORD contains a line break or another control character (character 8)" in told
    assert "marked" not in told


@pytest.mark.parametrize(("longer", "taken"), [(0, True), (1, False)])
def test_a_value_ends_where_the_environment_of_a_process_does(tmp_path: Path, longer: int, taken: bool) -> None:
    path = write(tmp_path / ".env", f"{RIGHT}API_TOKEN={longest_token(longer)}\n")
    if taken:
        assert env_file.read(path, KEYS).get("API_TOKEN") == longest_token(longer)
    else:
        assert "API_TOKEN is 128 KiB long: no process can start with more than 128 KiB" in refusal(path)


def test_a_link_to_nothing_is_told_when_it_is_read_and_when_it_would_be_made(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.symlink_to("../shared/.env")
    assert ".env is a link to ../shared/.env, which does not exist" in refusal(path)
    with pytest.raises(InputError, match=r"a link to \.\./shared/\.env, which does not exist"):
        env_generation.create(path, ROOT / ".env.example", KEYS)
    assert path.is_symlink()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\0GITCRYPT\0marked", ".env is locked by git-crypt\n  -> git-crypt unlock"),
        ("$ANSIBLE_VAULT;1.1;AES256\nmarked\n", ".env is encrypted by Ansible Vault\n  -> ansible-vault decrypt .env"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nmarked\n", ".env is encrypted by age"),
        ("-----BEGIN PGP MESSAGE-----\nmarked\n", ".env is encrypted by GnuPG"),
        ("version https://git-lfs.github.com/spec/v1\noid marked\n", ".env is a pointer of Git LFS\n  -> git lfs pull"),
    ],
)
def test_what_is_not_yet_a_env_is_told_as_that(text: str, says: str, tmp_path: Path) -> None:
    assert refusal(write(tmp_path / ".env", text)).startswith(says)


def test_a_link_to_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(".env")
    assert "cannot be read: Too many levels of symbolic links" in refusal(tmp_path / ".env")


def test_a_named_pipe_that_a_password_manager_serves_is_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    os.mkfifo(path, 0o600)
    writer = threading.Thread(target=path.write_text, args=(RIGHT,))
    writer.start()
    try:
        assert env_file.read(path, KEYS).get("POSTGRES_PASSWORD") == "hunter2-pg"
    finally:
        writer.join()


def test_a_named_pipe_that_nobody_serves_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_file, "PIPE_SECONDS", 0.1)
    os.mkfifo(tmp_path / ".env", 0o600)
    assert ".env is a named pipe" in refusal(tmp_path / ".env")


def test_a_device_without_end_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("/dev/zero")
    assert "larger than 8 MiB" in refusal(tmp_path / ".env")


def test_a_file_of_somebody_else_is_told_with_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / ".env", RIGHT)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(text_file.os, "open", refuse)
    assert "cannot be read: Permission denied\n  -> chmod 600 .env" in refusal(path)
    monkeypatch.setattr(text_file.os, "geteuid", lambda: os.getuid() + 1)
    told = refusal(path)
    assert "(it belongs to root, not to you)" in told or "(it belongs to user" in told
    assert 'sudo chown "$(id -un)" .env' in told


def test_a_key_that_the_example_lacks_is_written(tmp_path: Path) -> None:
    keys = {**KEYS, "SESSION_SECRET": EnvKey(description="of the sessions", generate=True)}
    assert "SESSION_SECRET" in env_generation.create(tmp_path / ".env", ROOT / ".env.example", keys)
    assert len(env_file.read(tmp_path / ".env", keys).get("SESSION_SECRET")) == 32


@pytest.mark.parametrize(
    "example", ["export A_KEY=\n# A_KEY= is about\n", "# no final newline", "", "OTHER='A_KEY=x'\n", "\n\nA_KEY=old # was\n"]
)
def test_a_key_is_filled_in_wherever_the_example_has_it(example: str, tmp_path: Path) -> None:
    keys = {"A_KEY": EnvKey(description="a key", generate=True), "OTHER": EnvKey(description="other", optional=True)}
    env_generation.create(tmp_path / ".env", write(tmp_path / ".env.example", example), keys)
    assert len(env_file.read(tmp_path / ".env", keys).get("A_KEY")) == 32


def test_a_file_system_without_hard_links_is_good_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(env_generation.os, "link", refuse)
    env_generation.create(tmp_path / ".env", ROOT / ".env.example", KEYS)
    assert env_file.read(tmp_path / ".env", KEYS).get("POSTGRES_PASSWORD")
    write(tmp_path / ".env", "MINE=1\n")
    with pytest.raises(InputError, match="has been created in the meantime"):
        env_generation.create(tmp_path / ".env", ROOT / ".env.example", KEYS)
    assert (tmp_path / ".env").read_text() == "MINE=1\n"
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


@pytest.mark.parametrize("number", [30, 28])  # EROFS, ENOSPC
def test_a_place_that_cannot_be_written_is_told(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(env_generation.os, "open", refuse)
    monkeypatch.setattr(env_generation, "read_text", lambda *_: "")
    with pytest.raises(InputError, match=rf"\.env cannot be written: {os.strerror(number)}"):
        env_generation.create(tmp_path / ".env", ROOT / ".env.example", KEYS)
    assert not list(tmp_path.iterdir())


def test_an_example_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.env\.example does not exist\n  -> git checkout \.env\.example"):
        env_generation.create(tmp_path / ".env", tmp_path / ".env.example", KEYS)


def test_what_is_generated_is_learned_by_the_redactor(tmp_path: Path) -> None:
    env_generation.create(tmp_path / ".env", ROOT / ".env.example", KEYS)
    assert "[secret]" in redact((tmp_path / ".env").read_text())


def test_on_a_windows_drive_modes_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSL_DISTRO_NAME", "Ubuntu")
    assert env_file._on_a_windows_drive(Path("/mnt/c/Users/me/todo/.env"))
    assert not env_file._on_a_windows_drive(Path("/home/me/todo/.env"))
    monkeypatch.delenv("WSL_DISTRO_NAME")
    assert not env_file._on_a_windows_drive(Path("/mnt/c/Users/me/todo/.env"))
