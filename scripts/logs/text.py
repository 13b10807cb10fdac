"""A log line as a person reads it: JSON becomes words, its level a colour. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from scripts.logs.fields import LEVELS, MESSAGES, TIMES, fields_of, level_of
from scripts.logs.line import LogLine

STYLES = {"debug": "dim", "info": "green", "warn": "yellow", "error": "red", "fatal": "bold red"}
COLOURS = ("cyan", "magenta", "blue", "bright_yellow", "bright_green", "bright_magenta")


def shown(line: LogLine, width: int, colours: Mapping[str, str]) -> Text:
    """Return a line with its time, who wrote it, its level and its words.

    width: of the column of who wrote it. colours: by service.
    """
    head = Text.assemble((clock(line.time), "dim"), " ", (f"{who(line):<{width}}", colours.get(line.service, "")), " ")
    return head.append_text(said(line.text))


def said(text: str) -> Text:
    """Return what a line says: of JSON its level, its message and its other fields; any other as it is."""
    level = level_of(text)
    style = STYLES.get(level, "")
    fields = fields_of(text)
    if fields is None:
        return Text(text, style=style if level in ("error", "fatal", "warn") else "")
    message = next((str(fields[key]) for key in MESSAGES if key in fields), "")
    head = Text()
    head.append(f"{level or '-':<5} ", style=style).append(message, style=style if level in ("error", "fatal") else "")
    others = {key: value for key, value in fields.items() if key not in (*TIMES, *LEVELS, *MESSAGES)}
    for key, value in others.items():
        if not (isinstance(value, str) and "\n" in value):
            head.append(f" {key}=", style="dim").append(_value(value))
    for key, value in others.items():
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
