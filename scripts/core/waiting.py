"""The one way to wait for something that other programs bring about: look, pause, look again, for so long and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from scripts.core import shell
from scripts.core.errors import TaskError

Answer = TypeVar("Answer")


class OverdueError(TaskError):
    """What was waited for has not come in time. A caller that knows more catches it and says that instead."""

    code = "timed-out"


def until(
    ask: Callable[[], Answer | None],
    *,
    seconds: float,
    pause: float,
    what: str,
    tolerate: Callable[[TaskError], bool] = lambda _: False,
) -> Answer:
    """Ask until there is an answer that is true, and return it. The first look is at once, the last one when the time is over.

    seconds: how long to wait; `math.inf` waits forever.
    pause: seconds between two looks.
    what: what is waited for, as the error says it: "waited 60 s for WHAT".
    tolerate: says of a look that failed whether it counts as "not yet". Without it, the first failure is raised.

    Raises OverdueError when the time is over, with the last failure as evidence; InterruptedRunError when the run is being stopped.

    Example:
        until(docker_answers, seconds=60, pause=0.5, what="the Docker daemon to answer")

        def ready() -> Pod | None:
            pod = cluster.get("pod", name)  # fails while the API server restarts
            step.progress(pod.state)
            return pod if pod.ready else None

        pod = until(ready, seconds=300, pause=1, what=f"{name} to become ready", tolerate=unanswered)

    """
    ends = time.monotonic() + seconds
    while True:
        failure: TaskError | None = None
        try:
            if answer := ask():
                return answer
        except TaskError as error:
            if not tolerate(error):
                raise
            failure = error
        left = ends - time.monotonic()
        if left <= 0:
            evidence = (failure.cause, *failure.evidence) if failure else ()
            raise OverdueError(f"waited {seconds:g} s for {what}", "", evidence)
        shell.pause(min(pause, left))
