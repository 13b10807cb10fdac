"""CPU and memory that containers use: two looks at the daemon's counters, a moment apart."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scripts.kubernetes.usage import Amounts
from scripts.machine.docker_client import docker_client
from scripts.machine.docker_errors import told

MOMENT_SECONDS = 0.5


def of_containers(containers: Sequence[Any]) -> dict[str, Amounts]:
    """Return what each running container uses, by name."""
    running = [each for each in containers if each.status == "running"]
    if not running:
        return {}
    with ThreadPoolExecutor(max_workers=len(running)) as pool:
        found = list(pool.map(_used, running))
    return {each.name: amounts for each, amounts in zip(running, found, strict=True)}


def _used(container: Any) -> Amounts:
    with told(f"{container.name} cannot be measured"):
        first, started = _stats(container), time.monotonic()
        time.sleep(MOMENT_SECONDS)
        second, seconds = _stats(container), time.monotonic() - started
    return Amounts((_cpu(second) - _cpu(first)) / 1e9 / seconds, _memory(second))


def _stats(container: Any) -> Mapping[str, Any]:
    api: Any = docker_client().api
    found: Mapping[str, Any] = api.stats(container.id, stream=False, one_shot=True)
    return found


def _cpu(stats: Mapping[str, Any]) -> int:
    return int(stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0))


def _memory(stats: Mapping[str, Any]) -> int:
    """What is used beyond the file cache that the kernel may take back, as Kubernetes counts it."""
    memory = stats.get("memory_stats", {})
    counters = memory.get("stats", {})
    return int(memory.get("usage", 0)) - int(counters.get("inactive_file", counters.get("total_inactive_file", 0)))


def limits(container: Any) -> Amounts:
    """Return what a container may use."""
    host = container.attrs["HostConfig"]
    return Amounts(host.get("NanoCpus", 0) / 1e9, int(host.get("Memory", 0)))
