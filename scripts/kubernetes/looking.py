"""Looks at a cluster that may be gone for a moment: an API server that restarts, a network that drops."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

from scripts.core import shell
from scripts.core.report import StepReport
from scripts.core.shell import CommandError

T = TypeVar("T")

BORNE_SECONDS = 60.0
PAUSE_SECONDS = 2.0
NO_ANSWER = re.compile(
    r"connection refused|was refused|connection reset|timed? ?out|timeout|deadline exceeded|did not end within|\bEOF\b|no route to host"
    r"|network is unreachable|http2: |currently unable|service ?unavailable|etcdserver: |leader changed|not ready|too many requests",
    re.IGNORECASE,
)
"""What kubectl says when nobody has answered. A refusal is an answer: it is not asked again."""


def look(ask: Callable[[], T], step: StepReport, seconds: float = BORNE_SECONDS) -> T:
    """Return what `ask` returns; while the API server does not answer, ask again for up to so many seconds, and say so.

    Raises the last CommandError then, and at once one that is an answer.
    """
    started = time.monotonic()
    while True:
        try:
            return ask()
        except CommandError as error:
            gone = time.monotonic() - started
            if gone > seconds or not unanswered(error):
                raise
            step.progress(f"the cluster does not answer for {gone:.0f} s: {(error.evidence or (error.cause,))[-1]}")
        shell.pause(PAUSE_SECONDS)


def unanswered(error: CommandError) -> bool:
    """Return whether a call failed since nobody answered."""
    return bool(NO_ANSWER.search("\n".join([error.cause, *error.evidence])))
