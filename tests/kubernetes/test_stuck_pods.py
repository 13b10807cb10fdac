"""Which old pods a rollout waits for in vain, and which database is younger than what was made in it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.core.errors import TaskError
from scripts.core.shell import Result
from scripts.kubernetes import stuck_pods
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import name_of
from tests.doubles import Step

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
Object = dict[str, Any]


def at(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).isoformat()


def thing(kind: str, name: str, owner: str = "", **parts: Any) -> Object:
    owners = [{"uid": owner, "kind": "any", "name": owner}] if owner else []
    metadata = {"name": name, "uid": name, "ownerReferences": owners, "labels": {}, "annotations": {}}
    return {"kind": kind, "metadata": metadata, "spec": {}, "status": {}} | parts


def replica_set(number: int, replicas: int, ready: int) -> Object:
    made = thing("ReplicaSet", f"web-{number}", "web", spec={"replicas": replicas}, status={"readyReplicas": ready})
    made["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(number)
    return made


def pod(name: str, owner: str, *, ready: bool, since: float = 60, prepared: float | None = None, made: float = 300) -> Object:
    status: Object = {"conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": at(since)}]}
    if prepared is not None:
        status["initContainerStatuses"] = [{"state": {"terminated": {"finishedAt": at(prepared)}}}]
    found = thing("Pod", name, owner, status=status)
    found["metadata"]["creationTimestamp"] = at(made)
    return found


def snapshot(sets: list[Object], pods: list[Object], claim: float | None = None) -> Snapshot:
    labels = {"app.kubernetes.io/component": "postgres"}
    database = thing("StatefulSet", "postgres", spec={"selector": {"matchLabels": labels}})
    claims = [thing("PersistentVolumeClaim", "data-postgres-0")] if claim is not None else []
    for each in claims:
        each["metadata"] |= {"labels": labels, "creationTimestamp": at(claim or 0)}
    workloads = [thing("Deployment", "web"), *([database] if claims else [])]
    return Snapshot("todo", "todo", NOW, workloads=workloads, replica_sets=sets, pods=pods, claims=claims)


OLD, NEW = replica_set(1, 2, 0), replica_set(2, 1, 0)
BROKEN = [pod("old-a", "web-1", ready=False), pod("old-b", "web-1", ready=False)]


@pytest.mark.parametrize(
    ("sets", "pods", "gone"),
    [
        ([OLD, NEW], BROKEN, ["web-1"]),
        ([OLD, NEW], [*BROKEN, pod("new", "web-2", ready=False, since=1)], ["web-1"]),
        ([OLD, NEW], [BROKEN[0], pod("old-b", "web-1", ready=True)], []),
        ([OLD, NEW], [BROKEN[0], pod("old-b", "web-1", ready=False, since=5)], []),
        ([OLD, replica_set(2, 1, 1)], BROKEN, []),
        ([replica_set(1, 0, 0), NEW], [], []),
        ([replica_set(1, 2, 0)], BROKEN, []),
    ],
    ids=[
        "the new cannot come",
        "the new is unready",
        "one serves",
        "one may come back",
        "the new serves",
        "none is left",
        "no new revision",
    ],
)
def test_old_pods_go_where_none_of_them_serves_and_the_new_do_not_either(sets: list[Object], pods: list[Object], gone: list[str]) -> None:
    assert stuck_pods.in_the_way(snapshot(sets, pods)) == gone


@pytest.mark.parametrize(
    ("prepared", "claim", "replaced"),
    [
        ([100, 90], 50, "b"),  # the one that is not ready
        ([100, 40], 50, ""),  # one has been made since: what it prepared is there for all
        ([40, 30], 50, ""),
        ([None, None], 50, ""),  # nothing was prepared
        ([100, 90], None, ""),  # no database of ours
    ],
)
def test_a_database_younger_than_what_every_pod_made_in_it_is_empty(
    prepared: list[float | None], claim: float | None, replaced: str
) -> None:
    pods = [pod(name, "web-1", ready=name == "a", prepared=when) for name, when in zip("ab", prepared, strict=True)]
    found = stuck_pods.emptied(snapshot([replica_set(1, 2, 1)], pods, claim))
    assert [name_of(each) for each in (found.pods if found else ())] == list(filter(None, [replaced]))
    if found:
        assert "the database is empty: its volume data-postgres-0 was recreated at " in found.diagnosis().cause
        assert found.diagnosis().action.startswith("restore a backup into it, or go on with an empty one")


def test_a_database_that_a_pod_is_about_to_prepare_is_not_called_empty() -> None:
    pods = [pod("a", "web-1", ready=True, prepared=100), pod("b", "web-1", ready=False, made=10)]
    assert stuck_pods.emptied(snapshot([replica_set(1, 2, 1)], pods, 50)) is None


class WithDatabase(Cluster):
    """A cluster that has a database or none, and keeps what it is told to do."""

    told: tuple[list[Object], list[str]] = ([], [])

    def get(self, kind: str, *_: Any, **__: Any) -> list[Object]:
        return self.told[0]

    def kubectl(self, *argv: str, **_: Any) -> Result:
        self.told[1].append(" ".join(argv))
        return Result(0, "", "", 0.0)


@pytest.mark.parametrize(
    ("code", "state", "replaced"),
    [
        ("database-login", {"waiting": {"reason": "CrashLoopBackOff"}}, ["delete pod a --ignore-not-found --wait=false"]),
        ("database-login", {"running": {}}, []),
        ("crash-on-start", {"waiting": {"reason": "CrashLoopBackOff"}}, []),
    ],
)
def test_a_pod_that_backs_off_from_its_database_tries_again_at_once(code: str, state: Object, replaced: list[str]) -> None:
    cluster = WithDatabase("any", "todo", "todo")
    object.__setattr__(cluster, "told", ([], []))
    waiting = pod("a", "web-2", ready=False)
    waiting["status"]["initContainerStatuses"] = [{"state": state}]
    stuck_pods.start_again(cluster, snapshot([OLD, NEW], [waiting]), [Diagnosis(code, "web", "", (), "")], Step())
    assert cluster.told[1] == replaced


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
    assert stuck_pods.restart_database(cluster, TaskError(cause, "", code=code), Step()) is restarted
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
    stuck_pods.hurry(cluster, dataclasses.replace(snapshot([made], []), refusals=verdict), Step())
    again = [f"annotate replicaset web-1 todo-tasks/try-again{end} --overwrite" for end in ("=now", "-")]
    assert cluster.told[1] == (again if tried_again else [])
