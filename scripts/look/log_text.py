"""A log line as a person reads it: JSON becomes words, its level a colour; what only probes have asked is known as that. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from scripts.core.log_line import LogLine

TIMES = ("time", "timestamp", "ts", "@timestamp", "datetime")
LEVELS = ("level", "severity", "lvl", "levelname", "log.level")
MESSAGES = ("message", "msg", "event")
PATHS = ("path", "handler", "url", "uri", "route", "target", "request")
NAMES = {"warning": "warn", "err": "error", "critical": "fatal", "panic": "fatal", "log": "info", "notice": "info", "trace": "debug"}
STYLES = {"debug": "dim", "info": "green", "warn": "yellow", "error": "red", "fatal": "bold red"}
NUMBERS = ((60, "fatal"), (50, "error"), (40, "warn"), (30, "info"), (0, "debug"))
"""Levels that are numbers, as pino and bunyan write them."""
IN_TEXT = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|LOG|WARN|WARNING|ERROR|ERR|CRITICAL|FATAL|PANIC)\b")
ACCESS = re.compile(r'"(?:GET|HEAD) (?P<path>/[^\s?"]*)\S* HTTP')
COLOURS = ("cyan", "magenta", "blue", "bright_yellow", "bright_green", "bright_magenta")


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
        return match is not None and match["path"] in paths
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
    return found if found in STYLES else ""


def shown(line: LogLine, width: int, colours: Mapping[str, str]) -> Text:
    """Return a line with its time, who wrote it, its level and its words.

    width: of the column of who wrote it. colours: by service.
    """
    level = level_of(line.text)
    style = STYLES.get(level, "")
    head = Text.assemble((clock(line.time), "dim"), " ", (f"{who(line):<{width}}", colours.get(line.service, "")), " ")
    fields = fields_of(line.text)
    if fields is None:
        return head.append(line.text, style=style if level in ("error", "fatal", "warn") else "")
    message = next((str(fields[key]) for key in MESSAGES if key in fields), "")
    head.append(f"{level or '-':<5} ", style=style).append(message, style=style if level in ("error", "fatal") else "")
    told = {key: value for key, value in fields.items() if key not in (*TIMES, *LEVELS, *MESSAGES)}
    for key, value in told.items():
        if not (isinstance(value, str) and "\n" in value):
            head.append(f" {key}=", style="dim").append(_value(value))
    for key, value in told.items():
        if isinstance(value, str) and "\n" in value:
            head.append(f"\n  {key}:\n", style="dim").append("\n".join(f"    {each}" for each in value.rstrip().splitlines()))
    return head


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if " " in text and isinstance(value, str) else text


def who(line: LogLine) -> str:
    """Return who wrote a line: the service, and what tells its pod and container from others."""
    _, _, tail = line.pod.rpartition("-")
    own = f"{line.service}/{tail}" if tail != line.service else line.service
    return own if line.container in (line.service, line.pod) else f"{own}/{line.container}"


def clock(time: str) -> str:
    """Return a time of RFC 3339 as this machine's clock shows it."""
    try:
        return f"{datetime.fromisoformat(time[:19] + '+00:00').astimezone():%H:%M:%S}"
    except ValueError:
        return time[:8]
