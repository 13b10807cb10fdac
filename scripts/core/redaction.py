"""Keeps secret values out of everything that is printed or written to a log."""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse

MASK = "[secret]"
SHORTEST = 4  # shorter values would mask ordinary words; the settings refuse shorter secrets


def forms_of(value: str) -> set[str]:
    """Return a value as it may stand in a text: as it is, URL-quoted, in base64, in JSON, and line by line."""
    forms = {value, urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value)}
    forms.add(base64.b64encode(value.encode()).decode())
    forms |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return forms | {line for line in value.splitlines() if len(line) >= SHORTEST}


class Redactor:
    """Replaces known secret values, also URL-quoted, in base64 and in JSON, by a mask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: tuple[str, ...] = ()

    def learn(self, *values: str) -> None:
        """Add secret values to hide from now on; values shorter than four characters are passed over."""
        forms = {form for value in values if len(value) >= SHORTEST for form in forms_of(value)}
        with self._lock:
            self._forms = tuple(sorted(forms.union(self._forms), key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """Return `text` with every known secret value masked."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text


redact = Redactor()
