"""Versions: which is the newest, and which is safe to take (specs/outdated.md). All of it pure."""

from __future__ import annotations

import re
from collections.abc import Collection

FINAL = re.compile(r"v?(\d+(?:\.\d+)*)")


def numbers(version: str) -> tuple[int, ...] | None:
    """Return the numbers of a final version, with or without `v`; None for a preview or anything else."""
    match = FINAL.fullmatch(version)
    return tuple(map(int, match[1].split("."))) if match else None


def newest(versions: Collection[str]) -> str:
    """Return the newest final version, or an empty string where there is none."""
    return max((each for each in versions if numbers(each)), key=lambda each: numbers(each) or (), default="")


def safe(now: str, versions: Collection[str], *, patches: bool = False, below: str = "") -> str:
    """Return the newest version that keeps what `now` promises; an empty string where that is `now`, or cannot be told.

    patches: only the last number may differ. below: a version that is not accepted any more, nor any after it.
    """
    own, end = numbers(now), numbers(below)
    if own is None or len(own) < 3:
        return ""
    kept = 2 if patches or own[0] == 0 else 1
    fit = [
        each for each in versions if (found := numbers(each)) and found > own and found[:kept] == own[:kept] and not (end and found >= end)
    ]
    return newest(fit)
