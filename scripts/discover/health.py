"""What a health check asks: a path by HTTP, a connection, or a command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from scripts.discover.found import Probe

_URL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(?P<port>\d{1,5}|\$\{?\w+(?::-\d+)?\}?))?(?P<path>/[^\s\"'`)|;&,]*)?"
)
_PARTS = re.compile(r"path['\"]?\s*:\s*['\"](?P<path>/[^'\"\s]*)")
_CONNECTS = re.compile(r"\bsocket\b|\bnc\s+-\w*z|/dev/tcp/|createConnection|\bwait-for")
_SAYS_NOTHING = re.compile(r"\s*(pgrep|ps|pidof|true|exit\s+0|echo|ls|test)\b")
"""What only tells that there is a process, which is known anyway, and asks for a program that few images have."""


def probe(test: Sequence[str]) -> tuple[Probe | None, int]:
    """Return what a check asks, as Compose and Dockerfiles write it (CMD, CMD-SHELL, NONE), and the port that it names or 0.

    None: nothing that would be worth asking.
    """
    kind, rest = (test[0], list(test[1:])) if test else ("NONE", [])
    if kind == "NONE" or not rest:
        return ("none" if kind == "NONE" else None), 0
    line = rest[0] if kind == "CMD-SHELL" else shlex.join(rest)
    shown = " ".join(rest)
    if match := _URL.search(shown):
        port = re.sub(r"\D+", "", (match["port"] or "").rpartition("-")[2])
        return re.sub(r"[?#].*", "", match["path"] or "/"), int(port) if port and int(port) < 65536 else 0
    if match := _PARTS.search(shown):  # node's http.get({path: …})
        return match["path"], 0
    if _CONNECTS.search(shown):
        return "tcp", 0
    if _SAYS_NOTHING.match(line):
        return None, 0
    return (["sh", "-c", rest[0]] if kind == "CMD-SHELL" else rest), 0


def both(asked: Probe | None) -> dict[str, Probe]:
    """Return one check as the two probes that it stands for."""
    return {} if asked is None else {"live": asked, "ready": asked}
