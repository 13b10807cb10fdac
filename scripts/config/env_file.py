"""Reads `.env`: once, in Python, as a whole, naming every problem and never a value."""

from __future__ import annotations

import io
import os
import re
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream
from pydantic import SecretStr

from scripts.core.errors import InputError, all_problems
from scripts.core.redaction import SHORTEST, redact

if TYPE_CHECKING:
    from scripts.config.settings import EnvKey

KEY = re.compile(r"[A-Z][A-Z0-9_]*")
PLACEHOLDER = re.compile(r"^(<.*>|\.\.\.|x{3,}|todo|change[-_ ]?me.*|your[-_ ].*|replace[-_ ]?(me|with).*|example)$", re.IGNORECASE)
DATABASE_SCHEMES = ("postgresql://", "postgres://")


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


def parse(text: str) -> tuple[dict[str, str], list[str]]:
    """Read the text of a `.env`; return its values and its problems, each with the line that it is on.

    Quotes, comments, `export`, empty values and multi-line quoted values mean what python-dotenv says they mean; nothing is
    interpolated, so a `$` in a password is a `$`. A byte order mark and CRLF line ends are taken as they come.
    """
    values: dict[str, str] = {}
    seen: dict[str, int] = {}
    problems: list[str] = []
    for binding in parse_stream(io.StringIO(text.removeprefix("\ufeff").replace("\r\n", "\n"))):
        line = binding.original.line + _blank_lines_before(binding.original.string)
        if binding.error:
            problems.append(f"line {line}: not a `KEY=value` line (is a quote left open?)")
        elif binding.key is None:
            continue
        elif not KEY.fullmatch(binding.key):
            problems.append(f"line {line}: `{_shown(binding.key)}` is no key: use upper-case letters, digits and _")
        elif binding.value is None:
            problems.append(f"line {line}: {binding.key} has no `=`")
        elif binding.key in seen:
            problems.append(f"line {line}: {binding.key} is set again (first on line {seen[binding.key]}); keep one")
        else:
            seen[binding.key] = line
            values[binding.key] = binding.value
    return values, problems


def _blank_lines_before(text: str) -> int:
    """The parser counts the blank lines before a binding as its own."""
    return len(text) - len(text.lstrip("\n")) if text.strip() else 0


def _shown(key: str) -> str:
    """A line without `=` in front may be a value that lost its key: show its beginning only."""
    return key if len(key) <= SHORTEST else f"{key[:SHORTEST]}…"


def check(values: Mapping[str, str], keys: Mapping[str, EnvKey]) -> list[str]:
    """Return every problem of the values against the keys that the settings declare."""
    problems = [f"{key} is not a key of this project (known: {', '.join(sorted(keys))})" for key in values if key not in keys]
    for key, rule in keys.items():
        value = values.get(key)
        if value is None and not rule.optional:
            problems.append(f"{key} is missing: {rule.description}")
        elif not value:
            if not rule.optional:
                problems.append(f"{key} is empty: {rule.description}")
        elif PLACEHOLDER.match(value.strip()):
            problems.append(f"{key} still holds a placeholder: {rule.description}")
        else:
            problems += [f"{key} {problem}" for problem in _malformed(value, rule)]
    return problems


def _malformed(value: str, rule: EnvKey) -> Iterable[str]:
    if len(value) < SHORTEST:
        yield f"is shorter than {SHORTEST} characters"
    if "\0" in value:
        yield "holds a NUL byte"
    if rule.format == "postgres_url":
        if not value.startswith(DATABASE_SCHEMES):
            yield "is not a `postgresql://user:password@host/database` URL"
        elif "@" not in value:
            yield "names no user and password before an `@`"


def read(path: Path, keys: Mapping[str, EnvKey]) -> EnvFile:
    """Read and check `path`.

    Raises InputError, with all problems at once, when the file cannot be read, does not parse, or does not fit `keys`.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path.name} does not exist", "cp .env.example .env, and fill it in (`invoke up` does it for you)") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}", f"chmod 600 {path.name}, and own it") from None
    values, problems = parse(text)
    redact.learn(*values.values())
    problems += check(values, keys)
    if problems:
        raise all_problems(path.name, problems, f"fix {path.name}; .env.example explains every key. Nothing was changed")
    return EnvFile(path, {key: SecretStr(value) for key, value in values.items()}, tuple(_open_to_others(path)))


def _open_to_others(path: Path) -> Iterable[str]:
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield f"{path.name} can be read by other users of this machine: chmod 600 {path.name}"


def create(path: Path, example: Path, keys: Mapping[str, EnvKey]) -> list[str]:
    """Write a new `.env` from the example with a strong random value for every key that can be invented; return those keys.

    The file appears whole, readable by its owner alone, or not at all; an existing one is never touched.
    """
    invented = {key: secrets.token_urlsafe(24) for key, rule in keys.items() if rule.generate}
    lines = []
    for line in example.read_text(encoding="utf-8").splitlines():
        key = line.partition("=")[0].strip()
        lines.append(f"{key}={invented[key]}" if key in invented else line)
    redact.learn(*invented.values())
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.link(temporary, path)  # fails where a .env has appeared meanwhile
    finally:
        temporary.unlink(missing_ok=True)
    return sorted(invented)
