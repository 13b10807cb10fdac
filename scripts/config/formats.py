"""What a value of `.env` must be, by the rules of those who use it. No message holds any of the value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scripts.config import database_url, proxies
from scripts.config.kept_elsewhere import is_reference
from scripts.config.placeholders import is_placeholder, is_shell, placeholder_in_url, variable_in
from scripts.core.redaction import SHORTEST

if TYPE_CHECKING:
    from scripts.config.settings import EnvKey

LONGEST_STRING = 128 * 1024
"""Bytes of one `KEY=value` of a process's environment, with the NUL that ends it (Linux: MAX_ARG_STRLEN)."""

_UNFILLED = "contains a shell command or variable, and nothing here expands it: write the value itself"


def problems(key: str, value: str, rule: EnvKey) -> list[str]:
    """Return what is wrong with the value of `key`, each as the end of a sentence that begins with the key."""
    if is_shell(value):
        return [_UNFILLED]
    if is_reference(value):
        return ["refers to a value kept elsewhere, or is encrypted, and nothing here fetches or decrypts it: write the value itself"]
    if rule.format == "postgres_url":
        part = placeholder_in_url(value)
        if part:
            return [f"still contains a placeholder for {part}: {rule.description}"]
    elif is_placeholder(value, key):
        return [f"still contains a placeholder: {rule.description}"]
    proxy = proxies.problems(value) if key in proxies.NAMES else ()
    return [*_size(key, value), *_FORMATS[rule.format](value), *proxy]


def _size(key: str, value: str) -> Iterator[str]:
    if len(value) < SHORTEST:
        yield f"is shorter than {SHORTEST} characters"
    size = len(f"{key}={value}".encode()) + 1
    if size > LONGEST_STRING:
        yield f"is {size / 1024:.0f} KiB long: no process can start with more than 128 KiB in one variable"


def _text(value: str) -> Iterator[str]:
    if "\0" in value:
        yield "contains a NUL character"


def _line(value: str) -> Iterator[str]:
    wrong = re.search(r"[\x00-\x1f\x7f]", value)
    if wrong:
        yield f"contains a line break or another control character (character {wrong.start() + 1}): write it on one line"


def _token(value: str) -> Iterator[str]:
    wrong = re.search(r"[^\x21-\x7e]", value)
    if wrong:
        yield (
            f"contains a space, a line break or a non-ASCII character (character {wrong.start() + 1}), which no HTTP header can carry: "
            "`openssl rand -hex 16` makes one that works"
        )


def _login(value: str) -> Iterator[str]:
    yield from _line(value)
    user, colon, password = value.partition(":")
    if not (user and colon and password):
        yield "is not user:password"
    elif is_shell(password):
        yield _UNFILLED


def _postgres_url(value: str) -> Iterator[str]:
    if variable_in(value):
        yield "contains a variable such as ${NAME}, and nothing here expands it: write the value itself"
        return
    try:
        url = database_url.parse(value)
    except database_url.DatabaseUrlError as error:
        yield str(error)
        return
    if not url.user or not url.password:
        yield f"has no {'password' if url.user else 'user and password'} before an `@`, as in {database_url.SHAPE}"


_FORMATS = {"text": _text, "line": _line, "token": _token, "login": _login, "postgres_url": _postgres_url}
