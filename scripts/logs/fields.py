"""What a log line says, whoever wrote it: JSON's fields, the level, whether only a probe asked. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Any

TIMES = ("time", "timestamp", "ts", "@timestamp", "datetime")
LEVELS = ("level", "severity", "lvl", "levelname", "log.level")
MESSAGES = ("message", "msg", "event")
PATHS = ("path", "handler", "url", "uri", "route", "target", "request")
REASONS = ("reason", "error", "err", "exception", "exc_info", "stack", "detail")
EXCEPTION = re.compile(r"^\s*(?:\w+[.:])*\w*(?:Error|Exception)\b.*")
SAYS_ERROR = re.compile(r"\b(?:error|panic|failed|cannot)\b", re.IGNORECASE)
NAMES = {"warning": "warn", "err": "error", "critical": "fatal", "panic": "fatal", "log": "info", "notice": "info", "trace": "debug"}
WORDS = frozenset(("debug", "info", "warn", "error", "fatal"))
NUMBERS = ((60, "fatal"), (50, "error"), (40, "warn"), (30, "info"), (0, "debug"))
"""Levels that are numbers, as pino and bunyan write them."""
IN_TEXT = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|LOG|WARN|WARNING|ERROR|ERR|CRITICAL|FATAL|PANIC)\b")
ACCESS = re.compile(r'"(?P<method>[A-Z]{3,7}) (?P<path>/[^\s"?]*)\S* HTTP(?:/[\d.]+"? (?P<status>\d{3})\b)?')
"""As Apache, nginx, uvicorn and gunicorn write a request."""


def fields_of(text: str) -> dict[str, Any] | None:
    """Return what a line of JSON says; None where it is none."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def is_of_a_probe(text: str, paths: Collection[str]) -> bool:
    """Return whether a line only says that one of these paths was asked for."""
    fields = fields_of(text)
    if fields is None:
        match = ACCESS.search(text)
        return match is not None and match["method"] in ("GET", "HEAD") and match["path"] in paths
    asked = (str(fields[key]).partition("?")[0] for key in PATHS if key in fields)
    return any(path in paths for path in asked)


def level_of(text: str) -> str:
    """Return a line's level in one of five words; empty where it says none."""
    fields = fields_of(text)
    if fields is None:
        match = IN_TEXT.search(text[:80])
        said: Any = match[1] if match else ""
    else:
        said = next((fields[key] for key in LEVELS if key in fields), "")
    if isinstance(said, int | float):
        return next(name for least, name in NUMBERS if said >= least)
    word = str(said).lower()
    found = NAMES.get(word, word)
    return found if found in WORDS else ""


def telling(log: Sequence[str]) -> str:
    """Return the line that says most of why a program ended: the last that is fatal, else that names an exception, else an error."""
    fatal, errors = ([line for line in log if level_of(line) == level] for level in ("fatal", "error"))
    named, said = ([line for line in log if pattern.search(line)] for pattern in (EXCEPTION, SAYS_ERROR))
    return (fatal or named or errors or said or log)[-1]


def words(text: str) -> str:
    """Return a line as evidence: of JSON its message, and why; any other as it is."""
    fields = fields_of(text) or {}
    said = [str(fields[key]) for key in MESSAGES if key in fields][:1]
    said += [_reason(fields[key]) for key in REASONS if isinstance(fields.get(key), str)]
    return ": ".join(filter(None, said)) or text.strip()


def _reason(text: str) -> str:
    """What a traceback or a stack comes down to: the last line that names an exception, or the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if EXCEPTION.match(line)]
    return (named or lines or [""])[-1]
