"""Services of a compose file, as Docker Compose reads it: anchors, `extends`, `include`, profiles and variables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.core.errors import InputError
from scripts.discover import env_examples, health, interpolation, names, quantities, yaml_file
from scripts.discover.found import Build, Found, Mount, Port, Ref, Unknown, Value, mapping, number, sequence, words

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
DEEPEST = 12
"""Of `extends` and `include`; what is deeper goes in a circle."""
_LISTS = ("ports", "expose", "volumes", "env_file", "profiles", "links", "tmpfs")
_MIGRATES = re.compile(r"migrat|alembic.* upgrade|prisma db push|db:(setup|prepare)")
_NOT_TAKEN = {
    "privileged": "it wants to be privileged, which no pod here is",
    "cap_add": "it wants more capabilities, which no pod here has",
    "devices": "it wants devices of the machine",
    "network_mode": "it wants another network: here it has one of its own",
    "pid": "it wants to see the processes of others",
    "secrets": "it reads secrets as files: here they are environment variables",
    "configs": "it reads files that Compose makes: copy them into the image",
    "gpus": "it wants a GPU",
}


def read(files: Sequence[Path]) -> tuple[list[Found], list[Unknown]]:
    """Return the services that the files describe, the later over the earlier. Raises InputError where one cannot be read."""
    raw: dict[str, dict[str, Any]] = {}
    for file in files:
        for name, service in _services(file, 0).items():
            raw[name] = _merged(raw.get(name, {}), service)
    if not raw:
        raise InputError(f"{files[0].name} has no services", "name another with --compose", code="input-invalid")
    wanted = {name: service for name, service in raw.items() if not service.get("profiles")} or raw
    left_out = [
        Unknown(name, f"is left out: it belongs to the profile {', '.join(map(words, sequence(raw[name].get('profiles'))))}")
        for name in raw
        if name not in wanted
    ]
    found = [_found(name, service, files[0].name) for name, service in wanted.items()]
    _migrate_first(found)
    return found, left_out


def _migrate_first(services: list[Found]) -> None:
    """Let a service that migrates the database end before those of its image that need it, as the file means and does not say."""
    by_name = {each.name: each for each in services}
    for service in services:
        for other in (by_name[name] for name in service.needs if name in by_name and name not in service.after):
            same = service.build and other.build and service.build.context == other.build.context
            if same and not other.ports and _MIGRATES.search(" ".join([*other.command, *other.args])):
                service.after.append(other.name)


def _services(file: Path, depth: int) -> dict[str, dict[str, Any]]:
    whole = mapping(next(iter(yaml_file.read_documents(file)), None))
    found: dict[str, dict[str, Any]] = {}
    for included in sequence(whole.get("include")) if depth < DEEPEST else ():
        paths = sequence(mapping(included).get("path") if isinstance(included, dict) else included)
        for path in filter(None, map(words, paths)):
            found |= _services(file.parent / interpolation.plain(path), depth + 1)
    services = whole.get("services")
    if services is not None and not isinstance(services, dict):
        raise InputError(f"{file.name}: services is no map of names", "fix it there", code="input-invalid")
    for name, service in mapping(services).items():
        if service is not None and not isinstance(service, dict):
            raise InputError(f"{file.name}: services.{name} is no map", "fix it there", code="input-invalid")
        found[name] = _extended(name, mapping(services), file, depth)
    return found


def _extended(name: str, services: dict[str, Any], file: Path, depth: int) -> dict[str, Any]:
    own = mapping(services.get(name))
    wanted = own.pop("extends", None)
    if wanted is None or depth >= DEEPEST:
        return _normal(own, file.parent)
    other = words(mapping(wanted).get("service") if isinstance(wanted, dict) else wanted)
    path = words(mapping(wanted).get("file"))
    if path:
        base = _services(file.parent / interpolation.plain(path), depth + 1).get(other, {})
    else:
        base = _extended(other, services, file, depth + 1) if other in services else {}
    return _merged({key: value for key, value in base.items() if key != "depends_on"}, _normal(own, file.parent))


def _normal(service: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The longest form of each key, with whole paths."""
    made = dict(service)
    for key in _LISTS:
        if key in made:
            made[key] = [item for item in sequence(made[key]) if item is not None]
    if "environment" in made:
        made["environment"] = _pairs(made["environment"])
    if isinstance(made.get("depends_on"), list):
        made["depends_on"] = {words(other): {} for other in made["depends_on"] if words(other)}
    if made.get("build") is not None:
        build = made["build"]
        build = {"context": build} if isinstance(build, str) else mapping(build)
        context = interpolation.plain(words(build.get("context")) or ".")
        build["context"] = context if _remote(context) else str(folder / Path(context).expanduser())
        made["build"] = build | ({"args": _pairs(build["args"])} if build.get("args") else {})
    if "env_file" in made:
        paths = [words(mapping(item).get("path") if isinstance(item, dict) else item) for item in made["env_file"]]
        made["env_file"] = [str(folder / interpolation.plain(path)) for path in paths if path]
    return made


def _remote(context: str) -> bool:
    return bool(re.match(r"(https?|ssh|git)://|git@|github\.com/", context))


def _pairs(value: Any) -> dict[str, str | None]:
    """A map of names to texts, of a map or of a list of NAME=VALUE; None: it is handed on from outside."""
    if isinstance(value, dict):
        return {name: inner if isinstance(inner, str) else None for name, inner in mapping(value).items()}
    parts = [words(item).partition("=") for item in sequence(value)]
    return {name.strip(): text if sign else None for name, sign, text in parts if name.strip()}


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    made = dict(base)
    for key, value in over.items():
        before = made.get(key)
        if key in _LISTS and isinstance(before, list) and isinstance(value, list):
            made[key] = [*before, *(item for item in value if item not in before)]
        elif isinstance(before, dict) and isinstance(value, dict):
            made[key] = _merged(before, value)
        else:
            made[key] = value
    return made


def _found(name: str, service: dict[str, Any], origin: str) -> Found:
    found = Found(name, origin, image=interpolation.plain(words(service.get("image"))))
    found.build = _build(service.get("build"), found)
    found.ports = _ports(service)
    found.environment = _environment(service)
    found.aliases = {name, *filter(None, (words(service.get(key)) for key in ("container_name", "hostname")))}
    for network in mapping(service.get("networks")).values():
        found.aliases |= set(filter(None, map(words, sequence(mapping(network).get("aliases")))))
    depends = mapping(service.get("depends_on"))
    links = [words(link).partition(":")[0] for link in sequence(service.get("links"))]
    found.needs = list(dict.fromkeys(filter(None, [*depends, *links])))
    found.after = [other for other, how in depends.items() if mapping(how).get("condition") == "service_completed_successfully"]
    found.probes = _probes(mapping(service.get("healthcheck")), found)
    found.mounts = _mounts(service)
    found.command, found.args = _words(service.get("entrypoint")), _words(service.get("command"))
    found.user = interpolation.plain(words(service.get("user")))
    deploy = mapping(service.get("deploy"))
    found.replicas = number(interpolation.plain(words(deploy.get("replicas")) or words(service.get("scale")))) or None
    found.resources = _resources(mapping(deploy.get("resources")))
    found.cannot += [said for key, said in _NOT_TAKEN.items() if service.get(key) not in (None, "false", "bridge", [], {})]
    return found


def _build(raw: Any, found: Found) -> Build | None:
    build = mapping(raw)
    if not build:
        return None
    if _remote(build["context"]):
        shown = re.sub(r"//[^/@]*@", "//", build["context"])
        found.cannot.append(f"it is built from {shown}: clone that, and name the folder as its context")
        return None
    if build.get("dockerfile_inline"):
        found.cannot.append("its Dockerfile stands in the compose file: write it to a file of its own")
    for key in ("secrets", "ssh", "additional_contexts"):
        if build.get(key):
            found.cannot.append(f"its build wants `{key}`, which is not handed on")
    context = Path(build["context"])
    file = context / (interpolation.plain(words(build.get("dockerfile"))) or "Dockerfile")
    args = {name: _value(name, text) for name, text in mapping(build.get("args")).items()}
    return Build(context, file, args, interpolation.plain(words(build.get("target"))))


def _value(name: str, text: str | None) -> Value:
    return Value((Ref(name),)) if text is None else interpolation.read(text)


def _environment(service: dict[str, Any]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for path in map(Path, service.get("env_file", ())):
        found |= {key.name: Value((Ref(key.name, key.value),)) for key in env_examples.beside(path.parent, path.name)}
    return found | {name: _value(name, text) for name, text in mapping(service.get("environment")).items()}


def _ports(service: dict[str, Any]) -> list[Port]:
    found = [_port(item) for item in service.get("ports", ())]
    exposed = [Port(number(interpolation.plain(words(item)).partition("/")[0])) for item in service.get("expose", ())]
    return list({port.container: port for port in reversed([*found, *exposed]) if port and port.container}.values())[::-1]


def _port(item: Any) -> Port | None:
    if isinstance(item, dict):
        if mapping(item).get("protocol", "tcp") != "tcp":
            return None
        ends = (interpolation.plain(words(item.get(key))) for key in ("target", "published"))
        container, host = (number(end.partition("-")[0]) for end in ends)
        return Port(container, host)
    text, _, protocol = interpolation.plain(words(item)).partition("/")
    if protocol not in ("", "tcp"):
        return None
    *before, container_text = text.rsplit(":", 2)
    host_text = before[-1] if before else ""
    return Port(number(container_text.partition("-")[0]), number(host_text.partition("-")[0]))


def _probes(check: dict[str, Any], found: Found) -> dict[str, Any]:
    if check.get("disable") == "true":
        return {"live": "none", "ready": "none"}
    test = check.get("test")
    if test is None:
        return {}
    listed = test if isinstance(test, list) else ["CMD-SHELL", test]
    asked, port = health.probe([interpolation.plain(words(word)) for word in listed])
    if port and not found.ports:
        found.ports = [Port(port)]
    return health.both(asked)


def _mounts(service: dict[str, Any]) -> list[Mount]:
    found = []
    for item in service.get("volumes", ()):
        if isinstance(item, dict):
            source, target = (interpolation.plain(words(item.get(key))) for key in ("source", "target"))
            bind = item.get("type") == "bind"
        else:
            first, colon, rest = interpolation.plain(words(item)).partition(":")
            source, target = (first, rest.partition(":")[0]) if colon else ("", first)
            bind = source.startswith((".", "/", "~", "$"))
        if target.startswith("/"):
            found.append(Mount(source, target, bind))
    tmpfs = [words(item).partition(":")[0] for item in service.get("tmpfs", ())]
    return [*found, *(Mount("", target, bind=False) for target in tmpfs if target.startswith("/"))]


def _words(value: Any) -> list[str]:
    """A command: as a list, or as a line that a shell would split."""
    if isinstance(value, list):
        return [_word(words(word)) for word in value if words(word)]
    line = _word(words(value))
    try:
        return shlex.split(line)
    except ValueError:  # a quote is left open
        return line.split()


def _word(text: str) -> str:
    """A word of a command: a variable that is a secret stays one."""
    return interpolation.read(text).written(lambda ref: f"${ref.name}" if names.secret(ref.name) else ref.default)


def _resources(raw: dict[str, Any]) -> dict[str, dict[str, str]]:
    found = {}
    for ours, theirs in (("requests", "reservations"), ("limits", "limits")):
        amounts = mapping(raw.get(theirs))
        given = {"cpu": words(amounts.get("cpus")), "memory": words(amounts.get("memory"))}
        if read := quantities.amounts({key: interpolation.plain(text) for key, text in given.items()}, binary=True):
            found[ours] = read
    return found
