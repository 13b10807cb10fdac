"""What the newest revision of a Deployment has otherwise than the one that still serves: where only the new one fails, that is why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scripts.kubernetes.diagnosis.cause import value_line
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import REVISION, annotations_of, newest_replica_set, owned_by, status_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

NEW = "new in this revision"
LOOPBACK = re.compile(r"//(localhost|127\.|\[::1\])")
MOST = 5
HIDDEN = ("env", "envFrom")
"""Told by name alone: a value may be a secret."""


def new_in_revision(snapshot: Snapshot, workload: Object) -> list[str]:
    """Return lines of evidence; none where no older revision serves."""
    own = [each for each in snapshot.replica_sets if owned_by(each, workload)]
    newest = newest_replica_set(workload, own)
    serving = [each for each in own if each is not newest and status_of(each).get("readyReplicas", 0)]
    if newest is None or not serving:
        return []
    old = max(serving, key=lambda each: int(annotations_of(each).get(REVISION, 0)))
    found = list(_differences(_by_name(_pod_of(old)), _by_name(_pod_of(newest)), ()))
    more = [f"{len(found) - MOST} more"] if len(found) > MOST else []
    return [f"{NEW}: {line}" for line in (*found[:MOST], *more)]


def _pod_of(replica_set: Object) -> Object:
    found: Object = replica_set["spec"]["template"]["spec"]
    return found


def _by_name(value: Any) -> Any:
    """The same with lists of what has a name as maps by it: where one was added, the others have not changed."""
    if isinstance(value, dict):
        return {key: _by_name(each) for key, each in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, dict) and "name" in each for each in value):
        return {each["name"]: {key: _by_name(part) for key, part in each.items() if key != "name"} for each in value}
    return value


def _differences(old: Any, new: Any, path: Sequence[str]) -> Iterator[str]:
    if old == new:
        return
    if path and path[-1] in HIDDEN:
        yield f"{'.'.join(path)}: {', '.join(_changed_names(old or {}, new or {}))}"
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(key), new.get(key), (*path, key))
    else:
        yield f"{'.'.join(path)} is {value_line(new)}, was {value_line(old)}"


def _changed_names(old: Any, new: Any) -> list[str]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return ["changed"]
    words = {True: "changed", False: "added"}
    found = [f"{key} {words[key in old]}{_itself(new[key])}" for key in new if old.get(key) != new[key]]
    return found + [f"{key} removed" for key in old if key not in new]


def _itself(variable: Any) -> str:
    value = variable.get("value") if isinstance(variable, dict) else ""
    return ", and names localhost, which is the pod itself" if isinstance(value, str) and LOOPBACK.search(value) else ""
