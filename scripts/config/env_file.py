"""Reads `.env`: once, in Python, as a whole, naming every problem and never a value."""

from __future__ import annotations

import difflib
import io
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
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
    """Name a key that is not of this project, unless it may be the beginning of a value that lost its key.

    A name has a `_` or is one word; base32 and tokens have digits, and `=` fills up base64.
    """
    close = difflib.get_close_matches(key, keys, n=1)
    if close:
        return f"{key} is not a key of this project (did you mean {close[0]}?)"
    known = f"not a key of this project (known: {', '.join(sorted(keys))})"
    if "_" not in key and not (key.isalpha() and value.strip("=")):
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
