"""Whether services get ready much more slowly than they live: then what they ask for it is slow, or the way there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

from scripts.config.service_problems import DATABASE
from scripts.config.services import called_by
from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.engines.protocol import Engine
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.service_client import ServiceClient
from scripts.traffic.asking import AT_ONCE, PROBE_SECONDS
from scripts.traffic.slow_requests import ACTIVITY

LATE_SECONDS = 0.2
"""A packet that is lost once costs this long: Linux' shortest retransmission timeout."""
FIRST_LOOKS, LOOKS = 3, 9
LEAST_LATE = 3
WAY = "where that waits for nothing, the way there is slow or loses packets: see the network between the nodes and the pods"


@dataclass(frozen=True)
class Looks:
    """What a service's two paths took, look by look, in seconds."""

    live: Sequence[float]
    ready: Sequence[float]

    @property
    def late(self) -> int:
        """How often the readiness took long; none where the liveness did, too: then the machine is busy."""
        return 0 if max(self.live) >= LATE_SECONDS else sum(seconds >= LATE_SECONDS for seconds in self.ready)


def slow(settings: Settings, engine: Engine) -> list[Diagnosis]:
    """Return a cause for each service whose readiness often takes long while its liveness does not, and that calls no other such one."""
    asked = {
        name: (live, ready)
        for name, service in settings.services.items()
        if (live := service.probe("live").get("path")) != (ready := service.probe("ready").get("path")) and live and ready
    }
    with engine.open_client() as ask, ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        looks = dict(zip(asked, pool.map(lambda name: _look(ask, name, *asked[name]), asked), strict=True))
    found = {name: each for name, each in looks.items() if each.late >= LEAST_LATE}
    roots = [name for name in found if found.keys().isdisjoint(called_by(name, settings.services))]
    return [_cause(name, *asked[name], found[name], settings.services[name].calls) for name in roots]


def _look(ask: ServiceClient, name: str, live: str, ready: str) -> Looks:
    """Look a few times, and where one was late some more."""
    pairs = _pairs(ask, name, live, ready)
    seen = [next(pairs) for _ in range(FIRST_LOOKS)]
    if any(late >= LATE_SECONDS for _, late in seen):
        seen += [next(pairs) for _ in range(LOOKS - FIRST_LOOKS)]
    return Looks([first for first, _ in seen], [second for _, second in seen])


def _pairs(ask: ServiceClient, name: str, live: str, ready: str) -> Iterator[tuple[float, float]]:
    while True:
        yield _seconds(ask, name, live), _seconds(ask, name, ready)


def _seconds(ask: ServiceClient, name: str, path: str) -> float:
    started = time.monotonic()
    with contextlib.suppress(TaskError):  # no answer at all is late, too
        ask(name, "GET", path, timeout=PROBE_SECONDS)
    return time.monotonic() - started


def _cause(name: str, live: str, ready: str, looks: Looks, calls: Sequence[str]) -> Diagnosis:
    told = f"{looks.late} of {len(looks.ready)} answers took over {LATE_SECONDS} s, and none of {live}"
    evidence = f"median {median(looks.ready):.2f} s, at most {max(looks.ready):.1f} s; {live}: at most {max(looks.live):.2f} s"
    asks = (
        f"see what the database waits for: {ACTIVITY}"
        if DATABASE in calls
        else f"see what it asks for: {', '.join(calls) or 'its database'}"
    )
    return Diagnosis("requests-slow", name, f"{name}: {ready} is slow: {told}", (evidence,), f"{asks}; {WAY}")
