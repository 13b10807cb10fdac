"""What the page shows of each service: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.kubernetes.pods import PodState

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red", "bright_cyan", "bright_magenta")


@dataclass(frozen=True)
class Row:
    """A service as the page shows it."""

    service: str
    state: str
    image: str
    restarts: str
    last: str


def rows(services: Sequence[str], pods: Sequence[PodState], last: Mapping[str, str]) -> list[Row]:
    """Return a row for each service, and for what else runs. last: what the newest change of a service has come to."""
    others = sorted({pod.service for pod in pods} - {*services, ""})
    return [_row(name, [pod for pod in pods if pod.service == name], last.get(name, "")) for name in (*services, *others)]


def _row(name: str, pods: Sequence[PodState], last: str) -> Row:
    states = [pod.state.lower() if pod.ready else f"{pod.state.lower()}, not ready" for pod in pods]
    images = dict.fromkeys(pod.image.rpartition(":")[2] for pod in pods)
    return Row(name, " + ".join(dict.fromkeys(states)) or "none", " + ".join(images), str(sum(pod.restarts for pod in pods)), last)


def colours(services: Sequence[str]) -> dict[str, str]:
    """Return a colour for each service."""
    return {name: COLOURS[position % len(COLOURS)] for position, name in enumerate(services)}


def matches(wanted: str, service: str, line: str) -> bool:
    """Return whether a line of the log has each word of a filter, in its text or its service, whatever their case."""
    text = f"{service} {line}".lower()
    return all(word in text for word in wanted.lower().split())


def readable(line: str) -> str:
    """Return a line of a log in words: of a JSON object its level and message, and what else it says but for when.

    >>> readable('{"time": "2026-11-27T02:22:19Z", "level": "warning", "message": "slow", "seconds": 2}')
    'warning slow seconds=2'
    >>> readable("plain")
    'plain'
    """
    try:
        said = json.loads(line)
    except ValueError:
        return line
    if not isinstance(said, dict) or "message" not in said:
        return line
    level = str(said.pop("level", "")).lower()
    words = [*([level] if level not in ("", "info") else []), str(said.pop("message"))]
    return " ".join([*words, *(f"{key}={value}" for key, value in said.items() if key not in ("time", "timestamp", "logger"))])
