"""What lies deep in what others wrote: maps within maps, any of which may be missing, or something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(value: Any, *path: str) -> Any:
    """Return what lies at a path of keys; None where a part of it is missing.

    >>> at({"a": {"b": 1}}, "a", "b"), at({"a": "b"}, "a", "b")
    (1, None)
    """
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
