"""CPU and memory in use, as a person reads them."""

from __future__ import annotations

from scripts.kubernetes.usage import Amounts


def shown(used: Amounts, limits: Amounts) -> tuple[str, str]:
    """Return CPU in cores and memory in MiB, each in use against its limit; empty where nothing is known."""
    cpu = f"{used.cpu:.2f}/{limits.cpu:g}" if used.cpu or used.memory else ""
    memory = f"{used.memory // 2**20}/{limits.memory // 2**20} MiB" if used.memory else ""
    return cpu, memory
