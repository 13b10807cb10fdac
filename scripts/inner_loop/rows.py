"""What the page shows of each service: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import NOTHING, Amounts
from scripts.logs.text import COLOURS

POD_WIDTH = 6
"""Of what tells a service's pods from each other in the log."""


@dataclass(frozen=True)
class Row:
    """A service as the page shows it."""

    service: str
    state: str
    image: str
    restarts: str
    last: str
    cpu: str
    """Use against the limit, over all its pods, as for `memory`. Empty where nothing is known."""
    memory: str


def rows(services: Sequence[str], pods: Sequence[PodState], last: Mapping[str, str], usage: Mapping[str, Amounts]) -> list[Row]:
    """Return a row for each service, and for what else runs.

    last: what the newest change of a service has come to. usage: what each pod uses, by its name.
    """
    others = sorted({pod.service for pod in pods} - {*services, ""})
    return [_row(name, [pod for pod in pods if pod.service == name], last.get(name, ""), usage) for name in (*services, *others)]


def _row(name: str, pods: Sequence[PodState], last: str, usage: Mapping[str, Amounts]) -> Row:
    states = [pod.state.lower() if pod.ready else f"{pod.state.lower()}, not ready" for pod in pods]
    images = dict.fromkeys(pod.image.rpartition(":")[2] for pod in pods)
    used = sum((usage.get(pod.name, NOTHING) for pod in pods), NOTHING)
    cpu, memory = used.of(sum((pod.limits for pod in pods), NOTHING))
    state = " + ".join(dict.fromkeys(states)) or "none"
    return Row(name, state, " + ".join(images), str(sum(pod.restarts for pod in pods)), last, cpu, memory)


def colours(services: Iterable[str]) -> dict[str, str]:
    """Return a colour for each service."""
    return {name: COLOURS[position % len(COLOURS)] for position, name in enumerate(services)}


def matches(wanted: str, line: str) -> bool:
    """Return whether a line has each word of a filter, whatever their case."""
    return all(word in line.lower() for word in wanted.lower().split())
