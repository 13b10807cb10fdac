"""What was found in the folder of an app, in words of our own, whatever kind of file said it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ref:
    """A variable in a value, and what stands for it while it is not set."""

    name: str
    default: str = ""
    secret: bool = False
    """Whether the file that was read keeps it in a Secret."""


@dataclass(frozen=True)
class Value:
    """A value of the environment: text and variables, in their order."""

    pieces: tuple[str | Ref, ...] = ()

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Its variables."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Ref))

    @property
    def whole(self) -> Ref | None:
        """The variable that it is, where it is nothing but one."""
        return self.pieces[0] if len(self.pieces) == 1 and isinstance(self.pieces[0], Ref) else None

    @property
    def text(self) -> str:
        """The value while no variable is set."""
        return self.written(lambda ref: ref.default)

    @property
    def sameness(self) -> tuple[str, str] | None:
        """What two values have in common that are one secret: the variable, or the text; None where there is neither."""
        if self.whole:
            return "variable", self.whole.name
        return ("text", self.text) if self.text and not self.refs else None

    def written(self, ref: Callable[[Ref], str]) -> str:
        """Return the value with what `ref` says for each variable."""
        return "".join(piece if isinstance(piece, str) else ref(piece) for piece in self.pieces)


def text_value(text: str) -> Value:
    """Return the value that is this text."""
    return Value((text,) if text else ())


@dataclass(frozen=True)
class Build:
    """What an image is built from."""

    context: Path
    dockerfile: Path
    args: dict[str, Value] = field(default_factory=dict)
    target: str = ""


@dataclass(frozen=True)
class Port:
    """A port of a container, and the one of this machine that leads to it (0: none)."""

    container: int
    host: int = 0


@dataclass(frozen=True)
class Mount:
    """Something mounted into a container."""

    source: str
    target: str
    bind: bool
    """Whether it is a file or folder of this machine, and no volume."""


Probe = str | list[str]
"""A path, `tcp`, `none`, or a command: as invoke.yaml writes it."""


@dataclass
class Found:
    """A service, as one file describes it."""

    name: str
    origin: str
    build: Build | None = None
    image: str = ""
    ports: list[Port] = field(default_factory=list)
    environment: dict[str, Value] = field(default_factory=dict)
    has_other_secrets: bool = False
    """Whether it also gets the keys of a Secret that no file holds."""
    needs: list[str] = field(default_factory=list)
    """The services that are to be there before it."""
    after: list[str] = field(default_factory=list)
    """Those of them that have to have ended well."""
    probes: dict[str, Probe] = field(default_factory=dict)
    """By `live` and `ready`; both the same where the file has one."""
    mounts: list[Mount] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    user: str = ""
    replicas: int | None = None
    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    """Other names that it answers to."""
    cannot: list[str] = field(default_factory=list)
    """What the file says of it and cannot be had."""


@dataclass(frozen=True)
class Unknown:
    """Something that could not be known: of what, and what a person has to look at."""

    about: str
    what: str


@dataclass(frozen=True)
class EnvKey:
    """A key of an example of `.env`."""

    name: str
    value: str
    comment: str = ""


def mapping(value: Any) -> dict[str, Any]:
    """Return a mapping with text keys; an empty one of anything else."""
    return {str(key): inner for key, inner in value.items()} if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a list; one of a single value; an empty one of nothing."""
    return value if isinstance(value, list) else [] if value is None else [value]


def words(value: Any) -> str:
    """Return a scalar as text, and anything else as an empty one."""
    return value if isinstance(value, str) else ""


def number(text: Any) -> int:
    """Return a port in text; 0 where it is none."""
    digits = words(text).strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 and 0 < int(digits) < 65536 else 0
