"""When watching a rollout gives up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from scripts.kubernetes import rollout
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from tests.doubles import Step

pytestmark = pytest.mark.unit

FOUND = Diagnosis("secret-missing", "todo-backend", "todo-backend: Secret s does not exist", ("event Failed",), "invoke up")


def release(*workloads: tuple[str, bool]) -> Snapshot:
    """A release with workloads of these kinds, rolled out or not."""
    objects: list[dict[str, Any]] = []
    for kind, complete in workloads:
        ready = 1 if complete else 0
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), ready)
        objects.append({"kind": kind, "metadata": {"name": kind.lower(), "uid": kind}, "spec": {"replicas": 1}, "status": counts})
    return Snapshot("todo", "todo", datetime.now(UTC), workloads=objects)


def test_a_volume_that_ends_with_its_pod_is_told_by_up_while_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    now = release(("StatefulSet", True))
    owner = [{"uid": "StatefulSet", "kind": "StatefulSet", "name": "statefulset"}]
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]
    pod = {
        "metadata": {"name": "db-0", "ownerReferences": owner},
        "spec": {"volumes": volumes},
        "status": {"phase": "Running"},
    }
    claim = {"metadata": {"name": "data-0", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Bound"}}
    monkeypatch.setattr(rollout.observation, "quick_snapshot", lambda _: replace(now, pods=[pod], claims=[claim]))
    step = Step()
    assert rollout.watch(Cluster("any", "todo", "todo"), 1, step).kind == "unchanged"
    (warning,) = step.warned
    assert "its volume claim data-0 is being deleted: its data ends with the pod db-0 -> invoke backup FILE" in warning


def test_a_cause_is_final_once_it_has_lasted_and_begins_again_after_it_healed() -> None:
    since: dict[tuple[str, str], float] = {}
    snapshot = release(("Deployment", False))
    assert rollout.final_causes([FOUND], snapshot, since, now=100) == []
    assert rollout.final_causes([FOUND], snapshot, since, now=104) == []
    assert rollout.final_causes([FOUND], snapshot, since, now=105) == [FOUND]
    assert rollout.final_causes([], snapshot, since, now=106) == []
    assert rollout.final_causes([FOUND], snapshot, since, now=107) == []


def test_pods_that_were_just_replaced_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """They end slowly, and what they say of themselves is of before this run."""
    crashed = Diagnosis("crash-on-start", "deployment", "it ended", (), "a", exits=5)
    looks = iter([release(("Deployment", False))] * 2 + [release(("Deployment", True))] * 3)
    monkeypatch.setattr(rollout.observation, "quick_snapshot", lambda _: next(looks))
    monkeypatch.setattr(rollout.observation, "with_details", lambda _, now: now)
    monkeypatch.setattr(rollout.stuck_pods, "make_room", lambda *_: None)
    monkeypatch.setattr(rollout.retries, "hurry", lambda *_: None)
    monkeypatch.setattr(rollout.retries, "start_again", lambda *_: {"deployment"})
    monkeypatch.setattr(rollout, "diagnose", lambda _: [crashed])
    monkeypatch.setattr(rollout, "CALM_SECONDS", 0)
    monkeypatch.setattr(rollout, "LOOK_SECONDS", 0)
    assert rollout.watch(Cluster("any", "todo", "todo"), 60, Step()).kind == "changed"


def test_a_program_that_failed_before_this_run_may_end_once_more() -> None:
    crashed = Diagnosis("crash-on-start", "todo-backend", "c", (), "a", exits=1)
    snapshot = release(("Deployment", False))
    assert rollout.final_causes([crashed], snapshot, {}, now=100) == []
    assert [each.code for each in rollout.final_causes([crashed], snapshot, {}, 100, {"todo-backend"})] == ["crash-on-start"]
    assert rollout.final_causes([replace(crashed, exits=0)], snapshot, {}, 100, {"todo-backend"}) == []


def test_a_database_cause_has_time_while_our_own_database_comes_up() -> None:
    refused = Diagnosis("database-refused", "todo-backend", "c", (), "a")
    since: dict[tuple[str, str], float] = {}
    coming, there = release(("Deployment", False), ("StatefulSet", False)), release(("Deployment", False), ("StatefulSet", True))
    assert rollout.final_causes([refused], coming, since, now=0) == []
    assert rollout.final_causes([refused], coming, since, now=500) == []
    assert rollout.final_causes([refused], there, since, now=501) == []
    assert rollout.final_causes([refused], there, since, now=561) == [refused]


def test_a_migration_that_ends_without_its_database_is_tried_again_when_that_is_there() -> None:
    failed = Diagnosis("migration-failed", "todo-backend", "it ended", (), "fix it", exits=2)
    coming, there = release(("Deployment", False), ("StatefulSet", False)), release(("Deployment", False), ("StatefulSet", True))
    since: dict[tuple[str, str], float] = {}
    assert rollout.final_causes([failed], coming, since, now=0) == []
    assert rollout.final_causes([failed], there, since, now=30) == []
    assert rollout.final_causes([failed], there, since, now=46) == [failed]
    assert rollout.final_causes([failed], there, {}, now=0) == [failed], "it has been there all the time"


def test_a_database_that_crashes_itself_is_not_waited_for() -> None:
    crashes = Diagnosis("crash-on-start", "statefulset", "its settings are wrong", (), "fix them", exits=3)
    without_it = Diagnosis("crash-on-start", "deployment", "no database", (), "see its log", exits=3)
    coming = release(("Deployment", False), ("StatefulSet", False))
    assert rollout.final_causes([without_it, crashes], coming, {}, now=0) == [crashes]


def test_a_rollout_that_fails_has_the_code_of_its_first_cause() -> None:
    assert rollout.failure([FOUND], release(("Deployment", False)), 1.0).code == "secret-missing"
    assert rollout.failure([], release(("Deployment", False)), 300.0).code == "not-rolled-out"
