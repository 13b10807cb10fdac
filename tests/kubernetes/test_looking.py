"""A cluster that does not answer for a moment is asked again; one that refuses is not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from scripts.core import shell
from scripts.core.shell import CommandError, Result
from scripts.core.waiting import OverdueError
from scripts.kubernetes import looking, rollout
from scripts.kubernetes.cluster import Cluster
from tests.doubles import Step

pytestmark = pytest.mark.unit

GONE = "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?"


def failed(said: str) -> CommandError:
    return CommandError("`kubectl get pods` failed with exit code 1", [said], Result(1, "", said, 0.0))


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
