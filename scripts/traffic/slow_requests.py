"""Which requests take longer than a person waits gladly, by the services' own logs: every answer may be right, and the app unusable."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median

from scripts.config.service_problems import DATABASE
from scripts.config.services import Service, called_by
from scripts.config.settings import Settings
from scripts.engines.protocol import Engine
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import NOTHING, Amounts
from scripts.logs.line import LogLine
from scripts.traffic import slow_ways
from scripts.traffic.asking import probe_paths
from scripts.traffic.failed_requests import STILL_SECONDS, Request, age, by_route

SLOW_SECONDS = 1.0
"""From then on a person's train of thought breaks off (Nielsen, Usability Engineering, 1993)."""
LEAST = 3
NEWEST = 3
SPREAD_SECONDS = 10.0
"""A cold start is over by then: a database that wakes, a first use of each pod."""
APART = 4
"""What a busy machine makes of pods that are alike is less."""
AT_LIMIT = 0.8
MOST_ROUTES = 3
ACTIVITY = (
    "invoke psql: SELECT pid, wait_event_type, wait_event, now() - query_start AS since, query FROM pg_stat_activity "
    "WHERE state <> 'idle' ORDER BY since DESC"
)


def slow(settings: Settings, engine: Engine, lines: Sequence[LogLine]) -> list[Diagnosis]:
    """Return a cause for each service that is slow. Raises what the engine raises."""
    paths, patient, now = probe_paths(settings), settings.monitoring.slow_handlers, datetime.now(UTC)
    between = slow_ways.causes(lines, settings.services, patient, now)
    if not list(slow_routes(lines, paths, settings.services, patient, now)):
        return between
    found = causes(lines, paths, settings.services, patient, now, engine.pods(), engine.usage())
    return [*between, *(each for each in found if each.workload not in {of.workload for of in between})]


def causes(
    lines: Sequence[LogLine],
    probes: Mapping[str, Collection[str]],
    services: Mapping[str, Service],
    patient: str,
    now: datetime,
    pods: Sequence[PodState],
    usage: Mapping[str, Amounts],
) -> list[Diagnosis]:
    """Return the causes that these lines tell; none of a service that calls another such one, for it waits for that one.

    patient: a regular expression of the routes that are slow by nature.
    """
    found = dict(slow_routes(lines, probes, services, patient, now))
    roots = [service for service in found if found.keys().isdisjoint(called_by(service, services))]
    behind = {name: each for service in roots for name, each in _behind(lines, service, found[service], services[service].calls).items()}
    callers = {service for service in roots if not behind.keys().isdisjoint(services[service].calls)}
    told = {**behind, **{service: found[service] for service in roots if service not in callers}}
    return [_cause(service, routes, services[service].calls, pods, usage) for service, routes in told.items()]


def _behind(
    lines: Sequence[LogLine], service: str, slow_ones: Mapping[str, Sequence[Request]], calls: Sequence[str]
) -> dict[str, dict[str, list[Request]]]:
    """What a slow service waits for, by the ids of its slow requests: who works most of their time, and the requests that do."""
    late = {each.id for asked in slow_ones.values() for each in asked if each.id and (each.seconds or 0) >= SLOW_SECONDS}
    found: dict[str, dict[str, list[Request]]] = {}
    for other in calls:
        of_late = [each for known in slow_ways.calls_of(lines, service, other).values() for each in known if each.request.id in late]
        waited = [each for each in of_late if each.worked >= (each.request.seconds or 0) / 2]
        if waited and 2 * len(waited) >= len(late):
            for request in (request for each in waited for request in each.behind if (request.seconds or 0) >= SLOW_SECONDS / 2):
                found.setdefault(other, {}).setdefault(request.route, []).append(request)
    return found


def slow_routes(
    lines: Sequence[LogLine], probes: Mapping[str, Collection[str]], services: Mapping[str, Service], patient: str, now: datetime
) -> Iterator[tuple[str, dict[str, list[Request]]]]:
    """Yield each service that is slow, with the requests of each route that is, the slowest first."""
    for service in services:
        routes = by_route((line for line in lines if line.service == service), probes.get(service, ()))
        timed = {
            route: [each for each in asked if each.seconds is not None and age(each.time, now) < STILL_SECONDS]
            for route, asked in routes.items()
            if not re.fullmatch(patient, route.partition(" ")[2])
        }
        found = {route: asked for route, asked in timed.items() if _is_slow(asked) or _alone(asked)}
        if found:
            yield service, dict(sorted(found.items(), key=lambda item: -_median(item[1])))


def _is_slow(asked: Sequence[Request]) -> bool:
    """Whether most of the answers were slow, the newest too, and for longer than a cold start takes."""
    late = [each for each in asked if (each.seconds or 0) >= SLOW_SECONDS]
    if len(asked) < LEAST or not late or _median(asked) < SLOW_SECONDS or _median(asked[-NEWEST:]) < SLOW_SECONDS:
        return False
    return _moment(late[-1]) - _moment(late[0]) >= SPREAD_SECONDS


def _moment(request: Request) -> float:
    return datetime.fromisoformat(request.time[:19]).replace(tzinfo=UTC).timestamp()


def _median(asked: Sequence[Request]) -> float:
    return median(each.seconds or 0 for each in asked)


def _by_pod(asked: Sequence[Request]) -> dict[str, list[Request]]:
    return {pod: [each for each in asked if each.pod == pod] for pod in dict.fromkeys(each.pod for each in asked)}


def _slow_pods(asked: Sequence[Request]) -> list[str]:
    return [pod for pod, own in _by_pod(asked).items() if _is_slow(own)]


def _cause(
    service: str, routes: Mapping[str, Sequence[Request]], calls: Sequence[str], pods: Sequence[PodState], usage: Mapping[str, Amounts]
) -> Diagnosis:
    worst, asked = next(iter(routes.items()))
    alone = _alone(asked)
    of = [each for each in asked if each.pod == alone] if alone else asked
    told = f"{_median(of):.1f} s (median of {len(of)} requests{f' to pod {alone}' if alone else ''})"
    evidence = [f"{route}: {_spans(each)}" for route, each in [*routes.items()][:MOST_ROUTES]]
    busy = [(pod, usage.get(pod.name, NOTHING).cpu) for pod in pods if pod.service in (service, *calls)]
    full = [(pod, cpu) for pod, cpu in busy if pod.limits.cpu and cpu >= AT_LIMIT * pod.limits.cpu]
    evidence += [f"pod {pod.name} uses {cpu:.2f} of the {pod.limits.cpu:g} CPU that it may" for pod, cpu in full]
    return Diagnosis("requests-slow", service, f"{service}: {worst} is slow: {told}", tuple(evidence), _action(service, calls, alone, full))


def _alone(asked: Sequence[Request]) -> str:
    """The only slow one of several pods, much slower than the others were meanwhile; empty where there is none."""
    late = _slow_pods(asked)
    times = [each.time for each in asked if each.pod in late and (each.seconds or 0) >= SLOW_SECONDS]
    others = [each for each in asked if each.pod not in late and min(times) <= each.time <= max(times)] if times else []
    return late[0] if len(late) == 1 and others and _median(others) * APART <= _median(_by_pod(asked)[late[0]]) else ""


def _spans(asked: Sequence[Request]) -> str:
    """What each pod took."""
    told = ", ".join(f"{_median(own):.1f} s by {pod} ({len(own)} requests)" for pod, own in _by_pod(asked).items())
    return f"{told}, the newest at {asked[-1].time[11:19]} UTC"


def _action(service: str, calls: Sequence[str], alone: str, full: Sequence[tuple[PodState, float]]) -> str:
    if full:
        return f"raise resources.limits.cpu of {', '.join(dict.fromkeys(pod.service for pod, _ in full))}, or find what uses it all"
    if alone and set(calls) <= {DATABASE}:
        return f"see what only that pod does: invoke logs {service}; a new one takes its place: kubectl delete pod {alone}"
    if alone:
        return f"see whether only that pod waits long for what it calls, which may be at fault: {', '.join(calls)}; invoke logs {service}"
    if DATABASE in calls:
        return f"see what the database is waiting for, or whether an index is missing: {ACTIVITY}"
    return f"invoke logs {service} --since 5m; what is slow by nature belongs in monitoring.slow_handlers"
