"""A cluster that does not answer for a moment is asked again; one that refuses is not."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import pytest

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.report import unchanged
from scripts.core.shell import CommandError, Result
from scripts.core.waiting import OverdueError
from scripts.kubernetes import looking, namespace_removal, policy_probe, remembered, retries, rollout, stuck_pods
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import Deployment
from scripts.kubernetes.diagnosis.cause import Diagnosis
from tests.doubles import GONE, Step, failed, silent_at_first
from tests.kubernetes.rolling import NEW, OLD, pod, replica_set, snapshot, thing

pytestmark = pytest.mark.unit


class Looks:
    """Answers, or fails, in this order."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def __call__(self, *_: Any, **__: Any) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(looking.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(shell, "pause", lambda seconds: now.__setitem__(0, now[0] + seconds))


def test_an_api_server_that_is_gone_for_twenty_seconds_is_borne_and_said(clock: None) -> None:
    step = Step()
    assert looking.look(Looks(*[failed(GONE)] * 10, "pods"), step) == "pods"
    assert step.heard[-1] == f"the cluster does not answer for 18 s: {GONE}"


def test_one_that_stays_away_ends_the_step_with_its_own_words(clock: None) -> None:
    with pytest.raises(OverdueError, match="waited 60 s for the cluster to answer") as caught:
        looking.look(Looks(*[failed(GONE)] * 100), Step())
    assert caught.value.evidence[-1] == GONE


@pytest.mark.parametrize("said", ['pods is forbidden: User "me" cannot list resource "pods"', 'error: context "x" does not exist'])
def test_a_refusal_is_an_answer(said: str, clock: None) -> None:
    with pytest.raises(CommandError):
        looking.look(Looks(failed(said), "never"), Step())


@pytest.mark.parametrize(
    "said",
    [
        GONE,
        "Unable to connect to the server: net/http: TLS handshake timeout",
        "Error from server (Timeout): the server was unable to return a response in the time allotted",
        "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout",
        "error: an error on the server prevented the request from succeeding: EOF",
        "Error from server: etcdserver: request timed out",
        "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
    ],
)
def test_what_kubectl_says_when_nobody_answers_is_known(said: str) -> None:
    assert looking.unanswered(failed(said))


def test_a_rollout_goes_on_after_looks_that_failed(clock: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def release(ready: int) -> rollout.Snapshot:
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), ready)
        spec = {"replicas": 1, "template": {"metadata": {}}}
        workload = {"kind": "Deployment", "metadata": {"name": "todo", "uid": "1"}, "spec": spec, "status": counts}
        return rollout.Snapshot("todo", "todo", rollout.observation.datetime.now(rollout.observation.UTC), workloads=[workload])

    looks = Looks(failed(GONE), release(0), failed(GONE), failed(GONE), release(0), failed(GONE), release(1))
    details = Looks(failed(GONE), *[release(0)] * 5)
    monkeypatch.setattr(rollout.observation, "quick_snapshot", looks)
    monkeypatch.setattr(rollout.observation, "with_details", details)
    monkeypatch.setattr(rollout.time, "monotonic", looking.time.monotonic)
    outcome = rollout.watch(Cluster("any", "todo", "todo"), 300, Step())
    assert outcome.detail.startswith("1 pod ready after")


def test_one_that_takes_a_question_and_gives_no_answer_is_said_while_it_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "HANGS_SECONDS", 0.01)
    step = Step()

    def ask() -> str:
        deadline = time.monotonic() + 10
        while not step.heard and time.monotonic() < deadline:
            time.sleep(0.005)
        return "pods"

    assert looking.look(ask, step) == "pods"
    assert step.heard[0] == "the cluster does not answer for 0 s"


def test_an_api_server_that_did_not_answer_in_time_is_asked_again(clock: None) -> None:
    silent = CommandError("the API server did not answer within 30 s", (), Result(1, "", "", 30.0))
    assert looking.look(Looks(silent, "pods"), Step()) == "pods"


class Answering(Cluster):
    """A cluster in which both pods of a policy probe have ended, a database runs, and everything that is deleted is gone."""

    def kubectl(self, *argv: str, **_: Any) -> Result:
        pods = [thing("Pod", name, status={"phase": "Succeeded"}) for name in (policy_probe.ALLOWED, policy_probe.STRANGER)]
        database = thing("StatefulSet", "postgres", spec={"selector": {"matchLabels": {"app": "postgres"}}})
        database["metadata"]["generation"] = 1
        database["status"] = {"observedGeneration": 1, "updateRevision": "new"}
        old = pod("postgres-0", "postgres", ready=False)
        old["metadata"]["ownerReferences"][0]["kind"] = "StatefulSet"
        known = {"pods": pods, "statefulsets": [database], "statefulsets,pods": [database, old]}
        return Result(0, json.dumps({"items": known.get(argv[1], [])}) if argv[0] == "get" else "", "", 0.0)


def refused_maker() -> Any:
    made = replica_set(1, 2, 0)
    made["status"]["conditions"] = [{"type": "ReplicaFailure", "status": "True", "message": "forbidden"}]
    return dataclasses.replace(snapshot([made], []), refusals={"web": ""})


def backing_off() -> Any:
    waiting = pod("a", "web-2", ready=False)
    waiting["status"]["initContainerStatuses"] = [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
    return snapshot([OLD, NEW], [waiting])


LOGIN = TaskError("authentication failed", "", code="database-login")
WAITS = {
    "the pods of a policy probe end": lambda cluster: policy_probe._await_end(cluster, Step()),
    "a namespace goes": lambda cluster: namespace_removal.remove_namespace(cluster, Step()),
    "a database's old pod is replaced": lambda cluster: stuck_pods.replace(cluster, Step()),
    "old pods make room": lambda cluster: stuck_pods.make_room(cluster, snapshot([OLD, NEW], [pod("a", "web-1", ready=False)]), Step()),
    "a pod starts again": lambda cluster: retries.start_again(
        cluster, backing_off(), [Diagnosis("database-login", "web", "", (), "")], Step()
    ),
    "a controller tries again": lambda cluster: retries.hurry(cluster, refused_maker(), Step()),
    "a database is restarted": lambda cluster: retries.restart_database(cluster, LOGIN, Step()),
}
FIRST_TOLD = {"a namespace goes": 1}
"""Where the first call is no look but what the user has asked for: that fails at once, with nothing lost."""


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_goes_on_after_a_look_that_failed(wait: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, calls = Answering.kubectl, []

    def kubectl(self: Answering, *argv: str, **options: Any) -> Result:
        calls.append(argv)
        if len(calls) == 1 + FIRST_TOLD.get(wait, 0):
            raise failed(GONE)
        return answer(self, *argv, **options)

    monkeypatch.setattr(Answering, "kubectl", kubectl)
    monkeypatch.setattr(looking, "PAUSE_SECONDS", 0.01)
    WAITS[wait](Answering("any", "todo", "todo"))
    failed_at = FIRST_TOLD.get(wait, 0)
    assert calls[failed_at + 1] == calls[failed_at], "what failed is asked again"


def test_a_rollout_whose_end_cannot_be_noted_at_once_is_noted_later(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[bool] = []
    monkeypatch.setattr(rollout, "watch", lambda *_, **__: unchanged("1 pod ready"))
    monkeypatch.setattr(remembered, "record", lambda *_, as_healthy: noted.append(as_healthy))
    left = silent_at_first(monkeypatch, remembered, "record")
    Deployment(Cluster("any", "todo", "todo"), "todo").await_rollout(300, Step())
    assert (noted, left) == ([True], [])
