"""What `diagnose` makes of causes that stand beside each other."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.core.report import Report
from scripts.core.shell import Result
from scripts.database.state import LETS_NOBODY_IN
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.pods import PodState, is_of_workloads
from scripts.look import between, causes, diagnose
from scripts.project import Project
from scripts.traffic import lookups

pytestmark = pytest.mark.unit

BAD = "in pod frontend-1, 6 of 6 lookups of todo-chatbot-backend found nothing or were late"


def project(**engine: object) -> Project:
    """A project whose engine has a cluster, and does this."""
    return cast(
        "Project", SimpleNamespace(settings=load_settings(), engine=SimpleNamespace(**{"deployment": object(), "pods": list, **engine}))
    )


@pytest.mark.parametrize("wrong", [True, False])
def test_the_last_smoke_test_is_told_where_nothing_else_is_wrong(monkeypatch: pytest.MonkeyPatch, *, wrong: bool) -> None:
    failed = Diagnosis("proof-failed", "todo-chatbot", "todo-chatbot: its smoke test failed", (), "invoke smoke")
    full = Diagnosis("drain-blocked", "todo-chatbot-backend", "c", (), "a")
    monkeypatch.setattr(causes.certificate, "expiring", lambda _: [])
    monkeypatch.setattr(causes.state, "found", lambda _: [])
    monkeypatch.setattr(causes, "answering_badly", lambda *_: [])
    monkeypatch.setattr(causes.between, "with_network", lambda _, found: found)
    monkeypatch.setattr(causes.last_proof, "told", lambda *_: [failed])
    found = causes.causes(project(diagnose=lambda: [full] if wrong else [], deployment=None), Report(stderr=io.StringIO()))
    assert found == ([full] if wrong else [failed])


@pytest.mark.parametrize(
    ("code", "beside", "told"),
    [
        ("readiness-http", (), True),
        ("readiness-timeout", (), True),
        ("crash-on-start", (), False),
        ("readiness-http", (Diagnosis("crash-on-start", "todo-chatbot-backend", "it crashes", (), ""),), False),
    ],
    ids=["unready", "silent", "another cause", "what it calls is ailing"],
)
def test_what_lies_between_is_named_where_a_service_is_not_ready_and_what_it_calls_is(
    code: str, beside: tuple[Diagnosis, ...], told: bool
) -> None:
    unready = Diagnosis(code, "todo-chatbot-frontend", "/ready answers 503", ("HTTP 503",), "invoke logs frontend")
    *_, cause = between.cut_off(project(), [*beside, unready])
    assert any("what it calls is ready: backend" in line for line in cause.evidence) is told
    assert ("kube-proxy" in cause.action) is told


def test_what_is_new_in_a_revision_is_set_back_before_the_network_is_looked_at() -> None:
    new = "new in this revision: containers.frontend.env: BACKEND_URL changed"
    unready = Diagnosis("readiness-http", "todo-chatbot-frontend", "/ready answers 503", ("HTTP 503", new), "invoke logs frontend")
    (cause,) = between.cut_off(project(), [unready])
    assert cause.action.startswith("set back what is new in this revision, and invoke up; else invoke logs frontend; look at kube-proxy")


@pytest.mark.parametrize(
    ("code", "late", "line", "action"),
    [
        (0, False, "in pod frontend-1, DNS answers: 6 lookups of todo-chatbot-backend", "invoke logs frontend; look at kube-proxy"),
        (
            2,
            False,
            BAD,
            "the cluster's DNS answers late",
        ),
        (0, True, BAD, "the cluster's DNS answers late"),
        (None, False, BAD, "the cluster's DNS answers"),
        (127, False, "", "invoke logs frontend; look at kube-proxy"),
    ],
    ids=["it answers", "it finds nothing", "it is late", "it never answers", "no program to ask with"],
)
def test_how_dns_answers_in_a_pod_tells_it_from_the_network(
    monkeypatch: pytest.MonkeyPatch, code: int | None, late: bool, line: str, action: str
) -> None:
    def execute(*_: object) -> Result:
        if code is None:
            raise TaskError("kubectl did not end within 60 s")
        return Result(code, "", "", 0.0)

    monkeypatch.setattr(lookups, "LATE_SECONDS", 0.0 if late else 4.0)
    pods = [PodState("frontend", "frontend-1", "Running", False, 0, "frontend:1")]
    unready = Diagnosis("readiness-http", "todo-chatbot-frontend", "/ready answers 503", ("HTTP 503",), "invoke logs frontend")
    (cause,) = between.cut_off(project(pods=lambda: pods, execute=execute), [unready])
    assert (cause.evidence[-1].startswith(line), cause.action.startswith(action)) == (True, True), cause


def test_where_kube_proxy_does_its_work_what_a_network_may_be_behind_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(between.kube_proxy, "silent", lambda _, at_most: [])
    monkeypatch.setattr(between, "_names_astray", lambda _: [])
    unready = Diagnosis("readiness-http", "todo-chatbot-backend", "c", (), "a")
    assert between.with_network(project(deployment=SimpleNamespace(cluster=None)), [unready]) == [unready]


@pytest.mark.parametrize(("code", "follows"), [("readiness-http", "one"), ("requests-slow", "one"), ("crash-on-start", "")])
def test_what_a_network_may_be_behind_follows_from_a_kube_proxy_that_stands_still(
    monkeypatch: pytest.MonkeyPatch, code: str, follows: str
) -> None:
    stalled = Diagnosis("network-down", "one", "one: kube-proxy does not follow", (), "start it again")
    monkeypatch.setattr(between.kube_proxy, "silent", lambda _, at_most: [stalled] if at_most is None else [])
    found = between.with_network(project(deployment=SimpleNamespace(cluster=None)), [Diagnosis(code, "todo-chatbot-backend", "c", (), "a")])
    assert found == [*([stalled] if follows else []), Diagnosis(code, "todo-chatbot-backend", "c", (), "a", follows_from=follows)]


def test_what_answers_badly_follows_from_a_name_that_means_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    strange = Diagnosis("dns-strange", "todo-chatbot-backend", "its name means 10.0.0.1", (), "take it out")
    monkeypatch.setattr(between.kube_proxy, "silent", lambda _, at_most: [])
    monkeypatch.setattr(between.resolver, "strange", lambda _: [])
    monkeypatch.setattr(between.names, "strange", lambda *_: [strange])
    failing = Diagnosis("requests-failing", "frontend", "c", (), "a")
    found = between.with_network(project(deployment=SimpleNamespace(cluster=None)), [failing])
    assert found == [strange, replace(failing, follows_from="todo-chatbot-backend")]


def test_a_kube_proxy_that_stands_still_is_told_before_anything_suffers(monkeypatch: pytest.MonkeyPatch) -> None:
    stalled = Diagnosis("network-down", "one", "one: kube-proxy does not follow", (), "start it again")
    monkeypatch.setattr(between.kube_proxy, "silent", lambda _, at_most: [stalled] if at_most == between.FEW_NODES else [])
    assert between.with_network(project(deployment=SimpleNamespace(cluster=None)), []) == [stalled]


@pytest.mark.parametrize("well", [True, False])
def test_a_dns_that_would_not_start_again_is_told_where_nothing_else_is_wrong(monkeypatch: pytest.MonkeyPatch, *, well: bool) -> None:
    risk = Diagnosis("dns-at-risk", "coredns", "coredns: it answers", (), "give it back")
    monkeypatch.setattr(between.kube_proxy, "silent", lambda _, at_most: [])
    monkeypatch.setattr(between, "_names_astray", lambda _: [])
    monkeypatch.setattr(between.dns_risks, "found", lambda _: [risk])
    wrong = [] if well else [Diagnosis("readiness-http", "todo-chatbot-backend", "c", (), "a")]
    assert between.with_network(project(deployment=SimpleNamespace(cluster=None)), wrong) == ([risk] if well else wrong)


@pytest.mark.parametrize(
    ("code", "action", "follows"),
    [
        ("requests-failing", "see who made the constraint", True),
        ("requests-slow", "end what holds the lock", True),
        ("requests-failing", "invoke logs api --since 5m", False),
        ("readiness-http", "see the database", False),
    ],
)
def test_what_fails_at_the_database_follows_from_what_that_says_of_itself(code: str, action: str, *, follows: bool) -> None:
    behind = Diagnosis("database-setting", "app-postgres", "the sequence is behind", (), "setval")
    failing = Diagnosis(code, "api", "fails", (), action)
    (after,) = causes.led_to([behind], [failing])
    assert after.follows_from == ("app-postgres" if follows else "")
    assert list(causes.led_to([], [failing])) == [failing]


@pytest.mark.parametrize(
    ("code", "cause", "follows"),
    [
        ("database-login", "the database refuses the login", True),
        ("migration-failed", "the database migration failed: exit code 1", True),
        ("readiness-http", "/ready answers 503: database: login refused", True),
        ("readiness-http", "/ready answers 503: cache down", False),
        ("answers-wrong", "/ready?deep=1 does not answer 200: HTTP 503: login refused", True),
        ("out-of-memory", "uses too much", False),
    ],
)
def test_what_waits_for_a_login_follows_from_whom_the_database_lets_in(code: str, cause: str, *, follows: bool) -> None:
    closed = Diagnosis("database-setting", "app-postgres", f"app-postgres: {LETS_NOBODY_IN}: no pg_hba.conf entry", (), "see who")
    other = Diagnosis("database-setting", "app-postgres", "app-postgres: a setting was made", (), "reset it")
    waiting = Diagnosis(code, "api", cause, (), "restart it")
    for made, root in (([other, closed], "app-postgres"), ([other], "")):
        (after,) = causes.led_to(made, [waiting])
        assert after.follows_from == (root if follows else "")


def test_a_service_whose_calls_go_nowhere_is_not_ready_for_that() -> None:
    stale = Diagnosis("endpoints-stale", "todo-chatbot-backend", "its Service knows 0 of its 2 ready pods", (), "")
    unready = Diagnosis("readiness-http", "todo-chatbot-frontend", "/ready answers 503", ("HTTP 503",), "invoke logs frontend")
    assert [each.follows_from for each in between.cut_off(project(), [stale, unready])] == ["", "todo-chatbot-backend"]


def test_what_follows_from_another_cause_is_told_in_two_lines_and_nothing_twice() -> None:
    stdout = io.StringIO()
    root = Diagnosis("drifted", "todo-backend", "todo-backend: replicas is 0", ("replicas is 0", "set by kubectl"), "invoke up")
    behind = Diagnosis(
        "readiness-http", "todo-frontend", "todo-frontend: not ready", ("HTTP 503",), "invoke logs", follows_from="todo-backend"
    )
    for each in (root, behind):
        diagnose.show(each, Report(stdout=stdout))
    assert stdout.getvalue().splitlines() == [
        "todo-backend: replicas is 0",
        "    set by kubectl",
        "  -> invoke up  [drifted]",
        "todo-frontend: not ready",
        "  follows from todo-backend  [readiness-http]",
    ]


def test_one_reason_of_several_workloads_is_one_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.StringIO()
    refused = [Diagnosis("pod-refused", name, f"{name}: its pods are refused: no", (), "remove it") for name in ("todo-a", "todo-b")]
    other = Diagnosis("pod-refused", "todo-c", "todo-c: its pods are refused: never", (), "remove it")
    monkeypatch.setattr(diagnose, "causes", lambda *_: [*refused, other])
    made = SimpleNamespace(settings=load_settings(), require_installed=lambda: None)
    with pytest.raises(TaskError, match="2 causes, see above"):
        diagnose.show_all(cast("Project", made), Report(stdout=stdout))
    assert stdout.getvalue().splitlines() == [
        "todo-a: its pods are refused: no",
        "  -> remove it  [pod-refused]",
        "todo-b: the same  [pod-refused]",
        "todo-c: its pods are refused: never",
        "  -> remove it  [pod-refused]",
    ]


@pytest.mark.parametrize(("owner", "ours"), [("todo-backend-5c94", True), ("todo-postgres", True), ("canary-77", False), (None, False)])
def test_a_pod_is_the_releases_own_by_who_has_made_it(owner: str | None, ours: bool) -> None:
    owners = [{"kind": "ReplicaSet", "name": owner}] if owner else []
    assert is_of_workloads({"metadata": {"ownerReferences": owners}}, "todo") is ours
