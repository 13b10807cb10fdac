"""What a cause is, which causes there are, and when one counts as final."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.kubernetes.objects import name_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

LONGEST_LINE = 300
LONGEST_VALUE = 60


@dataclass(frozen=True)
class Patience:
    """When a cause counts as final: after it has lasted so many seconds and the container has exited so many times."""

    seconds: float = 0
    exits: int = 0


NEVER_FINAL = Patience(seconds=float("inf"))
DATABASE_CODES = (
    "database-name-unknown",
    "database-refused",
    "database-login",
    "egress-blocked",
    "database-silent",
    "database-locked",
    "database-busy",
    "database-unwritable",
    "database-unmigrated",
)
PATIENCE = {
    "image-not-on-node": Patience(10),
    "image-name-invalid": Patience(),
    "secret-missing": Patience(5),
    "secret-key-missing": Patience(5),
    "configmap-missing": Patience(5),
    "configmap-key-missing": Patience(5),
    "not-configured": Patience(5),
    "runs-as-root": Patience(),
    "program-not-started": Patience(5),
    "wrong-architecture": Patience(),
    "out-of-memory": Patience(exits=2),
    "liveness-failing": Patience(exits=2),
    "startup-too-slow": Patience(exits=1),
    "read-only-file-system": Patience(exits=2),
    **dict.fromkeys(DATABASE_CODES, Patience(60)),
    "database-not-ours": Patience(exits=2),
    "database-certificate": Patience(exits=2),
    "database-url": Patience(exits=2),
    "migration-failed": Patience(exits=2),
    "crash-on-start": Patience(exits=3),
    "crash-later": Patience(exits=3),
    "ended-by-itself": Patience(exits=3),
    "killed-from-outside": NEVER_FINAL,
    "readiness-http": NEVER_FINAL,
    "readiness-refused": NEVER_FINAL,
    "readiness-timeout": NEVER_FINAL,
    "readiness-failing": NEVER_FINAL,
    "unschedulable-cpu": Patience(20),
    "unschedulable-memory": Patience(20),
    "unschedulable": Patience(20),
    "no-room-for-update": NEVER_FINAL,
    "volume-unbound": Patience(20),
    "volume-elsewhere": Patience(60),
    "volume-not-mounted": Patience(30),
    "sandbox-failed": Patience(30),
    "evicted": Patience(30),
    "quota-exceeded": Patience(20),
    "limit-range": Patience(3),
    "pod-security": Patience(3),
    "service-account-missing": Patience(3),
    "pod-refused": Patience(10),
    "admission-changed": Patience(10),
    "webhook-down": Patience(30),
    "controller-waits": NEVER_FINAL,
    "stalled": Patience(),
    "node-not-ready": Patience(60),
    "dns-down": Patience(60),
    "dns-blocked": Patience(60),
    "dns-at-risk": NEVER_FINAL,
    "dns-strange": NEVER_FINAL,
    "nodes-cordoned": Patience(60),
    "scheduler-silent": Patience(60),
    "controllers-silent": Patience(60),
    "network-down": NEVER_FINAL,
    "runtime-silent": Patience(120),
    "pod-strange": NEVER_FINAL,
    "pod-changed": NEVER_FINAL,
    "pod-released": Patience(20),
    "pod-endless": Patience(60),
    "endpoints-strange": NEVER_FINAL,
    "endpoints-stale": Patience(60),
    "secret-strange": NEVER_FINAL,
    "volume-lost": NEVER_FINAL,
    "secret-lost": NEVER_FINAL,
    "database-emptied": NEVER_FINAL,
    "database-setting": NEVER_FINAL,
    "database-damaged": NEVER_FINAL,
    "data-at-risk": NEVER_FINAL,
    "autoscaler-blind": NEVER_FINAL,
    "autoscaler-at-limit": NEVER_FINAL,
    "autoscaler-strange": NEVER_FINAL,
    "policy-strange": NEVER_FINAL,
    "drain-blocked": NEVER_FINAL,
    "drifted": NEVER_FINAL,
    "release-unfinished": NEVER_FINAL,
    "release-strange": NEVER_FINAL,
    "release-refused": NEVER_FINAL,
    "rights-missing": NEVER_FINAL,
    "not-rolled-out": NEVER_FINAL,
    "answers-wrong": NEVER_FINAL,
    "requests-failing": NEVER_FINAL,
    "requests-slow": NEVER_FINAL,
    "errors-logged": NEVER_FINAL,
    "proof-failed": NEVER_FINAL,
    "image-cleared": NEVER_FINAL,
}
"""Every code that a diagnosis can have, with when it is final."""
ABOUT_OTHER_PODS = frozenset(
    (
        "autoscaler-blind",
        "autoscaler-at-limit",
        "autoscaler-strange",
        "admission-changed",
        "dns-at-risk",
        "drain-blocked",
        "no-room-for-update",
        "nodes-cordoned",
        "pod-endless",
        "secret-lost",
        "quota-exceeded",
        "limit-range",
        "webhook-down",
        "controller-waits",
        "rights-missing",
        "image-cleared",
    )
)
"""Causes that leave the pods which serve as they are: whatever those answer has another one."""


@dataclass(frozen=True)
class Diagnosis:
    """One cause why a workload is not healthy."""

    code: str
    workload: str
    cause: str
    evidence: tuple[str, ...]
    action: str
    exits: int = 0
    """How many times the container has exited."""
    follows_from: str = ""
    """The workload whose own diagnosis explains this one."""

    def final_after(self, seconds: float, *, failed_before: bool = False) -> bool:
        """Return whether waiting longer is in vain, when the cause has lasted this many seconds.

        failed_before: its program had ended again and again before: one more end is enough.
        """
        patience = PATIENCE[self.code]
        exits = min(patience.exits, 1) if failed_before else patience.exits
        return not self.follows_from and seconds >= patience.seconds and self.exits >= exits


def diagnosed(workload: Object, code: str, cause: str, evidence: Sequence[str], action: str, exits: int = 0) -> Diagnosis:
    """Make a diagnosis, with the workload named and every text kept to one line."""
    name = name_of(workload)
    return Diagnosis(code, name, f"{name}: {one_line(cause)}", tuple(one_line(e) for e in evidence), action, exits)


def event_line(event: Object) -> str:
    """Return an event as a line of evidence."""
    count = max((event.get("series") or {}).get("count", 0), event.get("count") or 1)
    return f"event {event['reason']}{f' x{count}' if count > 1 else ''}: {event['message']}"


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Return a text on one line, cut where it is too long for evidence."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def value_line(value: Any) -> str:
    """Return what a field of an object holds, on a short line."""
    if value is None:
        return "not set"
    return one_line(value if isinstance(value, str) else json.dumps(value), LONGEST_VALUE)
