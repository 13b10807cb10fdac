"""How DNS answers in a service's pod: at once, late, or now and then not at all."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scripts.core.errors import TaskError
from scripts.engines.protocol import Engine
from scripts.kubernetes.pods import PodState

TIMES = 6
LATE_SECONDS = 4.0
"""A resolver asks again after 5 s (resolv.conf(5), `timeout`); to run a program in a pod takes less."""
ONCE = ("env", "RES_OPTIONS=timeout:2 attempts:1")
"""Has glibc's resolver ask once, and not wait for 5 s twice for each domain that it searches (resolv.conf(5))."""
FOUND, NOT_FOUND = 0, 2
"""Exit codes of getent(1)."""


@dataclass(frozen=True)
class Lookups:
    """What became of some lookups of a host in a pod."""

    pod: str
    host: str
    bad: int
    """How many found nothing or were late."""
    slowest: float
    """Seconds."""

    @property
    def line(self) -> str:
        """What was seen, in a line."""
        if not self.bad:
            return f"in pod {self.pod}, DNS answers: {TIMES} lookups of {self.host}"
        bad = f"{self.bad} of {TIMES} lookups of {self.host}"
        return f"in pod {self.pod}, {bad} found nothing or were late (the slowest took {self.slowest:.0f} s)"


def lookups(engine: Engine, service: str, host: str) -> Lookups | None:
    """Look the host up some times in a running pod of the service; None where there is none, or it has no program for that."""
    pod = next((each for each in engine.pods() if each.service == service and each.state == "Running"), None)
    if pod is None:
        return None
    with ThreadPoolExecutor(max_workers=TIMES) as pool:
        tried = list(pool.map(lambda _: _look_up(engine, pod, host), range(TIMES)))
    if any(code not in (FOUND, NOT_FOUND, None) for code, _ in tried):
        return None
    bad = [seconds for code, seconds in tried if code != FOUND or seconds >= LATE_SECONDS]
    return Lookups(pod.name, host, len(bad), max(seconds for _, seconds in tried))


def _look_up(engine: Engine, pod: PodState, host: str) -> tuple[int | None, float]:
    """The exit code, none where it did not end, and the seconds that it took."""
    started = time.monotonic()
    try:
        code = engine.execute(pod, [*ONCE, "getent", "hosts", host], "").code
    except TaskError:
        return None, time.monotonic() - started
    return code, time.monotonic() - started
