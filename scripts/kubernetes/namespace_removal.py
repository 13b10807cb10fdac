"""Removes a namespace, and tells what keeps it: its controller says so in conditions, and waits forever."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence

from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import conditions_of, name_of

SECONDS = 180
SETTLE_SECONDS = 15
"""How long a failure must last: an API that has just been removed is still looked for once or twice."""
PATIENT_SECONDS = 10
"""After so long it is said, and stays on the screen, what the namespace waits for."""
POLL_SECONDS = 0.5
DEAD_API = (
    "kubectl get apiservices tells which API does not answer: bring back what serves it, or kubectl delete apiservice NAME; "
    "the namespace then goes by itself"
)
FAILURES = {
    "NamespaceDeletionDiscoveryFailure": DEAD_API,
    "NamespaceDeletionGroupVersionParsingFailure": DEAD_API,
    "NamespaceDeletionContentFailure": "remove what the message names, then run it again",
}
REMAINING = ("NamespaceFinalizersRemaining", "NamespaceContentRemaining")


def remove_namespace(cluster: Cluster, step: StepReport) -> None:
    """Delete the cluster's namespace and wait until it is gone. Raises TaskError with what keeps it, as soon as that lasts."""
    cluster.kubectl("delete", "namespace", cluster.namespace, "--ignore-not-found", "--wait=false")
    failing_since: float | None = None
    found: list[Object] = []
    held: list[str] = []
    started = time.monotonic()

    def gone() -> bool:
        nonlocal failing_since
        found[:] = look(lambda: cluster.get("namespace", cluster.namespace), step)
        failing = _true(found, FAILURES)
        failing_since = (failing_since or time.monotonic()) if failing else None
        if failing and failing_since is not None and time.monotonic() - failing_since > SETTLE_SECONDS:
            raise _kept(cluster, failing[0], FAILURES[str(failing[0]["type"])])
        if remaining := _true(found, REMAINING):
            step.progress(str(remaining[0].get("message", "")))
            if time.monotonic() - started > PATIENT_SECONDS and not held:
                held.extend(_holders(cluster, found))
                step.say(f"the namespace {cluster.namespace} waits for {', '.join(held) or remaining[0].get('message')}")
        return not found

    try:
        until(gone, seconds=SECONDS, pause=POLL_SECONDS, what=f"the namespace {cluster.namespace} to go")
    except OverdueError as error:
        conditions = _true(found, (*FAILURES, *REMAINING))
        if not conditions:
            raise TaskError(error.cause, "run it again; `kubectl get namespace` shows its state") from None
        action = FAILURES.get(str(conditions[0]["type"]), "end what holds the finalizers that the message names, then run it again")
        raise _kept(cluster, conditions[0], action, _holders(cluster, found)) from None


def _true(found: Sequence[Object], kinds: Iterable[str]) -> list[Object]:
    """Return the conditions of these kinds that hold, in the order of the kinds."""
    conditions = {each["type"]: each for namespace in found for each in conditions_of(namespace)}
    return [conditions[kind] for kind in kinds if conditions.get(kind, {}).get("status") == "True"]


def _holders(cluster: Cluster, found: Sequence[Object]) -> list[str]:
    """Return what is left in the namespace and held by a finalizer, each with the finalizer's name."""
    left = " ".join(str(condition.get("message")) for condition in _true(found, ("NamespaceContentRemaining",)))
    kinds = [kind.rstrip(".") for kind in re.findall(r"([a-z0-9.-]+) has \d+ resource instances", left)]
    objects = cluster.get(",".join(kinds)) if kinds else []
    return [f"{o['kind']} {name_of(o)} (finalizer {name})" for o in objects for name in o["metadata"].get("finalizers", ())]


def _kept(cluster: Cluster, condition: Object, action: str, held: Sequence[str] = ()) -> TaskError:
    cause = f"the namespace {cluster.namespace} cannot be removed: {condition.get('message') or condition.get('reason')}"
    return TaskError(cause, action, [f"held: {each}" for each in held])
