"""Hashes cut short, for names that carry them and for what is compared."""

from __future__ import annotations

import hashlib

TAG, NAME, FINGERPRINT = 12, 10, 16
"""Hex digits of an image's tag, of a Secret's name (which has 63 characters in all), and of what is compared and nobody types."""


def short_hash(content: str | bytes, digits: int) -> str:
    """Return so many hex digits of the SHA-256 of a content.

    >>> short_hash("a", 10)
    'ca978112ca'
    """
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()[:digits]
