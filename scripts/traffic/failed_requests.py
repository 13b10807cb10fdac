"""What requests really got, by the services' own logs: a service whose requests fail is not healthy, whatever its probes say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from types import MappingProxyType
from typing import Any

from scripts.config.services import Service, called_by
from scripts.config.settings import Settings
from scripts.engines.protocol import Engine
from scripts.kubernetes.diagnosis.cause import Diagnosis, one_line
from scripts.kubernetes.diagnosis.rules.logs import database_advice
from scripts.kubernetes.pods import PodState
from scripts.logs.fields import ACCESS, EXCEPTION, PATHS, fields_of, is_of_a_probe, level_of, words
from scripts.logs.line import LogLine, LogQuery
from scripts.traffic.asking import probe_paths

MINUTES = 5
MOST_LINES = 2000
BROKEN = 500
STILL_SECONDS = 120.0
DOUBT = 0.1
"""What is less likely than this is no chance: it goes well again."""
PROMPT_SECONDS = 1.0
"""What takes longer does not show that a pod is well."""
STATUSES = ("status", "status_code", "statusCode", "http.status_code", "http.response.status_code", "code")
METHODS = ("method", "verb", "http.method", "http.request.method")
SECONDS = ("seconds", "duration_seconds", "elapsed_seconds", "latency_seconds", "duration_s", "request_time")
MILLISECONDS = ("duration_ms", "durationMs", "elapsed_ms", "latency_ms", "took_ms", "response_time_ms", "responseTime")
IDS = ("request_id", "requestId", "req_id", "reqId", "correlation_id", "trace_id")
WITHIN = ("req", "request", "res", "response", "http")
"""Where pino-http and others keep them."""


@dataclass(frozen=True)
class Request:
    """A request that a service has answered."""

    service: str
    time: str
    route: str
    """Its method and its path, or the route's template."""
    status: int
    id: str
    pod: str = ""
    seconds: float | None = None
    """How long it took, where the line says so."""


def recent(engine: Engine) -> list[LogLine]:
    """Return what the services have logged of late. Raises what `engine.logs` raises."""
    return list(engine.logs(LogQuery(since_seconds=60 * MINUTES, lines=MOST_LINES)))


def failing(settings: Settings, engine: Engine, lines: Sequence[LogLine]) -> list[Diagnosis]:
    """Return a cause for each service whose requests have failed lately, and not gone well since. Raises what `engine.pods` raises."""
    return causes(lines, probe_paths(settings), settings.services, datetime.now(UTC), begun(engine.pods()))


def begun(pods: Sequence[PodState]) -> dict[str, str]:
    """Return since when each service has had the pods that it has now, but for some that came later."""
    found: dict[str, str] = {}
    for pod in pods:
        if pod.serves and pod.started:
            found[pod.service] = min(pod.started, found.get(pod.service, pod.started))
    return found


def causes(
    lines: Sequence[LogLine],
    probes: Mapping[str, Collection[str]],
    services: Mapping[str, Service],
    now: datetime,
    since: Mapping[str, str] = MappingProxyType({}),
) -> list[Diagnosis]:
    """Return the causes that these lines tell; none of a service that calls another such one, for it passes on what that one answers.

    probes: the paths by service that only probes ask for.
    since: by service, when the first of its pods began: what a caller was answered by earlier ones has ended with them.
    """
    found = {}
    for service in services:
        others = max((since.get(other, "") for other in called_by(service, services)), default="")
        own = [line for line in lines if line.service == service and line.time[:19] >= others[:19]]
        if cause := _cause(service, own, probes.get(service, ()), now):
            found[service] = cause
    return [cause for service, cause in found.items() if found.keys().isdisjoint(called_by(service, services))]


def _cause(service: str, lines: Sequence[LogLine], probes: Collection[str], now: datetime) -> Diagnosis | None:
    complaints = {of: line for line in lines if (of := _id(line.text)) and _is_of_a_failure(line.text)}
    routes = by_route(lines, probes)

    def failed(request: Request) -> bool:
        return request.status >= 500 or request.id in complaints

    def goes_on(asked: Sequence[Request]) -> bool:
        """A service that was unavailable and answers again is well; one that breaks at some requests still does, at these."""
        broken = [place for place, each in enumerate(asked) if each.status == BROKEN]
        lately = broken and age(asked[broken[-1]].time, now) < STILL_SECONDS
        return failed(asked[-1]) or bool(lately and by_chance(len(broken), broken[-1] + 1, len(asked) - broken[-1] - 1) > DOUBT)

    failures = {route: [each for each in asked if failed(each)] for route, asked in routes.items() if goes_on(asked)}
    if not failures:
        return None

    def weight(route: str) -> tuple[bool, bool, str]:
        """What fails now comes first, and what was answered so before what only its log tells of."""
        return failed(routes[route][-1]), routes[route][-1].status >= BROKEN, failures[route][-1].time

    ordered = sorted(failures, key=weight, reverse=True)
    worst = ordered[0]
    last = failures[worst][-1]
    told = complaints.get(last.id) or _newest_error(lines)
    evidence = [f"{route}: {_answers(failures[route], routes[route])}" for route in ordered]
    evidence += [f"log at {told.time[11:19]} UTC: {one_line(words(told.text))}"] if told else []
    grep = f" --grep {last.id}" if last.id else ""
    action = (database_advice(words(told.text)) if told else "") or f"invoke logs {service} --since {MINUTES}m{grep}"
    some = "" if failed(routes[worst][-1]) else " for some requests"
    if alone := _alone(failures[worst], routes[worst]):
        some, action = f" by pod {alone} alone", f"a new pod takes its place: kubectl delete pod {alone}; {action}"
    return Diagnosis("requests-failing", service, f"{service}: {worst} fails{some}", tuple(evidence), action)


def _alone(failures: Sequence[Request], asked: Sequence[Request]) -> str:
    """The only pod that failed, several times, while others answered several in good time; empty where it is not one pod's fault."""
    pods = {each.pod for each in failures}
    others = [each.seconds or 0 for each in asked if each.pod not in pods and each.time >= failures[0].time]
    alone = len(pods) == 1 and len(failures) > 1 and len(others) > 1 and median(others) < PROMPT_SECONDS
    return pods.pop() if alone else ""


def by_chance(failed: int, asked: int, well: int) -> float:
    """Return how likely so many requests go well by chance where requests fail as often as before: `failed` of `asked`."""
    return float((1 - failed / asked) ** well)


def by_route(lines: Iterable[LogLine], probes: Collection[str]) -> dict[str, list[Request]]:
    """Return the requests that the lines tell of by their routes, without those that only probes make."""
    routes: dict[str, list[Request]] = {}
    for line in lines:
        if not is_of_a_probe(line.text, probes) and (request := request_of(line)):
            routes.setdefault(request.route, []).append(request)
    return routes


def _answers(failures: Sequence[Request], asked: Sequence[Request]) -> str:
    last = failures[-1]
    status = f"answered {last.status}" if last.status >= 500 else "failed"
    newest = "and to the newest, at" if last is asked[-1] else "the last time at"
    return f"{status} to {len(failures)} of {len(asked)} requests in the last {MINUTES} min, {newest} {last.time[11:19]} UTC"


def age(time: str, now: datetime) -> float:
    """Return how many seconds ago a time of RFC 3339, in UTC, was."""
    return (now - datetime.fromisoformat(time[:19]).replace(tzinfo=UTC)).total_seconds()


def request_of(line: LogLine) -> Request | None:
    """Return the request that a line of an access log tells of; None where it is none."""
    fields = fields_of(line.text)
    if fields is None:
        match = ACCESS.search(line.text)
        if match is None or match["status"] is None:
            return None
        return Request(line.service, line.time, f"{match['method']} {match['path']}", int(match["status"]), "", line.pod)
    flat = _flat(fields)
    method, path, status = (next((str(flat[key]) for key in keys if key in flat), "") for keys in (METHODS, PATHS, STATUSES))
    if not (method.isalpha() and path and status.isdecimal() and 100 <= int(status) < 600):
        return None
    return Request(line.service, line.time, f"{method} {path.partition('?')[0]}", int(status), _id(line.text), line.pod, _seconds(flat))


def _seconds(flat: Mapping[str, Any]) -> float | None:
    """How long a request took; None where nothing says so, or in a form that is not known."""
    told = [(flat[key], size) for keys, size in ((SECONDS, 1.0), (MILLISECONDS, 0.001)) for key in keys if key in flat]
    try:
        return next((float(value) * size for value, size in told), None)
    except (TypeError, ValueError):
        return None


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    inner = [fields[key] for key in WITHIN if isinstance(fields.get(key), Mapping)]
    return {key: value for each in (*inner, fields) for key, value in each.items() if not isinstance(value, Mapping)}


def _id(text: str) -> str:
    fields = fields_of(text)
    return next((str(fields[key]) for key in IDS if fields.get(key)), "") if fields else ""


def _is_of_a_failure(text: str) -> bool:
    """Whether a line tells that what it belongs to went wrong. Of warnings only those of a database that does not do what it should."""
    level = level_of(text)
    return level in ("error", "fatal") or (level == "warn" and bool(database_advice(text)))


def _newest_error(lines: Iterable[LogLine]) -> LogLine | None:
    """The last error that belongs to no request: one that does tells of that request alone."""
    found = [line for line in lines if not _id(line.text) and (level_of(line.text) in ("error", "fatal") or EXCEPTION.match(line.text))]
    return found[-1] if found else None
