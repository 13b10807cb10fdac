"""The chart that was judged last: one that is the same is not judged again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from scripts.core.paths import STATE
from scripts.desired.helm_release import HelmRelease

PATH = STATE / "checked-chart"


def unless_known(engine: str, release: HelmRelease, kubernetes_version: str, judge: Callable[[], object]) -> None:
    """Let the engine judge the release, unless it was this one the last time. Raises what `judge` does, and then remembers nothing."""
    what = f"{engine} {release.fingerprint} {kubernetes_version}"
    if PATH.is_file() and PATH.read_text(encoding="utf-8") == what:
        return
    judge()
    with contextlib.suppress(OSError):  # what cannot be kept is judged again
        PATH.parent.mkdir(exist_ok=True)
        PATH.write_text(what, encoding="utf-8")
