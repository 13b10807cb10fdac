"""Looks at a cluster that may be gone for a moment: an API server that restarts, a network that drops."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.shell import CommandError
from scripts.core.waiting import until

T = TypeVar("T")

BORNE_SECONDS = 60.0
PAUSE_SECONDS = 2.0
HANGS_SECONDS = 5.0
NOBODY_ANSWERS = "the cluster does not answer"
NO_ANSWER = re.compile(
    r"connection refused|was refused|connection reset|timed? ?out|timeout|deadline exceeded|did not (end|answer) within|\bEOF\b"
    r"|no route to host|network is unreachable|http2: |currently unable|service ?unavailable"
    r"|etcdserver: |leader changed|not ready|too many requests",
    re.IGNORECASE,
)
"""What kubectl says when nobody has answered. A refusal is an answer: it is not asked again."""


def look(ask: Callable[[], T], step: StepReport, *, waits: str = NOBODY_ANSWERS) -> T:
    """Return what `ask` returns; while the API server does not answer, ask again for up to a minute, and say so.

    ask: a look, or a change that may be made twice.

    waits: what it is that takes long, where it does. Raises OverdueError then, and at once a CommandError that is an answer.
    """
    started = time.monotonic()

    def borne(error: TaskError) -> bool:
        if unanswered(error):
            step.progress(f"{NOBODY_ANSWERS} for {time.monotonic() - started:.0f} s: {error.last_words}")
        return unanswered(error)

    with _telling(step, started, waits):
        # In a tuple, which is true whatever is in it.
        return until(lambda: (ask(),), seconds=BORNE_SECONDS, pause=PAUSE_SECONDS, what="the cluster to answer", tolerate=borne)[0]


@contextlib.contextmanager
def _telling(step: StepReport, started: float, waits: str) -> Iterator[None]:
    """Say, while the block runs, that it hangs: a server that stands still takes requests and answers none."""
    done = threading.Event()

    def tell() -> None:
        while not done.wait(HANGS_SECONDS):
            step.progress(f"{waits} for {time.monotonic() - started:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def unanswered(error: TaskError) -> bool:
    """Return whether a call failed since nobody answered."""
    return isinstance(error, CommandError) and bool(NO_ANSWER.search("\n".join([error.cause, *error.evidence])))
