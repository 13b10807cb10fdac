"""Looks for the values of `.env` in texts and files, and remembers where it found one; never the value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from scripts.audit.facts import Leak
from scripts.core.redaction import forms_of

SHORTEST = 8
"""A shorter value is found in ordinary text."""
CHUNK = 1 << 20


class Seeker:
    """What is looked for, and what was found."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._forms = [
            (key, form.encode())
            for key, value in values.items()
            if len(value) >= SHORTEST
            for form in sorted(forms_of(value))
            if len(form) >= SHORTEST
        ]
        self._overlap = max((len(form) for _, form in self._forms), default=1) - 1
        self._found: dict[Leak, None] = {}
        self.too_short = [key for key, value in values.items() if value and len(value) < SHORTEST]

    @property
    def keys(self) -> set[str]:
        """The keys whose values are looked for."""
        return {key for key, _ in self._forms}

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """What was found, each once."""
        return tuple(self._found)

    def seek(self, place: str, text: str | bytes) -> None:
        """Look for every value in a text."""
        data = text.encode() if isinstance(text, str) else text
        for key, form in self._forms:
            if form in data:
                self._found[Leak(key, place)] = None

    def seek_in(self, place: str, file: IO[bytes]) -> None:
        """Look for every value in a file of any size, read to its end. Raises OSError, EOFError."""
        rest = b""
        while chunk := file.read(CHUNK):
            self.seek(place, rest + chunk)
            rest = (rest + chunk)[-self._overlap :] if self._overlap else b""
