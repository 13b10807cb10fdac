"""A draft of `invoke.yaml` and `.env.example`: what is to stand in them, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scripts.discover.found import Unknown


@dataclass
class Key:
    """A key of `.env`."""

    name: str
    description: str
    optional: bool = False
    generate: bool = False
    format: str = "text"
    default: str = ""


@dataclass
class Draft:
    """What is to stand in both files."""

    project: str
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[tuple[str, ...], str] = field(default_factory=dict)
    """By service and key, or the name below it: why it says what it says, where it is a guess."""
    keys: dict[str, Key] = field(default_factory=dict)
    database: bool = False
    """Whether a service uses the bundled Postgres."""
    database_user: str = "app"
    database_name: str = "app"
    tester: str = ""
    """The service whose image has Python, for the chart's own test."""
    unknown: list[Unknown] = field(default_factory=list)

    def tell(self, about: str, what: str) -> None:
        """Note what could not be known."""
        if Unknown(about, what) not in self.unknown:
            self.unknown.append(Unknown(about, what))

    def add_key(self, key: Key) -> None:
        """Add a key of `.env`; it has to have a value when one of its services cannot do without."""
        known = self.keys.setdefault(key.name, key)
        known.optional = known.optional and key.optional
        known.default = known.default or key.default
        known.format = key.format if known.format == "text" else known.format

    def database_url(self) -> str:
        """The URL of the bundled Postgres, as the default of a key has it."""
        host = "{release}-postgres:5432"
        return f"postgresql://{self.database_user}:{{POSTGRES_PASSWORD}}@{host}/{self.database_name}"
