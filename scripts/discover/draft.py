"""From what was found to a draft of the settings: pure."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from scripts.config.service_problems import TAKEN_NAMES
from scripts.discover import known_images, running
from scripts.discover.addresses import Known
from scripts.discover.drafted import Draft, Key
from scripts.discover.environment import Environment, Setting, environment
from scripts.discover.folder import Findings, Program
from scripts.discover.found import Build, Found, number
from scripts.discover.names import can_be_generated, key_name, of_a_page, secret

LONGEST = 20
_OF_A_CLUSTER = ("the chart", "Kubernetes")
"""How the origin of a service begins that no compose file describes."""
_OUTSIDE = {443: "APIs of others, which it has a key or a package for", 5432: "a database outside the cluster"}


def drafted(findings: Findings, root: Path, *, release: str) -> Draft:
    """Return the draft for an app. root: the folder that paths are written from."""
    draft = Draft(release, unknown=list(findings.unknown))
    services, names = _chosen(findings, draft)
    known = _known(services, names, findings, draft)
    examples = {key.name: key for key in findings.examples}
    made: dict[str, Environment] = {}
    for found in services:
        program = findings.programs.get(found.name)
        own = {key.name: key for key in (program.examples if program else [])}
        setting = Setting(names[found.name], found, program, examples | own, known, release)
        made[names[found.name]] = environment(setting, draft)
    browsed = set().union(*(each.browsed for each in made.values())) & set(known.ports) - {"postgres"}
    if not known.pages and not browsed:
        browsed = _door(services, names, known)
    taken: dict[int, str] = {}
    for found in services:
        name = names[found.name]
        values = _service(name, found, findings, known, made[name], draft, root)
        if name in browsed | known.pages:
            _open_up(name, values, found, known, draft, taken)
        draft.services[name] = _in_order(values)
    if draft.database:
        draft.add_key(Key("POSTGRES_PASSWORD", "the password of the bundled Postgres", generate=True, format="line"))
        if not any(key.format == "postgres_url" and key.default for key in draft.keys.values()):  # they name host and password one by one
            what = "keep it empty: the services name the bundled Postgres by its host and password"
            draft.add_key(Key("DATABASE_URL", what, optional=True, format="postgres_url", default=draft.database_url()))
    draft.tester = next(
        (names[name] for name, program in findings.programs.items() if name in names and "python" in program.dockerfile.base), ""
    )
    return draft


def _chosen(findings: Findings, draft: Draft) -> tuple[list[Found], dict[str, str]]:
    """The services that are to be deployed, and our name for each; a Postgres goes to the draft."""
    once = {name for service in findings.services for name in service.after}
    chosen: list[Found] = []
    for found in findings.services:
        if any(mount.source.endswith("docker.sock") for mount in found.mounts):
            draft.tell(found.name, "is left out: it wants the Docker daemon's socket, and no pod gets that")
        elif not found.build and known_images.name_of(found.image) in known_images.CONSOLES:
            draft.tell(found.name, f"is left out: {found.image} is a tool to look at others")
        elif found.name in once:
            continue
        elif not found.build and known_images.is_postgres(found.image) and not draft.database and not _has_scripts(found):
            _bundle(found, draft)
        elif found.build or found.image:
            chosen.append(found)
            if _is_made_nowhere(found):
                what = f"{found.image} stands in {found.origin}, and no Dockerfile here makes it"
                draft.tell(found.name, f"{what}: write one and name its folder as `context`, or load the image where it runs")
        for said in found.cannot:
            draft.tell(found.name, said)
    names: dict[str, str] = {}
    for found in chosen:
        names[found.name] = _name(found.name, set(names.values()))
    return chosen, names


def _is_made_nowhere(found: Found) -> bool:
    """Whether its image is one that only the machine of its author has."""
    local = "/" not in found.image and not known_images.known(found.image)
    return not found.build and local and found.origin.startswith(_OF_A_CLUSTER)


def _has_scripts(found: Found) -> bool:
    return any("docker-entrypoint-initdb.d" in mount.target for mount in found.mounts)


def _bundle(found: Found, draft: Draft) -> None:
    draft.database = True
    environment = {name: value.text for name, value in found.environment.items()}
    user = environment.get("POSTGRES_USER") or environment.get("POSTGRESQL_USERNAME") or "postgres"
    name = environment.get("POSTGRES_DB") or environment.get("POSTGRESQL_DATABASE") or user
    draft.database_user, draft.database_name = (text if re.fullmatch(r"[A-Za-z_]\w{0,60}", text) else "app" for text in (user, name))
    what = f"{found.image} becomes the bundled Postgres"
    draft.tell(found.name, f"{what}, with an empty database `{draft.database_name}` and a password of its own")


def _name(name: str, others: set[str]) -> str:
    """A name that a service can have: a letter first, at most 20 characters, and none that is taken."""
    short = re.sub(r"-+", "-", re.sub(r"[^a-z0-9]", "-", name.lower())).lstrip("-0123456789").rstrip("-") or "app"
    while len(short) > LONGEST and "-" in short:  # what it ends with tells more
        short = short.partition("-")[2]
    short = short[:LONGEST].lstrip("-0123456789").rstrip("-") or "app"
    if short in TAKEN_NAMES:
        short = f"{short[:16].strip('-')}-app"
    number = 2
    unique = short
    while unique in others:
        unique, number = f"{short[:17].strip('-')}-{number}", number + 1
    return unique


def _known(services: list[Found], names: dict[str, str], findings: Findings, draft: Draft) -> Known:
    aliases: dict[str, str] = {}
    ports: dict[str, int] = {}
    local: dict[int, str] = {}
    pages = set()
    for found in services:
        name, program = names[found.name], findings.programs.get(found.name)
        aliases |= dict.fromkeys((alias.lower() for alias in {found.name, *found.aliases}), name)
        port = running.port_of(found, program) or _port_in_values(found, services)
        if port:
            ports[name] = port
            local.setdefault(found.ports[0].host if found.ports and found.ports[0].host else port, name)
            if _is_page(found, program):
                pages.add(name)
    for found in findings.services:
        if found.name not in names and known_images.is_postgres(found.image):
            aliases |= dict.fromkeys((alias.lower() for alias in {found.name, *found.aliases}), "postgres")
    if draft.database:
        ports["postgres"] = 5432
    built = frozenset(names[found.name] for found in services if found.build)
    passwords = _passwords(findings.services, bundled=draft.database)
    return Known(aliases, ports, local, frozenset(pages), built, "postgres" if draft.database else "", passwords)


def _passwords(services: list[Found], *, bundled: bool) -> dict[tuple[str, str], str]:
    """The key for each password of a server by image: the bundled Postgres has one of its own."""
    keys: dict[tuple[str, str], str] = {}
    for found in services:
        ours = bundled and known_images.is_postgres(found.image) and not _has_scripts(found)
        server = not found.build and known_images.known(found.image)
        for name, value in found.environment.items() if server else ():
            if value.sameness and can_be_generated(name) and secret(name):
                key = "POSTGRES_PASSWORD" if ours else key_name(value.whole.name if value.whole else name)
                keys.setdefault(value.sameness, key)
    return keys


def _door(services: list[Found], names: dict[str, str], known: Known) -> set[str]:
    """Where nothing tells what a browser opens: the first that is built, or the first image that publishes a port and is no server."""
    built = [found for found in services if found.build]
    images = [found for found in services if found.ports and found.ports[0].host and not known_images.known(found.image)]
    return set([names[found.name] for found in [*built, *images] if names[found.name] in known.ports][:1])


def _is_page(found: Found, program: Program | None) -> bool:
    if program is None:
        return False
    named = of_a_page(found.name) and "fastapi" not in program.project.packages
    return bool(program.project.page or named or known_images.name_of(program.dockerfile.base) == "nginx")


def _port_in_values(found: Found, services: list[Found]) -> int:
    """The port at which the settings of others call a service that names none itself."""
    called = "|".join(map(re.escape, sorted({found.name, *found.aliases})))
    texts = [value.text for other in services if other is not found for value in other.environment.values()]
    ports = [number(match[1]) for text in texts for match in re.finditer(rf"(?:^|[/@,])(?:{called}):(\d{{2,5}})\b", text)]
    return next(filter(None, ports), 0)


def _service(name: str, found: Found, findings: Findings, known: Known, made: Environment, draft: Draft, root: Path) -> dict[str, Any]:
    program = findings.programs.get(found.name)
    port = known.ports.get(name, 0)
    values: dict[str, Any] = _source(found, root) | running.commands(name, found, program, draft)
    if user := running.user_of(name, found, program, draft):
        values["user"] = int(user) if user.isdigit() else user
    if port:
        values["port"] = port
    probes, why = running.probes_of(found, program, port)
    if probes:
        values["probes"] = probes
        if why:
            draft.reasons[name, "probes"] = why
    values |= {key: value for key, value in (("build_args", made.build_args), ("env", made.env), ("secrets", made.secrets)) if value}
    if program and port and (metrics := program.code.metrics or ("/metrics" if program.project.metrics else "")):
        values["metrics"] = metrics
    if writable := running.writable_of(name, found, program, made, draft):
        values["writable"] = writable
    resources, why = running.memory_of(found, program, writable)
    if resources:
        values["resources"] = resources
        if why:
            draft.reasons[name, "resources"] = why
    _pods(name, found, port, made, values, draft)
    _init(name, found, findings, values, draft)
    calls = made.calls | {known.by_alias[other.lower()] for other in found.needs if other.lower() in known.by_alias}
    values["calls"] = sorted(each for each in calls if (each != name and each in known.ports) or each == "postgres")
    if "postgres" in calls:
        draft.database = True
    values["internet"] = sorted(made.internet)
    draft.reasons[name, "internet"] = "; ".join(f"{port}: {_OUTSIDE.get(port, 'a mail server')}" for port in values["internet"])
    return {key: value for key, value in values.items() if value not in ([], {})}


def _source(found: Found, root: Path) -> dict[str, Any]:
    if found.build is None:
        return {"image": found.image}
    build = found.build
    made: dict[str, Any] = {"context": _written_path(build.context, root)}
    if os.path.normpath(build.dockerfile) != os.path.normpath(build.context / "Dockerfile"):
        made["dockerfile"] = _written_path(build.dockerfile, root)
    if build.target:
        made["target"] = build.target
    return made


def _written_path(path: Path, root: Path) -> str:
    """From the root, where that is not far; else whole."""
    relative = os.path.relpath(path, root)
    return relative if not relative.startswith("../../..") else os.path.normpath(path)


def _pods(name: str, found: Found, port: int, made: Environment, values: dict[str, Any], draft: Draft) -> None:
    if found.replicas and not found.origin.startswith(_OF_A_CLUSTER):
        values["replicas"] = found.replicas
    elif found.build and (made.sqlite or any(not mount.bind and mount.source for mount in found.mounts)):
        values["replicas"] = 1
        draft.reasons[name, "replicas"] = "what it keeps in its own files, another pod would not see"
    elif found.build and not port:
        values["replicas"] = 1
        draft.reasons[name, "replicas"] = "a worker: two might do the same work"


def _init(name: str, found: Found, findings: Findings, values: dict[str, Any], draft: Draft) -> None:
    by_name = {each.name: each for each in findings.services}
    for other in (by_name[each] for each in found.after if each in by_name):
        command = [*other.command, *other.args]
        if command and _same_image(other.build, found.build) and (found.build or other.image == found.image):
            values.setdefault("init", {})[_name(other.name, set())] = command
        else:
            what = f"it runs once before {found.name}, and is another image"
            draft.tell(other.name, f"is left out: {what}; `init` runs a command of the same one")
    program = findings.programs.get(found.name)
    if program and "init" not in values and program.migrations:
        values["init"] = {"migrate": list(program.migrations)}
        draft.reasons[name, "init"] = "it has migrations (alembic.ini), and nothing that starts it runs them"


def _same_image(one: Build | None, other: Build | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.context, one.dockerfile, one.target) == (other.context, other.dockerfile, other.target)


def _open_up(name: str, values: dict[str, Any], found: Found, known: Known, draft: Draft, taken: dict[int, str]) -> None:
    """Make a service public, at the port that leads to it today where that is free."""
    values["public"] = True
    wanted = found.ports[0].host if found.ports and found.ports[0].host else values["port"]
    port = wanted if wanted >= 1024 else wanted + 8000
    while port in taken:
        port += 1
    taken[port] = name
    if port != values["port"]:
        values["local_port"] = port
    if port != wanted:
        why = "ports below 1024 belong to root" if wanted < 1024 else f"{wanted} is {taken[wanted]}'s"
        draft.reasons[name, "local_port"] = why
    if name in known.pages:
        return
    draft.reasons.setdefault((name, "public"), "a browser calls it")
    path = values.get("probes", {}).get("ready") or values.get("probes", {}).get("live")
    values["pages"] = {path: ""} if isinstance(path, str) and path.startswith("/") else {}
    draft.reasons[name, "pages"] = "it serves no page, so `/` is not asked"


_ORDER = (
    *("context", "dockerfile", "target", "build_args", "image", "user", "command", "args", "port", "local_port", "public", "env"),
    *("secrets", "probes", "metrics", "pages", "init", "writable", "resources", "replicas", "calls", "internet"),
)


def _in_order(values: dict[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in _ORDER if key in values}
