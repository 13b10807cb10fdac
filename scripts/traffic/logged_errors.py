"""Services that log errors while their requests go well: what they do on the side fails, such as asking somebody else's API."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from scripts.kubernetes.diagnosis.cause import Diagnosis, one_line
from scripts.logs.fields import level_of, words
from scripts.logs.line import LogLine
from scripts.traffic.failed_requests import MINUTES, age

LEAST = 3
"""Fewer may be chance."""
STILL_SECONDS = 180.0
"""An error that is older has ended."""


def causes(lines: Sequence[LogLine], services: Iterable[str], pods: Collection[str], now: datetime | None = None) -> Iterator[Diagnosis]:
    """Yield a cause for each service that has logged errors again and again of late, with what the newest says.

    pods: those that run; what others logged has ended with them.
    """
    for service in services:
        errors = [line for line in lines if line.service == service and line.pod in pods and level_of(line.text) in ("error", "fatal")]
        if len(errors) < LEAST or age(errors[-1].time, now or datetime.now(UTC)) > STILL_SECONDS:
            continue
        yield Diagnosis(
            "errors-logged",
            service,
            f"{service}: it logs errors, though its requests are answered: {one_line(words(errors[-1].text))}",
            (f"{len(errors)} errors in the last {MINUTES} min, the last at {errors[-1].time[11:19]} UTC",),
            f"invoke logs {service} --since {MINUTES}m --grep error",
        )
