"""Writes random values into `.env`: a new file, what an existing one lacks, or another value for a key."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream
from pydantic import SecretStr

from scripts.config.env_file import EnvFile, check, parse
from scripts.config.kept_elsewhere import in_place_of
from scripts.config.text_file import read_text
from scripts.core.errors import InputError
from scripts.core.redaction import redact

if TYPE_CHECKING:
    from scripts.config.settings import EnvKey

VALUE = re.compile(
    r"""(\s*(?:export\s+)?\w+[^\S\r\n]*=[^\S\r\n]*)(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|[^\r\n]*?)((?:[^\S\r\n]+\#[^\r\n]*)?\s*)"""
)
"""A line of one key: what stands before its value, and after it."""
OWNERS = 0o600


def create(path: Path, example: Path, keys: Mapping[str, EnvKey]) -> list[str]:
    """Write a new `.env` from the example with a strong random value for every key that can be generated; return those keys.

    The file appears whole, readable by its owner alone, or not at all; an existing one is never touched. Raises InputError.
    """
    values = _random(key for key, rule in keys.items() if rule.generate)
    if path.is_symlink():
        raise InputError(
            f"{path.name} is a link to {path.readlink()}, which does not exist",
            f"make that file, or rm {path.name}",
            code="env-file-not-created",
        )
    with _written_beside(path, _filled_in(_example(example), values)) as temporary:
        try:
            _appear(temporary, path)
        except FileExistsError:
            raise InputError(
                f"a {path.name} has been created in the meantime", "check it, and run it again", code="env-file-not-created"
            ) from None
    return sorted(values)


def complete(path: Path, keys: Mapping[str, EnvKey]) -> list[str]:
    """Put a random value in for every key that needs one and has none, and return those keys. The rest of the file stays as it is.

    What had no secret of ours may be open to others, as a copy of the example is: it is its owner's alone from now on, unless it is a link.
    Nothing is written where something else is wrong with the file, or it is none: who reads it says so. Raises InputError.
    """
    if found := lacking(path, keys):
        _rewrite(path, _random(found), mode=None if path.is_symlink() else OWNERS)
    return found


def supposed(path: Path, example: Path, keys: Mapping[str, EnvKey]) -> EnvFile | None:
    """Return what `create` or `complete` would make of `path`, with other random values, and write nothing; None where it stays as it is.

    Raises InputError.
    """
    there = os.path.lexists(path)
    new = lacking(path, keys) if there else [key for key, rule in keys.items() if rule.generate]
    if there and not new:
        return None
    text = read_text(path, _gone(path)) if there else _example(example)
    values = parse(_filled_in(text, _random(new)), keys).values
    return EnvFile(path, {key: SecretStr(value) for key, value in values.items()})


def lacking(path: Path, keys: Mapping[str, EnvKey]) -> list[str]:
    """Return the keys that must have a value, can be generated and have none; none where that is not all that is wrong."""
    if not path.is_file():  # a pipe is read once
        return []
    text = read_text(path, _gone(path))
    parsed = parse(text, keys)
    redact.learn(*parsed.values.values())
    found = [key for key, rule in keys.items() if rule.generate and not rule.optional and not parsed.values.get(key)]
    others = {key: rule for key, rule in keys.items() if key not in found}
    known = {key: value for key, value in parsed.values.items() if key not in found}
    wrong = in_place_of(text) or parsed.problems or check(dataclasses.replace(parsed, values=known), others)
    return [] if wrong else sorted(found)


def _gone(path: Path) -> InputError:
    return InputError(f"{path.name} does not exist", "run it again", code="env-file-missing")


def replace_value(path: Path, key: str) -> str:
    """Put a new random value for the key into the file, which is read and checked, and return it. The rest stays as it is.

    The file is written whole or not at all, with its mode; a link leads to what is written. Raises InputError.
    """
    value = _random([key])
    _rewrite(path, value)
    return value[key]


def _rewrite(path: Path, new: Mapping[str, str], mode: int | None = None) -> None:
    """Put the values into the file, whole or not at all; without a mode it keeps its own."""
    target = path.resolve()
    if not target.is_file():
        raise InputError(
            f"{path.name} is not a writable file",
            f"change {', '.join(new)} where {path.name} comes from, then invoke up",
            code="env-file-not-created",
        )
    text = _filled_in(read_text(target, _gone(path)), new)
    with _written_beside(target, text, mode=mode or stat.S_IMODE(target.stat().st_mode)) as temporary:
        temporary.replace(target)


def _random(keys: Iterable[str]) -> dict[str, str]:
    values = {key: secrets.token_urlsafe(24) for key in keys}
    redact.learn(*values.values())
    return values


def _example(path: Path) -> str:
    return read_text(path, InputError(f"{path.name} does not exist", f"git checkout {path.name}", code="env-file-missing"))


def _filled_in(old: str, new: Mapping[str, str]) -> str:
    """Put the values in where the text has their keys, and at its end where it has not; what else is on their lines stays."""
    text, rest = "", dict(new)
    for binding in parse_stream(io.StringIO(old)):
        line = binding.original.string
        if binding.key in rest:
            around = VALUE.fullmatch(line)
            before, after = around.groups() if around else (f"{binding.key}=", "\n")
            line = before + rest.pop(binding.key) + (after or "\n")
        text += line
    if rest and text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"{key}={value}\n" for key, value in rest.items())


@contextlib.contextmanager
def _written_beside(path: Path, text: str, mode: int = OWNERS) -> Iterator[Path]:
    """Write the text into a file beside the path, which the caller renames; otherwise it is removed afterwards. Raises InputError."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        _write_own(temporary, text, mode)
        yield temporary
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be written: {error.strerror}", f"make {path.parent} writable for your user", code="env-file-not-created"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _write_own(path: Path, text: str, mode: int) -> None:
    path.unlink(missing_ok=True)  # left behind by a run that was killed, whose process had our number
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        os.fchmod(descriptor, mode)
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _appear(temporary: Path, path: Path) -> None:
    """Give the file its name. Raises FileExistsError where something has that name."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: FAT, many network and FUSE mounts
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        temporary.rename(path)
