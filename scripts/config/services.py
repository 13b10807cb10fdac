"""A service of the app as `invoke.yaml` describes it: what it is made of, and all that is said of it once (specs/services.md)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from scripts.core.paths import ROOT
from scripts.core.strict import Strict

TAKEN = "docker/taken"
"""The build context of an image that is taken as it is."""
SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2")
_REFERENCE = re.compile(r"(?P<literal>\{\{[\w.-]+\}\}|\\\{[\w.-]+\})|\{(?P<name>[a-z][a-z0-9-]*)(?:\.(?P<part>[a-z_]+))?\}")
_COMMAND = {"type": "array", "items": {"type": "string"}, "minItems": 1}

_NAME = r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?"
ServiceName = Annotated[str, Field(pattern=rf"^{_NAME}$")]
"""20 characters at most, so that names made of it fit into the 63 that DNS allows."""
KeyName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]
AnyPath = Annotated[str, Field(pattern=r"^[^\x00-\x1f]+$", max_length=400)]
FolderPath = Annotated[str, Field(pattern=r"^/+[^\s/][^\s]*$")]
UrlPath = Annotated[str, Field(pattern=r"^/[^\s]*$")]
Bytes = Annotated[str, Field(pattern=r"^[1-9][0-9]*(Ki|Mi|Gi|Ti)$")]
Cpu = Annotated[str, Field(pattern=r"^([1-9][0-9]*m|[0-9]+(\.[0-9]{1,3})?)$")]
Command = Annotated[tuple[str, ...], Field(strict=False)]


@dataclass(frozen=True)
class Variable:
    """A variable that a service gets from `.env`: the key there, and the scheme that its URL is to have, if any."""

    name: str
    key: str
    scheme: str = ""


def _variable(value: Any) -> Variable:
    if isinstance(value, str):
        return Variable(value, value)
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, source),) = value.items()
        if isinstance(source, str):
            return Variable(str(name), source)
        if isinstance(source, Mapping) and set(source) == {"from", "scheme"} and source["scheme"] in SCHEMES:
            return Variable(str(name), str(source["from"]), source["scheme"])
    raise ValueError(f"write KEY, or {{NAME: KEY}}, or {{NAME: {{from: KEY, scheme: {' | '.join(SCHEMES)}}}}}")


def _probe(value: Any) -> Mapping[str, Any]:
    """A probe in the chart's words."""
    if value in ("tcp", "none"):
        return {"tcp": True} if value == "tcp" else {}
    if isinstance(value, str) and re.fullmatch(r"/\S*", value):
        return {"path": value}
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return {"exec": value}
    raise ValueError("write a path that begins with /, tcp, none, or a command as a list of words in quotes")


def _user(value: Any) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9][0-9]{0,9})(?::([0-9]{1,10}))?", str(value)) if isinstance(value, str | int) else None
    if match is None:
        raise ValueError("write a number above 0, or two as in 1000:1000: containers never run as root")
    return int(match[1]), int(match[2] or match[1])


def _init(value: Any) -> Mapping[str, list[str]]:
    commands = {"init": value} if isinstance(value, list) else value
    if isinstance(commands, Mapping):
        named = all(re.fullmatch(_NAME, str(name)) for name in commands)
        if named and all(isinstance(c, list) and c and all(isinstance(word, str) for word in c) for c in commands.values()):
            return dict(commands)
    raise ValueError("write a command as a list of words in quotes, or a map of name to command")


Probe = Annotated[
    Any, PlainValidator(_probe), WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^(/[^\\s]*|tcp|none)$"}, _COMMAND]})
]
Init = Annotated[Any, PlainValidator(_init), WithJsonSchema({"anyOf": [_COMMAND, {"type": "object", "additionalProperties": _COMMAND}]})]
User = Annotated[
    Any,
    PlainValidator(_user),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[1-9][0-9]*(:[0-9]+)?$"}]}),
]
_FROM = {
    "type": "object",
    "properties": {
        "from": {"type": "string", "description": "The key under env."},
        "scheme": {"enum": list(SCHEMES), "description": "The scheme that its URL gets."},
    },
    "required": ["from", "scheme"],
    "additionalProperties": False,
}
_PAIR = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"anyOf": [{"type": "string"}, _FROM]}}
SecretVariable = Annotated[Any, PlainValidator(_variable), WithJsonSchema({"anyOf": [{"type": "string"}, _PAIR]})]


class Source(Strict):
    """What an image is made of: a folder with a Dockerfile, or an image that is taken as it is."""

    context: AnyPath | None = None
    """The folder that the build sees, from the repository's root; anywhere on this machine."""
    dockerfile: AnyPath | None = None
    """Its Dockerfile, from the repository's root; by default CONTEXT/Dockerfile."""
    build_args: dict[VariableName, str] = Field(default_factory=dict)
    """Build arguments; {NAME.local_url} is the address of a service for a browser on this machine. No place for a secret."""
    target: str | None = None
    """The stage to build; by default the last one."""
    base: str | None = None
    """The name under `base_images` of what it is built on: build argument BASE_IMAGE. For Dockerfiles that are made for it."""
    image: str | None = None
    """Instead of a context: an image that is taken as it is, with a tag, a digest, or both."""

    def folder(self) -> Path:
        """The build context."""
        return local_path(self.context or TAKEN)

    def file(self) -> Path:
        """The Dockerfile."""
        return local_path(self.dockerfile) if self.dockerfile else self.folder() / "Dockerfile"

    def arguments(self) -> dict[str, str]:
        """The build arguments as they are written; an image that is taken is one."""
        return {"IMAGE": self.image} if self.image else self.build_args


class Probes(Strict):
    """How a service is asked how it is; by default by a connection to its port."""

    live: Probe = None
    """Is the process to be restarted? A path, tcp, a command as a list, or none."""
    ready: Probe = None
    """Can it serve? A path, tcp, a command as a list, or none."""


class Amounts(Strict):
    """Amounts of what a machine has, as Kubernetes writes them."""

    cpu: Cpu | None = None
    """CPUs, such as 250m or "1"."""
    memory: Bytes | None = None
    """Memory, such as 256Mi."""
    ephemeral_storage: Bytes | None = Field(default=None, alias="ephemeral-storage")
    """Disk for logs and writable folders, such as 256Mi."""


class Resources(Strict):
    """What each pod of a service asks for, and what it may use at most."""

    requests: Amounts = Amounts()
    """What a node must have free."""
    limits: Amounts = Amounts()
    """What it may use at most."""


class Autoscaling(Strict):
    """How many pods, by the CPU that they use."""

    min: Annotated[int, Field(ge=1)] = 2
    """At least so many pods."""
    max: Annotated[int, Field(ge=1)] = 4
    """At most so many pods."""
    cpu_percent: Annotated[int, Field(ge=1, le=1000)] = 80
    """Of the request; above it pods are added."""


class Dev(Strict):
    """How `invoke dev` brings changes to a service."""

    sync: dict[AnyPath, UrlPath] = Field(default_factory=dict)
    """Folders of Python sources, from the context, each with its folder in the image: changes there go into the running container."""
    command: Command = ()
    """What the container starts while `sync` is in use, and starts again after each change."""
    rebuild: tuple[AnyPath, ...] = Field(default=(), strict=False)
    """Files and folders below those of `sync` that take a new image all the same, such as migrations."""
    on_host: Command = ()
    """What `invoke dev --on-host NAME` starts on this machine, in the context."""


class Service(Source):
    """One service of the app."""

    user: User = None
    """The user that it runs as, 1000 or 1000:1000; by default the image's own. Needed where that is root."""
    command: Command = ()
    """In place of the image's ENTRYPOINT."""
    args: Command = ()
    """In place of the image's CMD."""
    port: Port | None = None
    """Where it listens; the process gets it as PORT. Without one it is a worker, that nothing calls."""
    local_port: Port | None = None
    """The port on this machine, on its loopback address; by default `port` where it is public, else a free one."""
    public: bool = False
    """Whether a person's browser opens or calls it."""
    public_path: UrlPath = "/"
    """From which path on `ingress.host` leads to it; of two that match, the longer counts."""
    env: dict[VariableName, str] = Field(default_factory=dict)
    """Plain settings. {NAME} is the host of a service, {NAME.url} its URL; a literal {word} is written \\{word}."""
    secrets: tuple[SecretVariable, ...] = Field(default=(), strict=False)
    """What it gets of `.env`, and no other key: KEY, {NAME: KEY}, or {NAME: {from: KEY, scheme: postgresql+asyncpg}}."""
    probes: Probes = Probes()
    """How it is asked how it is."""
    metrics: UrlPath | None = None
    """The path of its metrics for Prometheus; none: it has none."""
    pages: dict[UrlPath, str] | None = None
    """Map of path to a text that the page holds, which smoke and `helm test` look for; by default `/` where it is public."""
    init: Init = None
    """A command that runs to its end before each new pod serves, or a map of name to command."""
    writable: dict[FolderPath, Bytes] = Field(default_factory=dict)
    """Map of folder to size: what may be written to, beside /tmp."""
    resources: Resources = Resources()
    """Requests and limits; by default the chart's."""
    replicas: Annotated[int, Field(ge=1)] | None = None
    """A fixed number of pods."""
    autoscaling: Autoscaling | None = None
    """Pods by the CPU that they use; by default 2 to 4 for what is built."""
    calls: tuple[str, ...] = Field(default=(), strict=False)
    """The services that it may call, and `postgres`: the bundled one."""
    internet: tuple[Port, ...] = Field(default=(), strict=False)
    """TCP ports that are open to the internet."""
    dev: Dev = Dev()
    """How `invoke dev` brings changes to it; by default by a new image."""

    def probe(self, kind: str) -> Mapping[str, Any]:
        """Return how it is asked, `live` or `ready`, in the chart's words: `path`, `tcp`, `exec` or nothing."""
        found: Mapping[str, Any] | None = getattr(self.probes, kind)
        return found if found is not None else {"tcp": True} if self.port else {}

    @property
    def probe_paths(self) -> list[str]:
        """The paths of its probes, each once."""
        return list(dict.fromkeys(path for kind in ("live", "ready") if (path := self.probe(kind).get("path"))))

    @property
    def env_keys(self) -> set[str]:
        """The keys of `.env` that it gets values of."""
        return {variable.key for variable in self.secrets}

    @property
    def is_autoscaled(self) -> bool:
        """Whether an autoscaler chooses its number of pods: by default of what is built, and not of an image that is taken."""
        return self.autoscaling is not None or (self.replicas is None and self.image is None)

    @property
    def wanted_local_port(self) -> int:
        """The port that it gets on this machine; 0: any."""
        return self.local_port or (self.port if self.public and self.port else 0)

    @property
    def asked_pages(self) -> Mapping[str, str]:
        """The pages that are asked for, with the text that each must hold."""
        return self.pages if self.pages is not None else {"/": ""} if self.public else {}


def references(text: str) -> Iterator[tuple[str, str]]:
    """Yield each service that a text names, with what is wanted of it (`host` where it says nothing)."""
    yield from ((match["name"], match["part"] or "host") for match in _REFERENCE.finditer(text) if match["name"])


def filled(text: str, values: Mapping[tuple[str, str], str]) -> str:
    """Return a text with what its references stand for."""
    return _REFERENCE.sub(lambda m: values[m["name"], m["part"] or "host"] if m["name"] else m[0].removeprefix("\\"), text)


def local_path(text: str) -> Path:
    """Return what a path means: from the repository's root, or from a home folder."""
    return Path(os.path.normpath(ROOT / os.path.expanduser(text)))  # noqa: PTH111 - of any text


def shown(path: Path) -> str:
    """Return a path as a person reads it: from the repository's root where it is within."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def called_by(service: str, services: Mapping[str, Service]) -> list[str]:
    """Return the services that one calls, and those that they call, the nearest first."""
    found: list[str] = []
    ahead = [service]
    while ahead:
        for name in services[ahead.pop(0)].calls:
            if name in services and name not in (service, *found):
                found.append(name)
                ahead.append(name)
    return found
