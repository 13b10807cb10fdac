"""The chart's values that follow from `services` in `invoke.yaml`: all that is said there, in the chart's words (specs/services.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scripts.config import database_url
from scripts.config.service_problems import DATABASE
from scripts.config.services import Service, filled
from scripts.config.settings import Settings


def service_name(release: str, service: str) -> str:
    """Return the name of the Service, and of every other object, that the chart makes for a service of the release.

    >>> service_name("shop", "api")
    'shop-api'
    """
    return f"{release}-{service}"


def places(settings: Settings) -> dict[tuple[str, str], str]:
    """Return what references to services stand for: by name, and what of it is wanted."""
    found: dict[tuple[str, str], str] = {}
    ports = {name: service.port for name, service in settings.services.items()} | {DATABASE: database_url.PORT}
    for name, port in ports.items():
        host = service_name(settings.release, name)
        found |= {(name, "host"): host, (name, "port"): str(port), (name, "url"): f"http://{host}:{port}"}
    for name, service in settings.services.items():
        found[name, "local_url"] = f"http://localhost:{service.wanted_local_port}"
    return found


def build_arguments(settings: Settings, arguments: Mapping[str, str]) -> dict[str, str]:
    """Return build arguments with what their references stand for."""
    return {key: filled(value, places(settings)) for key, value in arguments.items()}


def derived_values(settings: Settings) -> dict[str, Any]:
    """Return the values that follow from the settings alone: of every service, and the database's user and name."""
    known = places(settings)
    values: dict[str, Any] = {"services": {name: _service_values(service, known) for name, service in settings.services.items()}}
    if settings.ingress.host:
        values["ingress"] = {"enabled": True, "host": settings.ingress.host, "className": settings.ingress.class_name}
    for rule in settings.env.values():
        if rule.format == "postgres_url" and rule.default:
            url = database_url.parse(re.sub(r"\{\w+\}", "x", rule.default))
            values["postgres"] = {"user": url.user, "database": url.database}
    return values


def _service_values(service: Service, known: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Return what one service says; what it does not say is left to the chart's defaults."""
    said = {
        "port": service.port,
        "public": service.public,
        "publicPath": "" if service.public_path == "/" else service.public_path,
        "command": list(service.command),
        "args": list(service.args),
        # The chart runs each through a template engine.
        "env": {key: filled(value, known).replace("{{", '{{ "{{" }}') for key, value in service.env.items()},
        "initContainers": {name: {"command": command} for name, command in (service.init or {}).items()},
        "writable": {_volume(path): {"path": path, "size": size} for path, size in service.writable.items()},
        "probes": {kind: asks for kind, key in (("liveness", "live"), ("readiness", "ready")) if (asks := service.probe(key))},
        "metricsPath": service.metrics,
        "resources": service.resources.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True),
        "calls": list(service.calls),
        "internet": {"ports": list(service.internet)} if service.internet else {},
        "testPages": dict(service.asked_pages),
        **_pods(service),
    }
    user = dict(zip(("runAsUser", "runAsGroup"), service.user, strict=True)) if service.user else {}
    return {key: value for key, value in said.items() if value} | user  # whose group may be 0


def _pods(service: Service) -> dict[str, Any]:
    if not service.is_autoscaled:
        return {"replicas": service.replicas or 1, "autoscaling": {"enabled": False}}
    if service.autoscaling:
        wanted = service.autoscaling
        return {
            "autoscaling": {
                "minReplicas": wanted.min,
                "maxReplicas": wanted.max,
                "targetCPUUtilizationPercentage": wanted.cpu_percent,
            }
        }
    return {}


def _volume(path: str) -> str:
    """A name for a writable folder; of /tmp, the chart's own."""
    return re.sub("[^a-z0-9]+", "-", path.lower()).strip("-")[-60:].strip("-") or "root"
