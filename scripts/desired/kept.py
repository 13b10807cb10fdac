"""What only the pods of the old release need, as values of the chart: it is kept beside the new release until that is rolled out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from scripts.config.service_problems import DATABASE
from scripts.core.nested import at
from scripts.desired.helm_release import HelmRelease, merged
from scripts.desired.service_values import service_name

Values = Mapping[str, Any]
WAYS_OUT = (("calls",), ("internet", "ports"), ("addresses",))
"""The lists of a service that its network policy opens something for."""


def kept(wanted: Values, runs: Values) -> dict[str, Any]:
    """Return the values to lay over the wanted ones: the bundled Postgres, services and ways out that only what runs has."""
    gone = {name: service for name, service in _services(runs).items() if name not in wanted.get("services", {})}
    # The Ingress leads to the new ones: two services at one path are refused.
    services: dict[str, Any] = {name: {**service, "public": False} for name, service in gone.items()}
    there = _services(wanted)
    called = {*gone, DATABASE, *(name for name, service in there.items() if service.get("port") != 0)}
    for name, service in _services(runs).items():
        if name in there and (ways := _ways(there[name], service, called)):
            services[name] = ways
    keeps: dict[str, Any] = {"services": services} if services else {}
    if runs.get(DATABASE, {}).get("enabled") and not wanted.get(DATABASE, {}).get("enabled"):
        keeps[DATABASE] = runs[DATABASE]
    return keeps


def on_the_way(wanted: HelmRelease, keeps: Values) -> HelmRelease:
    """Return the release with what is kept beside it: one that is rolled out on the way to it."""
    names = tuple(service_name(wanted.name, each) for each in workloads(wanted.values, keeps))
    return replace(wanted, values=merged(wanted.values, keeps), last=False, for_old_pods=names)


def workloads(wanted: Values, keeps: Values) -> list[str]:
    """Return the names of what runs for old pods alone."""
    gone = [name for name in keeps.get("services", {}) if name not in wanted.get("services", {})]
    return [*([DATABASE] if DATABASE in keeps else []), *gone]


def _services(values: Values) -> dict[str, dict[str, Any]]:
    """The services, each over the defaults that the same values hold."""
    defaults = values.get("serviceDefaults", {})
    return {name: merged(defaults, service) for name, service in values.get("services", {}).items()}


def _ways(wanted: Values, runs: Values, called: set[str]) -> dict[str, Any]:
    """The service's ways out, the old ones and the new, where some of the old are gone."""
    found: dict[str, Any] = {}
    for path in WAYS_OUT:
        new = list(at(wanted, *path) or ())
        if more := [each for each in at(runs, *path) or () if each not in new and (path != ("calls",) or each in called)]:
            found = merged(found, _nested(path, [*new, *more]))
    return found


def _nested(path: Sequence[str], value: Any) -> dict[str, Any]:
    return {path[0]: _nested(path[1:], value) if path[1:] else value}


def told(keeps: Values, wanted: Values) -> Iterator[str]:
    """Yield what is kept, in words."""
    for name in workloads(wanted, keeps):
        yield "the bundled Postgres" if name == DATABASE else f"the service {name}"
    if any(name in wanted.get("services", {}) for name in keeps.get("services", {})):
        yield "network edges"
