"""A revision that somebody made with helm past `invoke up`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.kubernetes import helm, strange_revision
from scripts.kubernetes.cluster import Cluster
from tests.doubles import revision

pytestmark = pytest.mark.unit

OURS, ALSO_OURS = "0123456789abcdef", "fedcba9876543210"


def manifest(*things: dict[str, Any]) -> str:
    return "---\n".join(f"{json.dumps(each)}\n" for each in things)


def thing(kind: str = "Deployment", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "todo-backend"}, **more}


@pytest.mark.parametrize(
    ("marks", "number"),
    [
        ((OURS, "Upgrade complete"), 2),
        ((OURS, "Upgrade complete", "Upgrade complete"), 3),
        ((OURS, ALSO_OURS), 0),
        ((OURS, ALSO_OURS, "Rollback to 1"), 0),
        ((OURS, "Rollback to 40"), 0),
        (("Install complete",), 0),
        ((), 0),
    ],
)
def test_what_somebody_made_past_us_is_told_with_what_it_changed(
    marks: tuple[str, ...], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    after, before = manifest(thing(spec={"replicas": 1})), manifest(thing(spec={"replicas": 2}))
    monkeypatch.setattr(helm, "manifest", lambda _, wanted=0: before if wanted == 1 else after)
    history = [revision(at, "superseded" if at < len(marks) else "deployed", mark) for at, mark in enumerate(marks, 1)]
    found = strange_revision.find(Cluster("any", "todo", "todo"), history)
    assert (found.number if found else 0) == number
    if found:
        diagnosis = found.diagnosis("todo")
        told = f"somebody's helm made revision {number} past invoke up: Deployment todo-backend: spec.replicas is 1, not 2"
        assert (diagnosis.code, diagnosis.cause) == ("release-strange", f"todo: {told}")
        assert diagnosis.evidence[0] == "revision 1 is the last of invoke up"


def test_one_that_changes_nothing_explains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm, "manifest", lambda *_: manifest(thing(spec={"replicas": 2})))
    history = [revision(1, "superseded", OURS), revision(2, "deployed", "Upgrade complete")]
    assert strange_revision.find(Cluster("any", "todo", "todo"), history) is None


def test_an_object_more_or_less_is_told_and_a_secrets_value_never() -> None:
    before = manifest(thing("Secret", stringData={"KEY": "one"}), thing("Service"))
    after = manifest(thing("Secret", stringData={"KEY": "two"}), thing("Job"))
    assert list(strange_revision.differences(before, after)) == [
        "Job todo-backend is new",
        "Secret todo-backend: stringData.KEY has another value",
        "Service todo-backend is gone",
    ]
