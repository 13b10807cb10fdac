"""Amounts of CPU and memory, as invoke.yaml writes them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_BINARY = {"kb": 2**10, "k": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30, "t": 2**40}


def memory(text: str, *, binary: bool) -> str:
    """Return an amount of memory in MiB; an empty string where it is none. binary: whether `M` is a MiB, as for Compose."""
    match = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*([a-zA-Z]{0,2})\s*", text)
    unit = (_UNITS | (_BINARY if binary else {})).get(match[2].lower()) if match else None
    amount = int(float(match[1]) * unit / 2**20) if match and unit else 0
    return f"{amount}Mi" if amount else ""


def cpu(text: str) -> str:
    """Return an amount of CPU; an empty string where it is none."""
    found = text.strip()
    if re.fullmatch(r"[1-9]\d{0,6}m", found):
        return found
    return f"{round(float(found) * 1000)}m" if re.fullmatch(r"\d{1,4}(\.\d{1,6})?", found) and round(float(found) * 1000) else ""


def amounts(of: dict[str, str], *, binary: bool) -> dict[str, str]:
    """Return those of `cpu` and `memory` that can be read."""
    read = {"cpu": cpu(of.get("cpu", "")), "memory": memory(of.get("memory", ""), binary=binary)}
    return {key: value for key, value in read.items() if value}
