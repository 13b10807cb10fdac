"""Reads `.env`: once, in Python, as a whole, naming every problem and never a value."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import secrets
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream
from pydantic import SecretStr

from scripts.config import formats
from scripts.config.kept_elsewhere import in_place_of
from scripts.config.text_file import read_text
from scripts.core.errors import InputError, all_problems
from scripts.core.redaction import redact

if TYPE_CHECKING:
    from scripts.config.settings import EnvKey

MERGE_MARKS = ("<<<<<<<", "=======", ">>>>>>>")
KEY = re.compile(r"[A-Z][A-Z0-9_]*")
VALUE = re.compile(
    r"""(\s*(?:export\s+)?\w+[^\S\r\n]*=[^\S\r\n]*)(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|[^\r\n]*?)((?:[^\S\r\n]+\#[^\r\n]*)?\s*)"""
)
"""A line of one key: what stands before its value, and after it."""
_MAKE = " (any strong value: openssl rand -hex 24)"


@dataclass(frozen=True)
class EnvFile:
    """The checked content of one `.env`."""

    path: Path
    values: Mapping[str, SecretStr]
    warnings: tuple[str, ...] = ()

    def get(self, key: str) -> str:
        """Return the value of `key` in clear, or an empty string. For building a Secret and nothing else."""
        value = self.values.get(key)
        return value.get_secret_value() if value else ""


@dataclass(frozen=True)
class Parsed:
    """The values in the text of a `.env`, the lines that they are on, and the problems of its other lines."""

    values: dict[str, str] = field(default_factory=dict, repr=False)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def parse(text: str, known: Collection[str] = ()) -> Parsed:
    """Read the text of a `.env`, whose project knows these keys.

    Quotes, comments, `export`, empty values and multi-line quoted values mean what python-dotenv says they mean; nothing is
    interpolated, so a `$` in a password is a `$`. A byte order mark and CRLF line ends are taken as they come.
    """
    parsed = Parsed()
    for binding in parse_stream(io.StringIO(text.removeprefix("\ufeff").replace("\r\n", "\n"))):
        line = binding.original.line + _blank_lines_before(binding.original.string)
        if binding.error:
            merge = binding.original.string.lstrip().startswith(MERGE_MARKS)
            why = "a mark of a merge that is not finished" if merge else "not a `KEY=value` line (is a quote left open?)"
            parsed.problems.append(f"line {line}: {why}")
        elif binding.key is None:
            continue
        elif binding.value is None:
            parsed.problems.append(f"line {line}: has no `=`")
        elif not KEY.fullmatch(binding.key):
            parsed.problems.append(f"line {line}: {_no_key(binding.key, known)}")
        elif binding.key in parsed.values:
            first = parsed.lines[binding.key]
            parsed.problems.append(f"line {line}: {_named(binding.key, known)} set again (first on line {first}); keep one")
        else:
            parsed.lines[binding.key] = line
            parsed.values[binding.key] = binding.value
    return parsed


def _blank_lines_before(text: str) -> int:
    """The parser counts the blank lines before a binding as its own."""
    return len(text) - len(text.lstrip("\n")) if text.strip() else 0


def _no_key(word: str, known: Collection[str]) -> str:
    """What is no key may be a value that lost its key, and is not shown."""
    if (key := "".join(filter(str.isprintable, word))) != word and key in known:
        return f"an invisible character is before or in {key}: delete the line, and write it again"
    if word.upper() in known:
        return f"write {word.upper()} in upper case"
    return "what is before the `=` is not a key: use upper-case letters, digits and _"


def _named(key: str, known: Collection[str]) -> str:
    return f"{key} is" if key in known else "a key is"


def check(parsed: Parsed, keys: Mapping[str, EnvKey]) -> list[str]:
    """Return every problem of the values against the keys that the settings declare."""
    problems = [f"line {parsed.lines[key]}: {_unknown(key, parsed.values[key], keys)}" for key in parsed.values if key not in keys]
    for key, rule in keys.items():
        value = parsed.values.get(key)
        if value:
            problems += [f"{key} {problem}" for problem in formats.problems(key, value, rule)]
        elif not rule.optional:
            problems.append(f"{key} is {'missing' if value is None else 'empty'}: {rule.description}{_MAKE if rule.generate else ''}")
    return problems


def _unknown(key: str, value: str, keys: Collection[str]) -> str:
    """Name a key that is not of this project, unless it may be the end of a value: `=` fills up base32 and base64."""
    close = difflib.get_close_matches(key, keys, n=1)
    if close:
        return f"{key} is not a key of this project (did you mean {close[0]}?)"
    known = f"not a key of this project (known: {', '.join(sorted(keys))})"
    if not (value.strip("=") or "_" in key):
        return f"what stands before the `=` is {known}"
    return f"{key} is {known}: declare it under `env` in invoke.yaml, or, a plain setting, write it into its service's `env` there"


def read(path: Path, keys: Mapping[str, EnvKey]) -> EnvFile:
    """Read and check `path`.

    Raises InputError, with all problems at once, when the file cannot be read, does not parse, or does not fit `keys`.
    """
    missing = InputError(
        f"{path.name} does not exist", "cp .env.example .env, and fill it in (`invoke up` does it for you)", code="env-file-missing"
    )
    text = read_text(path, missing)
    if instead := in_place_of(text):
        raise InputError(f"{path.name} {instead[0]}", instead[1], code="env-file-invalid")
    parsed = parse(text, keys)
    redact.learn(*parsed.values.values())
    problems = [*parsed.problems, *check(parsed, keys)]
    if problems:
        raise all_problems(
            path.name, problems, f"fix {path.name}; .env.example explains every key. Nothing was changed", code="env-file-invalid"
        )
    return EnvFile(path, {key: SecretStr(value) for key, value in parsed.values.items()}, tuple(_open_to_others(path)))


def _open_to_others(path: Path) -> Iterable[str]:
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        remedy = (
            "move the checkout from the Windows drive into WSL's own file system" if _on_a_windows_drive(path) else f"chmod 600 {path.name}"
        )
        yield f"{path.name} can be read by other users of this machine: {remedy}"


def _on_a_windows_drive(path: Path) -> bool:
    """Whether WSL shows it from Windows, where modes are not kept."""
    return bool(os.environ.get("WSL_DISTRO_NAME")) and re.match(r"/mnt/[a-z]/", str(path.resolve())) is not None


def create(path: Path, example: Path, keys: Mapping[str, EnvKey]) -> list[str]:
    """Write a new `.env` from the example with a strong random value for every key that can be generated; return those keys.

    The file appears whole, readable by its owner alone, or not at all; an existing one is never touched. Raises InputError.
    """
    text, generated = _generated(example, keys)
    if path.is_symlink():
        raise InputError(
            f"{path.name} is a link to {path.readlink()}, which does not exist",
            f"make that file, or rm {path.name}",
            code="env-file-not-created",
        )
    with _written_beside(path, text) as temporary:
        try:
            _appear(temporary, path)
        except FileExistsError:
            raise InputError(
                f"a {path.name} has been created in the meantime", "check it, and run it again", code="env-file-not-created"
            ) from None
    return generated


def supposed(path: Path, example: Path, keys: Mapping[str, EnvKey]) -> EnvFile:
    """Return what `create` would write to `path`, with other random values, and write nothing. Raises InputError."""
    text, _ = _generated(example, keys)
    return EnvFile(path, {key: SecretStr(value) for key, value in parse(text, keys).values.items()}, ())


def replace_value(path: Path, key: str) -> str:
    """Put a new random value for the key into the file, which is read and checked, and return it. The rest stays as it is.

    The file is written whole or not at all, with its mode; a link leads to what is written. Raises InputError.
    """
    target = path.resolve()
    if not target.is_file():
        raise InputError(
            f"{path.name} is not a writable file",
            f"change {key} where {path.name} comes from, then invoke up",
            code="env-file-not-created",
        )
    value = secrets.token_urlsafe(24)
    redact.learn(value)
    missing = InputError(f"{path.name} does not exist", "run it again", code="env-file-missing")
    text = _filled_in(read_text(target, missing), {key: value})
    with _written_beside(target, text, mode=stat.S_IMODE(target.stat().st_mode)) as temporary:
        temporary.replace(target)
    return value


def _generated(example: Path, keys: Mapping[str, EnvKey]) -> tuple[str, list[str]]:
    """Return the example with a value for every key that is generated, and those keys."""
    generated = {key: secrets.token_urlsafe(24) for key, rule in keys.items() if rule.generate}
    redact.learn(*generated.values())
    text = read_text(example, InputError(f"{example.name} does not exist", f"git checkout {example.name}", code="env-file-missing"))
    return _filled_in(text, generated), sorted(generated)


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
def _written_beside(path: Path, text: str, mode: int = 0o600) -> Iterator[Path]:
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
