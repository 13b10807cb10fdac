"""What in the descriptions of services does not fit together, or does not fit this machine: every problem, each with its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from scripts.config.services import Service, Source, references, shown
from scripts.config.validation import meant

TAKEN_NAMES = ("postgres", "postgres-exporter", "test", "namespace", "trusted-ca", "ingress")
"""What the chart calls its own objects."""
DATABASE = "postgres"
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*?(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]*))?(@sha256:(?P<digest>[0-9a-f]{64}))?")
_WANTED = {"host": "its host", "port": "its port", "url": "its URL", "local_url": "its URL on this machine"}
_FOR_BUILDS = ("port", "local_url")


def problems(
    services: Mapping[str, Service], names: Collection[str], keys: Mapping[str, str], bases: Collection[str], *, database: bool
) -> Iterator[str]:
    """Yield what is wrong with the services.

    names: of all services, also of those that cannot be read. keys: those under `env`, with their format. database: whether there is one
    of ours.
    """
    ports: dict[int, str] = {}
    for name, service in services.items():
        where = f"services.{name}"
        if name in TAKEN_NAMES:
            yield f"{where}: the chart uses this name itself; choose another"
        yield from source_problems(where, service, bases)
        yield from _alone(where, service)
        yield from (f"{where}.dev.{problem}" for problem in _dev(service))
        yield from (f"{where}.{problem}" for problem in _variables(service, keys))
        yield from (f"{where}.{problem}" for problem in _calls(name, service, services, names, database=database))
        yield from (f"{where}.{problem}" for problem in _references(service, services, names, database=database))
        port = service.wanted_local_port
        if port and port in ports:
            yield f"{where}.local_port: {port} is taken by {ports[port]}" + ("" if service.local_port else "; give one of them another")
        ports[port] = name


def ingress_problems(services: Mapping[str, Service]) -> Iterator[str]:
    """Yield what keeps the services from being served by one host."""
    paths: dict[str, str] = {}
    for name, service in services.items():
        if service.public and service.public_path in paths:
            yield f"services.{name}.public_path: {service.public_path} leads to {paths[service.public_path]}; give one of them another"
        if service.public:
            paths.setdefault(service.public_path, name)
    if not paths:
        yield "ingress.host: no service is public"


def source_problems(where: str, source: Source, bases: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with what an image is made of."""
    if (source.context is None) == (source.image is None):
        yield f"{where}: name one of context (what is built) and image (what is taken)" + (", not both" if source.context else "")
        return
    if source.image is not None:
        yield from (f"{where}.{key}: is for what is built, and not beside image" for key in _SOURCE_KEYS if getattr(source, key))
        if problem := _image_problem(source.image):
            yield f"{where}.image: {source.image} {problem}"
        return
    if not _is_dir(source):
        yield f"{where}.context: {source.context} does not exist, or is not a folder"
    if (source.dockerfile or _is_dir(source)) and not _is_file(source):
        yield f"{where}.dockerfile: {source.dockerfile or shown(source.file())} does not exist"
    if source.base is not None and source.base not in bases:
        yield f"{where}.base: no base named `{source.base}`{meant(source.base, bases)}"


_SOURCE_KEYS = ("dockerfile", "build_args", "target", "base")


def _is_dir(source: Source, within: str = "") -> bool:
    """Return whether the context, or a folder within it, is there."""
    try:
        folder = source.folder() / within
        return folder.is_dir() and ".." not in Path(within).parts and not Path(within).is_absolute()
    except (OSError, ValueError):  # a name that is too long
        return False


def _is_file(source: Source) -> bool:
    try:
        return source.file().is_file()
    except (OSError, ValueError):
        return False


def _image_problem(image: str) -> str:
    return version_problem(image) if _IMAGE.fullmatch(image) else "is not an image name"


def version_problem(image: str) -> str:
    """Return why the name of an image does not say which version it means; an empty string where it does, or is no name."""
    match = _IMAGE.fullmatch(image)
    if match is None or match["digest"]:
        return ""
    if match["tag"] is None:
        return "has neither a tag nor a digest: any image could be meant"
    return "has the tag latest, which means another image tomorrow" if match["tag"] == "latest" else ""


def _alone(where: str, service: Service) -> Iterator[str]:
    """Yield what is wrong with a service whatever the others are."""
    if not service.port:
        for kind in ("live", "ready"):
            asks = service.probe(kind)
            if "path" in asks or "tcp" in asks:
                yield f"{where}.probes.{kind}: the service has no port; write a command, or none"
        for key in ("metrics", "pages", "public", "local_port"):
            if getattr(service, key):
                yield f"{where}.{key}: the service has no port"
    if service.public_path != "/" and not service.public:
        yield f"{where}.public_path: the service is not public"
    if service.replicas and service.autoscaling:
        yield f"{where}.replicas: is a fixed number, and not beside autoscaling"
    if service.autoscaling and service.autoscaling.min > service.autoscaling.max:
        yield f"{where}.autoscaling: min {service.autoscaling.min} is above max {service.autoscaling.max}"


def _dev(service: Service) -> Iterator[str]:
    """Yield what is wrong with how changes reach the service."""
    dev = service.dev
    if service.image is not None:
        yield from (f"{key}: is for what is built, and not beside image" for key in ("sync", "on_host") if getattr(dev, key))
        return
    if dev.sync and not dev.command:
        yield "command: is missing: what is started again after a change of sync"
    if not dev.sync:
        yield from (f"{key}: says something about sync, and there is none" for key in ("command", "rebuild") if getattr(dev, key))
    for folder, target in dev.sync.items():
        if not _is_dir(service, folder):
            yield f"sync: {folder} is not a folder in {service.context}"
        if any(other != target and f"{target}/".startswith(f"{other.rstrip('/')}/") for other in dev.sync.values()):
            yield f"sync.{folder}: {target} lies within another of these folders"
    if len({target.rstrip("/") for target in dev.sync.values()}) < len(dev.sync):
        yield "sync: two folders go to the same one"
    for path in dev.rebuild:
        if not any(f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/") for folder in dev.sync):
            yield f"rebuild: {path} lies in no folder of sync"


def _variables(service: Service, keys: Mapping[str, str]) -> Iterator[str]:
    seen = set(service.env)
    for variable in service.secrets:
        if variable.key not in keys:
            yield f"secrets: `{variable.key}` is not under env{meant(variable.key, keys)}"
        elif variable.scheme and keys[variable.key] != "postgres_url":
            yield f"secrets.{variable.name}: a scheme is for keys whose format is postgres_url, and {variable.key} is none"
        if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", variable.name):
            yield f"secrets: `{variable.name}` is not a variable name"
        if variable.name in seen:
            yield f"secrets.{variable.name}: the service has a variable of this name already"
        seen.add(variable.name)
    if service.port and "PORT" in seen:
        yield f"{'env' if 'PORT' in service.env else 'secrets'}.PORT: it is the service's port; leave it out"


def _calls(name: str, service: Service, services: Mapping[str, Service], names: Collection[str], *, database: bool) -> Iterator[str]:
    for other in service.calls:
        if other == DATABASE:
            if not database:
                yield "calls: postgres is the bundled database, and there is no `database`"
        elif other == name:
            yield f"calls: {other} is the service itself"
        elif other not in names:
            yield f"calls: there is no service `{other}`{meant(other, names)}"
        elif other in services and not services[other].port:
            yield f"calls: {other} has no port"


def _references(service: Service, services: Mapping[str, Service], names: Collection[str], *, database: bool) -> Iterator[str]:
    texts = [(f"env.{key}", text, tuple(_WANTED)) for key, text in service.env.items()]
    texts += [(f"build_args.{key}", text, _FOR_BUILDS) for key, text in service.build_args.items()]
    for place, text, allowed in texts:
        for name, wanted in references(text):
            problem = _reference_problem(name, wanted, allowed, services, names, database=database)
            if problem:
                yield f"{place}: {problem}"


def _reference_problem(
    name: str, wanted: str, allowed: Collection[str], services: Mapping[str, Service], names: Collection[str], *, database: bool
) -> str:
    if name not in names:
        if name == DATABASE and database and wanted in ("host", "port"):
            return ""
        return f"{{{name}}} names no service{meant(name, names)}; a literal one is written \\{{{name}}}"
    if wanted not in _WANTED:
        return f"{{{name}.{wanted}}} is none of {', '.join(f'{{{name}.{each}}}' for each in list(_WANTED)[1:])}"
    if wanted not in allowed:
        return f"an image serves every cluster, so a build knows no {wanted} of {name}, only its local_url and its port"
    service = services.get(name)
    if service and not service.port:
        return f"{name} has no port"
    fixed = wanted != "local_url" or service is None or service.wanted_local_port
    return "" if fixed else f"{name} has no fixed port on this machine: give it a local_port, or make it public"
