"""A command line as a value: what others build and `shell` runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CommandLine:
    """A program to start on this machine, and variables for it."""

    argv: Sequence[str]
    environment: Mapping[str, str | None] = field(default_factory=dict)
