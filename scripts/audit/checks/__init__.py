"""The checks: pure functions of what was seen, by the names that rules call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scripts.audit.checks import containers, images, objects, repository, running, scaling
from scripts.audit.facts import Facts, Finding

Check = Callable[[Facts, Mapping[str, Any]], Finding]

CHECKS: Mapping[str, Check] = {
    **repository.CHECKS,
    **images.CHECKS,
    **objects.CHECKS,
    **scaling.CHECKS,
    **containers.CHECKS,
    **running.CHECKS,
}
