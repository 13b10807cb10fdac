"""What a Dockerfile says of the image that it makes: of the stage that is built, and of those that it is built on."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field, replace

from scripts.desired.dockerfile import filled, instructions
from scripts.discover.found import number

_FLAG = re.compile(r"--\S+\s*")


@dataclass(frozen=True)
class Dockerfile:
    """What is known of an image from its Dockerfile."""

    base: str = ""
    """The image that it is built on, outside of the Dockerfile."""
    user: str = ""
    workdir: str = "/"
    ports: tuple[int, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    """All that it declares, in whichever stage, with their defaults."""
    copied: tuple[str, ...] = ()
    """The files that it names one by one to copy them, in whichever stage."""
    health: tuple[str, ...] = ()
    """As Compose writes a test: CMD or CMD-SHELL and what follows, or NONE."""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()

    @property
    def started(self) -> str:
        """The line that starts it."""
        return " ".join([*self.entrypoint, *self.cmd])


def parse(text: str, target: str = "") -> Dockerfile | None:
    """Return what is known of the image of the stage `target`, or of the last one; None where there is no such stage."""
    stages: dict[str, Dockerfile] = {}
    outside: dict[str, str] = {}
    everything: dict[str, str] = {}
    current: Dockerfile | None = None
    name, copied = "", list[str]()
    for _, word, arguments in instructions(text):
        if word == "ARG":
            declared = dict(_pair(part) for part in _split(arguments))
            everything |= declared
            if current is None:
                outside |= declared
        if word in ("COPY", "ADD") and "--from" not in arguments:
            copied += _split(_FLAG.sub("", arguments))[:-1]
        if word == "FROM":
            if current is not None:
                stages[name] = current
                if target and name == target.lower():
                    break
            current, name = _stage(arguments, stages, outside)
            name = name or str(len(stages))
        elif current is not None:
            current = _with(current, word, arguments)
    if current is None or (target and name != target.lower()):
        return None
    return replace(current, args=everything, copied=tuple(copied))


def _stage(arguments: str, stages: dict[str, Dockerfile], outside: dict[str, str]) -> tuple[Dockerfile, str]:
    parts = _FLAG.sub("", arguments).split()
    image = filled(parts[0], outside) if parts else ""
    name = parts[2].lower() if len(parts) > 2 and parts[1].lower() == "as" else ""
    return stages.get(image.lower(), Dockerfile(base=image)), name


def _with(stage: Dockerfile, word: str, arguments: str) -> Dockerfile:
    known = stage.env | stage.args
    match word:
        case "USER":
            return replace(stage, user=filled(arguments, known))
        case "WORKDIR":
            path = filled(arguments.strip("\"'"), known)
            return replace(stage, workdir=path if path.startswith("/") else f"{stage.workdir.rstrip('/')}/{path}")
        case "EXPOSE":
            ports = [number(filled(part, known).partition("/")[0]) for part in _split(arguments) if not part.endswith("/udp")]
            return replace(stage, ports=(*stage.ports, *(port for port in ports if port)))
        case "ENV":
            return replace(stage, env=stage.env | {key: filled(value, known) for key, value in _environment(arguments)})
        case "ARG":
            return replace(stage, args=stage.args | dict(_pair(part) for part in _split(arguments)))
    return _started(stage, word, arguments, known)


def _started(stage: Dockerfile, word: str, arguments: str, known: dict[str, str]) -> Dockerfile:
    match word:
        case "HEALTHCHECK":
            kind, _, command = _FLAG.sub("", arguments).strip().partition(" ")
            return replace(stage, health=("NONE",) if kind.upper() == "NONE" else _health(filled(command, known)))
        case "CMD":
            return replace(stage, cmd=_command(arguments))
        case "ENTRYPOINT":
            return replace(stage, entrypoint=_command(arguments), cmd=())
    return stage


def _health(command: str) -> tuple[str, ...]:
    listed = _json(command)
    return ("CMD", *listed) if listed is not None else ("CMD-SHELL", command)


def _command(arguments: str) -> tuple[str, ...]:
    listed = _json(arguments)
    return tuple(listed) if listed is not None else ("sh", "-c", arguments)


def _json(text: str) -> list[str] | None:
    try:
        found = json.loads(text) if text.startswith("[") else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else None


def _environment(arguments: str) -> list[tuple[str, str]]:
    first, _, rest = arguments.partition(" ")
    if "=" in first:
        return [_pair(part) for part in _split(arguments) if "=" in part]
    return [(first, rest.strip())]


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name, value


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
