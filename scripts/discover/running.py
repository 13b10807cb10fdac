"""How a service runs: its port, its command, its user, its probes, and what it may write to."""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatch
from pathlib import PurePath
from typing import Any

from scripts.discover import health, known_images, names, projects
from scripts.discover.dockerfiles import Dockerfile
from scripts.discover.drafted import Draft
from scripts.discover.environment import Environment
from scripts.discover.folder import Program
from scripts.discover.found import Found, Probe, number

ANYBODY = 10001
"""Above 10000 it is no user of the node."""
SIZE = "256Mi"
_HUNGRY = {"a development server": r"\bdev\b", "more than one worker": r"--workers[= ]([2-9]|\d\d)|-w ?[2-9]\b"}
_SERVERS = re.compile(r"uvicorn|gunicorn|hypercorn|fastapi|flask|runserver|streamlit|next|vite|npm|pnpm|yarn|bun|node|nginx|serve")
_RELOAD = ("--reload", "--debug")


def port_of(found: Found, program: Program | None) -> int:
    """Return the port that a service listens on; 0 where nothing tells."""
    line = " ".join([*found.command, *found.args])
    told = found.environment.get("PORT")
    asked = (found.ports[0].container if found.ports else 0, projects.port_in(line), number(told.text) if told else 0)
    if port := next(filter(None, asked), 0):
        return port
    if program is None:
        return _usual_port(found.image)
    return 0 if line and not _SERVERS.search(line) else _port_of_image(program)  # another program of the same image


def _port_of_image(program: Program) -> int:
    docker = program.dockerfile
    scripts = [line for name, line in program.project.scripts.items() if re.search(rf"\b{re.escape(name)}\b", docker.started)]
    asked = (
        projects.port_in(docker.started),
        *docker.ports[:1],
        number(docker.env.get("PORT")),
        *map(projects.port_in, scripts),
        health.probe(docker.health)[1] if docker.health else 0,
        program.project.usual_port,
    )
    return next(filter(None, asked), 0) or _usual_port(docker.base)


def _usual_port(image: str) -> int:
    known = known_images.known(image)
    return known.port if known else 0


def commands(name: str, found: Found, program: Program | None, draft: Draft) -> dict[str, list[str]]:
    """Return `command` and `args`, where they differ from the image's own."""
    made = {"command": found.command, "args": found.args}
    own = program.dockerfile if program else Dockerfile()
    for key in ("command", "args"):
        line = [word for word in made[key] if word not in _RELOAD]
        if line[:2] == ["fastapi", "dev"]:
            line[1] = "run"
        if line != made[key]:
            draft.reasons[name, key] = "without reloading: the sources in the image do not change"
        made[key] = line
    whole = [*made["command"], *made["args"]]
    if secrets_in(found) and "-c" not in whole[:2]:
        shown = [f'"{word}"' if "$" in word else shlex.quote(word) for word in whole]
        draft.reasons[name, "command"] = "by a shell, which puts the secret in"
        return {"command": ["sh", "-c", f"exec {' '.join(shown)}"]}
    if not made["command"] and tuple(made["args"]) == own.cmd:
        return {}
    return {key: line for key, line in made.items() if line}


def secrets_in(found: Found) -> list[str]:
    """Return the secrets that the command names as variables."""
    return [word for text in [*found.command, *found.args] for word in re.findall(r"\$([A-Za-z_]\w*)", text) if names.secret(word)]


def user_of(name: str, found: Found, program: Program | None, draft: Draft) -> str:
    """Return the user to run as, where it is not the image's own."""
    given = re.fullmatch(r"[1-9][0-9]*(:[0-9]+)?", found.user)
    if given:
        return given[0]
    image = program.dockerfile.base if program else found.image
    own = program.dockerfile.user if program else ""
    if own.partition(":")[0] not in ("", "0", "root"):
        return ""
    if known := known_images.known(image):
        draft.reasons[name, "user"] = f"the image of {known_images.name_of(image)} starts as root, and goes on as this user"
        return str((known.alpine_user if "alpine" in image else 0) or known.user)
    if program is None:
        draft.tell(name, f"which user {found.image} runs as: where it is root, `invoke up` says so, and `user:` takes a number")
        return ""
    draft.reasons[name, "user"] = "its Dockerfile names no user, and nothing runs as root here"
    return str(ANYBODY)


def probes_of(found: Found, program: Program | None, port: int) -> tuple[dict[str, Probe], str]:
    """Return the probes, where they are not a mere connection to the port, and the reason where they are a guess."""
    if found.probes:
        return _fitting(found.probes, port), ""
    if program is None:
        return {}, ""
    asked = health.both(health.probe(program.dockerfile.health)[0]) if program.dockerfile.health else {}
    if asked and asked["live"] != "none":
        return _fitting(asked, port), ""
    if port and program.code.live:
        return {"live": program.code.live, "ready": program.code.ready}, "routes in the code; nothing else says how it is asked"
    if port and program.project.page:
        return {"live": "/", "ready": "/"}, "the page itself; nothing says how it is asked"
    return {}, ""


def _fitting(probes: dict[str, Probe], port: int) -> dict[str, Probe]:
    """Those that the service can answer; a connection to the port is asked anyway."""
    made = {kind: asked for kind, asked in probes.items() if port or isinstance(asked, list) or asked == "none"}
    return {kind: asked for kind, asked in made.items() if asked != "tcp"}


def writable_of(name: str, found: Found, program: Program | None, made: Environment, draft: Draft) -> dict[str, str]:
    """Return the folders that have to be written to."""
    folders: dict[str, str] = {}
    if known := known_images.known(program.dockerfile.base if program else found.image):
        folders |= dict.fromkeys(known.folders, SIZE)
    if program:
        folders |= _of_framework(name, found, program, draft)
    for mount in found.mounts:
        if mount.bind:
            _tell_bind(name, mount.source, mount.target, program, draft)
        elif mount.source and not (program and mount.target.endswith("node_modules")):
            folders[mount.target] = SIZE
            what = f"the data in {mount.target} (the volume {mount.source})"
            draft.tell(name, f"{what} goes with the pod: keep what must last in the database")
    if made.sqlite:
        folders[made.sqlite] = SIZE
        draft.tell(
            name, f"its SQLite database in {made.sqlite} goes with the pod, and each pod has its own: use Postgres for what must last"
        )
    return {path: size for path, size in folders.items() if not path.startswith("/tmp")}  # noqa: S108 - it is writable anyway


def _of_framework(name: str, found: Found, program: Program, draft: Draft) -> dict[str, str]:
    if not program.dockerfile.base:
        return {}
    folder = program.dockerfile.workdir.rstrip("/")
    started = " ".join(found.args) or program.dockerfile.started
    if program.project.page == "next":
        if re.search(r"\bdev\b", started):
            why = "`next dev` builds the page at each start; `next build` in the Dockerfile would make it quick and small"
            draft.reasons[name, "writable"] = why
            return {f"{folder}/.next": "512Mi"}
        draft.reasons[name, "writable"] = "what Next.js caches at run time"
        return {f"{folder}/.next/cache": "128Mi"}
    if program.project.page == "vite" and re.search(r"\b(dev|preview|vite)\b", started):
        draft.reasons[name, "writable"] = "what Vite caches at run time"
        return {f"{folder}/node_modules/.vite": "128Mi"}
    return {}


def _tell_bind(name: str, source: str, target: str, program: Program | None, draft: Draft) -> None:
    if program and any(fnmatch(PurePath(source).name, PurePath(each).name) for each in program.dockerfile.copied if each.strip("./")):
        return  # the image has that file
    within = program and _within(target, program.dockerfile.workdir)
    if re.search(r"(^|/)\.env\b", source):
        return  # its keys come as environment variables
    if within and not re.search(r"\.(env|conf|ya?ml|json|toml|ini)\b", source):
        return  # the sources, which the image has
    draft.tell(name, f"{source} is mounted as {target} in the compose file, and no pod sees files of this machine: copy it into the image")


def _within(target: str, workdir: str) -> bool:
    """Whether it is the folder of the program, below it, or around it."""
    inner, outer = PurePath(target), PurePath(workdir)
    return inner.is_relative_to(outer) or (outer.is_relative_to(inner) and str(inner) != "/")


def memory_of(found: Found, program: Program | None, writable: dict[str, str]) -> tuple[dict[str, Any], str]:
    """Return the resources that differ from the chart's own, and the reason where they are a guess."""
    made: dict[str, Any] = {key: dict(amounts) for key, amounts in found.resources.items()}
    why = ""
    started = " ".join(found.args) or (program.dockerfile.started if program else "")
    if "memory" not in made.get("limits", {}) and program:
        heavy = program.project.heavy or next((word for word, sign in _HUNGRY.items() if re.search(sign, started)), "")
        if heavy:
            made.setdefault("limits", {})["memory"] = "1Gi"
            why = f"{heavy} takes more than the chart's 256Mi"
    disk = sum(int(size.removesuffix("Mi")) for size in writable.values())
    if disk > 128:
        made.setdefault("limits", {})["ephemeral-storage"] = f"{256 + disk}Mi"
    return made, why
