"""Numbers of things in words."""

from __future__ import annotations


def several(number: int, word: str) -> str:
    """Return a number with its word, in the plural where there is not exactly one.

    >>> several(1, "pod"), several(3, "pod")
    ('1 pod', '3 pods')
    """
    return f"{number} {word}{'' if number == 1 else 's'}"
