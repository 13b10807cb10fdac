"""What is tried again at once, instead of after a wait that a rollout would sit out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from scripts.core.errors import TaskError
from scripts.core.shell import Result
from scripts.kubernetes import retries
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis
from tests.doubles import Step
from tests.kubernetes.rolling import NEW, OLD, pod, replica_set, snapshot, thing

pytestmark = pytest.mark.unit

Object = dict[str, Any]
WAITS = {"waiting": {"reason": "CrashLoopBackOff"}}


class WithDatabase(Cluster):
    """A cluster that has a database or none, and keeps what it is told to do."""

    told: tuple[list[Object], list[str]] = ([], [])

    def get(self, kind: str, *_: Any, **__: Any) -> list[Object]:
        return self.told[0]

    def kubectl(self, *argv: str, **_: Any) -> Result:
        self.told[1].append(" ".join(argv))
        return Result(0, "", "", 0.0)


@pytest.mark.parametrize(
    ("code", "state", "age", "replaced"),
    [
        ("database-login", WAITS, 5, True),
        ("database-login", {"running": {}}, 500, False),
        ("crash-on-start", WAITS, 5, False),
        ("out-of-memory", WAITS, 500, True),
        ("out-of-memory", {"running": {}}, 500, False),
        ("crash-on-start", {"terminated": {"exitCode": 1}}, 500, True),
        ("ended-by-itself", {"terminated": {"exitCode": 0}}, 500, False),
    ],
)
def test_a_pod_that_waits_since_before_or_for_its_database_tries_again_at_once(
    code: str, state: Object, age: int, *, replaced: bool
) -> None:
    cluster = WithDatabase("any", "todo", "todo")
    object.__setattr__(cluster, "told", ([], []))
    waiting = pod("a", "web-2", ready=False, made=age)
    waiting["status"]["initContainerStatuses"] = [{"state": state, "restartCount": 3}]
    again = retries.start_again(cluster, snapshot([OLD, NEW], [waiting]), [Diagnosis(code, "web", "", (), "")], Step())
    assert cluster.told[1] == (["delete pod a --ignore-not-found --wait=false"] if replaced else [])
    assert again == ({"web"} if replaced else set())


@pytest.mark.parametrize(
    ("code", "cause", "databases", "restarted"),
    [
        ("database-login", "the database refuses the login: authentication failed", 1, True),
        ("readiness-http", "web: /ready answers 503: authentication failed", 1, True),
        ("database-login", "the database refuses the login: authentication failed", 0, False),
        ("database-login", "the database does not exist", 1, False),
        ("quota-exceeded", "authentication failed", 1, False),
    ],
)
def test_a_database_that_refuses_its_own_secret_is_restarted(code: str, cause: str, databases: int, restarted: bool) -> None:
    cluster = WithDatabase("any", "todo", "todo")
    made = thing("StatefulSet", "postgres", spec={"selector": {"matchLabels": {"app": "postgres"}}})
    object.__setattr__(cluster, "told", ([made] * databases, []))
    assert retries.restart_database(cluster, TaskError(cause, "", code=code), Step()) is restarted
    assert [line for line in cluster.told[1] if "delete pod --selector app=postgres" in line] == cluster.told[1]
    assert bool(cluster.told[1]) is restarted


@pytest.mark.parametrize(
    ("verdict", "failed", "tried_again"),
    [
        ({"web": ""}, True, True),
        ({"web": "exceeded quota: small"}, True, False),
        ({}, True, False),  # nobody knows
        ({"web": ""}, False, False),  # it was never refused
    ],
)
def test_a_controller_is_asked_again_once_its_pods_would_be_taken(verdict: dict[str, str], failed: bool, tried_again: bool) -> None:
    made = replica_set(1, 2, 0)
    made["status"]["conditions"] = [{"type": "ReplicaFailure", "status": "True", "message": "forbidden"}] if failed else []
    cluster = WithDatabase("any", "todo", "todo")
    object.__setattr__(cluster, "told", ([], []))
    retries.hurry(cluster, dataclasses.replace(snapshot([made], []), refusals=verdict), Step())
    again = [f"annotate replicaset web-1 todo-tasks/try-again{end} --overwrite" for end in ("=now", "-")]
    assert cluster.told[1] == (again if tried_again else [])
