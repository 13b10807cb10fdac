"""Whether requests take long between two services: by their logs the caller waits, and who is called has answered long ago."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from scripts.config.services import Service
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.logs.line import LogLine
from scripts.traffic.failed_requests import STILL_SECONDS, Request, age, by_route

LOST_SECONDS = 1.0
LEAST, LEAST_SHARE = 2, 0.3
NEWEST_SECONDS = 60.0
SPREAD_SECONDS = 10.0
"""What a service has to compile or to connect when it is first asked is over by then."""
MOST_SHOWN = 3


@dataclass(frozen=True)
class Call:
    """A request, and what another service worked for it: both logged its id."""

    request: Request
    behind: tuple[Request, ...]
    """What the other was asked under this id."""

    @property
    def worked(self) -> float:
        """The seconds that the other took."""
        return sum(each.seconds or 0 for each in self.behind)

    @property
    def lost(self) -> float:
        """The seconds that it took beside that."""
        return (self.request.seconds or 0) - self.worked


def causes(lines: Sequence[LogLine], services: Mapping[str, Service], patient: str, now: datetime) -> list[Diagnosis]:
    """Return a cause for each service whose requests lately took long without the service that it calls having worked on them.

    patient: a regular expression of the routes that are slow by nature.
    """
    found = []
    for name, service in services.items():
        for other in service.calls:
            routes = calls_of(lines, name, other)
            late = {route: each for route, calls in routes.items() if not re.fullmatch(patient, route.partition(" ")[2])
                    and (each := _late(calls, now))}  # fmt: skip
            if late:
                found.append(_cause(name, other, *max(late.items(), key=lambda item: len(item[1]))))
    return found


def calls_of(lines: Sequence[LogLine], caller: str, called: str) -> dict[str, list[Call]]:
    """Return the caller's requests by their routes, those of which the other has logged something."""
    behind: dict[str, list[Request]] = {}
    for each in _timed(lines, called):
        behind.setdefault(each.id, []).append(each)
    routes: dict[str, list[Call]] = {}
    for each in _timed(lines, caller):
        if each.id in behind:
            routes.setdefault(each.route, []).append(Call(each, tuple(behind[each.id])))
    return routes


def _timed(lines: Sequence[LogLine], service: str) -> Iterator[Request]:
    for asked in by_route((line for line in lines if line.service == service), ()).values():
        yield from (each for each in asked if each.id and each.seconds is not None)


def _late(calls: Sequence[Call], now: datetime) -> list[Call]:
    """Those that lost long: several, over some time and of late, and many of all. Nothing where that is not so.

    Not most: where large answers alone are lost, small ones of the same route are well, those to `diagnose` among them.
    """
    recent = [each for each in calls if age(each.request.time, now) < STILL_SECONDS]
    late = [each for each in recent if each.lost >= LOST_SECONDS]
    if len(late) < LEAST or LEAST_SHARE * len(recent) > len(late) or age(late[-1].request.time, now) > NEWEST_SECONDS:
        return []
    lasted = age(late[0].request.time, now) - age(late[-1].request.time, now)
    return late if lasted >= SPREAD_SECONDS else []


def _cause(name: str, other: str, route: str, late: Sequence[Call]) -> Diagnosis:
    took, worked = (median(of) for of in ([each.request.seconds or 0 for each in late], [each.worked for each in late]))
    evidence = [
        f"request {each.request.id} took {name} {each.request.seconds:.1f} s, and {other} {each.worked:.2f} s of them"
        for each in late[-MOST_SHOWN:]
    ]
    return Diagnosis(
        "requests-slow",
        name,
        f"{name}: {route} is slow: {took:.1f} s, of which {other} works {worked:.1f} s (median of {len(late)} requests)",
        tuple(evidence),
        f"see whether {name} has the CPU that it needs: invoke status; else what lies between it and {other} is slow or loses packets: "
        "where small answers pass and large ones do not, the way takes smaller packets (MTU) than the pods' interfaces",
    )
