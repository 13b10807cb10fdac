"""A first start that was interrupted: what it left is made again, unless somebody has put something into it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.core.shell import Result
from scripts.engines.minikube import engine, first_start
from scripts.engines.minikube.engine import MinikubeEngine
from scripts.engines.minikube.profile import State
from scripts.engines.minikube.program import MinikubeProgram
from tests.doubles import Step
from tests.engines.minikube.answers import NO_PROFILES, PROFILES, RUNNING, STATUS, STOPPED, profile, start
from tests.programs import Programs, Reply

pytestmark = pytest.mark.unit


NAMESPACES = ("get", "namespaces", "--ignore-not-found", "--output", "json")


PODS = ("get", "pods", "--ignore-not-found", "--output", "json")


DELETE = ("minikube", "delete", "--profile", "todo")


def in_cluster(settings: Settings, argv: tuple[str, ...], namespace: str = "") -> tuple[str, ...]:
    return ("kubectl", "--kubeconfig", str(engine.KUBECONFIG), "--context", "todo", "--namespace", namespace or settings.namespace, *argv)


def named(*names: str) -> Reply:
    return Reply(json.dumps({"items": [{"metadata": {"name": name}} for name in names]}))


def test_an_interrupted_first_start_is_noted_until_one_ends(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply("killed", code=137), Reply())
    programs.tell(STATUS, RUNNING)
    ours = MinikubeEngine(settings)
    with pytest.raises(TaskError):
        ours.decide_start(step).carry_out(step)
    assert first_start.NOTE.read_text() == "todo"
    ours.decide_start(step).carry_out(step)
    assert not first_start.NOTE.exists()


@pytest.mark.parametrize(
    ("address", "noted", "namespaces"),
    [("", False, None), ("", True, None), ("192.168.49.2", True, named("default", "kube-system")), ("192.168.49.2", True, Reply(code=1))],
    ids=["never had an address", "likewise, and noted", "answers, and nobody uses it", "does not answer"],
)
def test_what_an_interrupted_first_start_left_is_made_again(
    programs: Programs, settings: Settings, step: Step, address: str, noted: bool, namespaces: Reply | None
) -> None:
    programs.tell(PROFILES, profile(settings, Nodes=[{"Name": "", "IP": address}]))
    programs.tell(STATUS, RUNNING)
    programs.tell(DELETE)
    programs.tell(start(settings))
    if noted:
        first_start.begin("todo")
    if namespaces:
        programs.tell(in_cluster(settings, NAMESPACES), namespaces)
        if not namespaces.code:
            programs.tell(in_cluster(settings, PODS, "default"))
    decision = MinikubeEngine(settings).decide_start(step)
    assert [(change.what, change.why) for change in decision.changes] == [
        ("make the profile todo again", "its first start was interrupted")
    ]
    assert decision.carry_out(step).kind == "changed"
    assert not first_start.NOTE.exists()


@pytest.mark.parametrize("status", [RUNNING, STOPPED], ids=["somebody has a namespace in it", "it was stopped, and cannot be looked into"])
def test_an_interrupted_first_start_that_may_hold_something_is_finished_and_never_deleted(
    programs: Programs, settings: Settings, step: Step, status: Reply
) -> None:
    first_start.begin("todo")
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, status, RUNNING)
    if status is RUNNING:
        programs.tell(in_cluster(settings, NAMESPACES), named("default", "kube-system", "mine"))
    programs.tell(start(settings))
    assert MinikubeEngine(settings).decide_start(step).carry_out(step).kind == "changed"


@pytest.mark.parametrize(("driver", "holds"), [("docker", True), ("kvm2", False)])
def test_a_virtual_machine_that_stays_after_us_does_not_hold_the_lock(
    driver: str, holds: bool, programs: Programs, settings: Settings, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"minikube": settings.minikube.model_copy(update={"driver": driver})})
    held, ask = list[bool](), engine.shell.run

    def run(argv: list[str], **options: Any) -> Result:
        if argv[1] != "start":
            return ask(argv, **options)
        held.append(options["holds_lock"])
        return Result(0, "", "", 0.0)

    programs.tell(PROFILES, NO_PROFILES)
    decision = MinikubeEngine(settings).decide_start(step)
    monkeypatch.setattr(engine.shell, "run", run)
    monkeypatch.setattr(MinikubeProgram, "state", lambda _: State.RUNNING)
    decision.carry_out(step)
    assert held == [holds]


def test_the_note_of_another_project_means_nothing(programs: Programs, settings: Settings, step: Step) -> None:
    first_start.begin("other")
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    assert MinikubeEngine(settings).decide_start(step).changes == ()
