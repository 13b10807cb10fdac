"""What a session brings of each change, and what it remembers from one to the next."""

from __future__ import annotations

import io
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Report, StepResult, changed
from scripts.desired.images import BaseImage, Image
from scripts.inner_loop import session as module
from scripts.inner_loop.session import Session
from scripts.inner_loop.watching import Change
from scripts.kubernetes.pods import PodState

pytestmark = pytest.mark.unit

SETTINGS = load_settings()
GRAPH = ("preflight", "build", "secrets", "load", "chart", "rollout", "smoke")
BACKEND, FRONTEND = (SETTINGS.services[name].folder() for name in ("backend", "frontend"))
SOURCE, MIGRATION = BACKEND / "src/todo_backend/chat.py", BACKEND / "src/todo_backend/migrations/env.py"
PAGE = FRONTEND / "src/app/page.tsx"


@dataclass
class World:
    """What a session would change, and what becomes of it."""

    rolls: list[dict[str, str]] = field(default_factory=list)
    """The images that services kept in each roll."""
    steps: list[tuple[str, ...]] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)
    fails: list[TaskError] = field(default_factory=list)
    project: Any = None
    pods: list[PodState] = field(default_factory=lambda: [PodState("backend", "b-1", "Running", True, 0, "todo-backend:h1")])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()

    class FakeEngine:
        name = "told"

        def pods(self) -> list[PodState]:
            return made.pods

    class FakeProject:
        def __init__(self, in_dev: dict[str, Image]) -> None:
            self.settings, self.sources, self.engine, self.in_dev = SETTINGS, dict(SETTINGS.services), FakeEngine(), in_dev
            self.images = [in_dev.get(name) or image(name, f"h{len(made.rolls)}") for name in SETTINGS.services]

        def again(self, in_dev: dict[str, Image]) -> FakeProject:
            return FakeProject(in_dev)

    made.project = FakeProject({})

    def run_steps(graph: Any, report: Report) -> None:
        made.steps.append(tuple(step.name for step in graph))
        if made.fails:
            raise made.fails.pop()
        report.results.append(StepResult("chart", "changed", 1.0, ""))

    def bring(engine: Any, name: str, service: Any, pods: list[PodState], text: str) -> set[str]:
        made.brought.append(name)
        if made.fails:
            raise made.fails.pop()
        return {"a"}

    def steps(project: FakeProject) -> list[Any]:
        made.rolls.append({name: kept.tag for name, kept in project.in_dev.items()})
        return [module.Step(name, lambda _: changed()) for name in GRAPH]

    for name, fake in {"run_steps": run_steps, "steps": steps, "freeze": lambda *_: None}.items():
        monkeypatch.setattr(module, name, fake)
    monkeypatch.setattr(module.lock, "held", lambda *_: nullcontext())
    monkeypatch.setattr(module.log, "open_log", lambda: None)
    monkeypatch.setattr(module.sync, "bring", bring)
    return made


def image(name: str, tag: str) -> Image:
    return Image(name, f"todo-{name}", tag, ROOT, ROOT, BaseImage("", "", ()))


@pytest.fixture
def told() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def session(world: World, told: list[tuple[str, dict[str, Any]]]) -> Session:
    class Heard(Report):
        def event(self, event: str, **fields: Any) -> None:
            told.append((event, fields))
            super().event(event, **fields)

    return Session(world.project, Heard(stdout=io.StringIO(), stderr=io.StringIO()))


def change(*paths: Path) -> Change:
    return Change(frozenset(paths), time.monotonic())


def events(told: list[tuple[str, dict[str, Any]]], wanted: str) -> list[dict[str, Any]]:
    return [fields for event, fields in told if event == wanted]


def test_a_source_is_brought_without_a_roll(session: Session, world: World, told: list[Any]) -> None:
    session.handle(change(SOURCE))
    assert (world.brought, world.rolls) == (["backend"], [])
    assert [event["service"] for event in events(told, "served")] == ["backend"]


def test_a_synced_service_keeps_its_image_while_another_is_built_and_gets_its_sources_again(session: Session, world: World) -> None:
    session.handle(change(SOURCE))
    session.handle(change(PAGE))
    assert world.rolls == [{"backend": "h0"}]
    assert world.steps == [("build", "load", "chart", "rollout")]
    assert world.brought == ["backend", "backend"]


def test_a_source_that_is_saved_with_another_services_does_not_wait_for_a_build(session: Session, world: World, told: list[Any]) -> None:
    session.handle(change(SOURCE, PAGE))
    assert world.rolls == [{"backend": "h0"}], "the synced service is not built"
    assert world.brought == ["backend", "backend"]
    assert next(event["service"] for event in events(told, "served")) == "backend"


def test_a_source_that_cannot_be_brought_keeps_no_other_service_from_its_build(session: Session, world: World, told: list[Any]) -> None:
    world.fails = [TaskError("the pod is full", code="disk-full")]
    session.handle(change(SOURCE, PAGE))
    assert [event["code"] for event in events(told, "error")] == ["disk-full"]
    assert world.steps == [("build", "load", "chart", "rollout")]


def test_a_migration_takes_an_image_which_has_all_sources(session: Session, world: World) -> None:
    session.handle(change(SOURCE))
    session.handle(change(MIGRATION, SOURCE))
    assert world.rolls == [{}]
    assert world.brought == ["backend"]


def test_what_could_not_be_built_is_built_by_its_next_change_and_does_not_break_others(
    session: Session, world: World, told: list[Any]
) -> None:
    world.fails = [TaskError("building backend failed", code="build-failed")]
    session.handle(change(MIGRATION))
    assert [event["code"] for event in events(told, "error")] == ["build-failed"]
    session.handle(change(PAGE))
    session.handle(change(SOURCE))  # a source that would be synced otherwise
    assert world.rolls == [{}, {"backend": "h0"}, {}]
    assert world.brought == []


def test_settings_are_read_again(session: Session, world: World) -> None:
    session.handle(change(ROOT / "invoke.yaml"))
    assert world.steps == [("preflight", "build", "secrets", "load", "chart", "rollout")]


def test_a_profile_that_somebody_ended_comes_back(session: Session, world: World) -> None:
    world.fails = [TaskError("no dev.py there", code="sync-failed")]
    session.handle(change(SOURCE))
    assert (world.brought, world.rolls) == (["backend", "backend"], [{"backend": "h0"}])


def test_a_new_pod_gets_the_sources_once(session: Session, world: World) -> None:
    session.renew(world.pods)
    assert world.brought == []
    session.handle(change(SOURCE))
    session.renew(world.pods)
    assert world.brought == ["backend"]
    world.pods = [PodState("backend", "b-2", "Running", True, 0, "todo-backend:h1")]
    session.renew(world.pods)
    session.renew(world.pods)
    assert world.brought == ["backend", "backend"]


def test_what_runs_on_this_machine_is_left_to_itself(session: Session, world: World) -> None:
    session.on_host = "backend"
    session.handle(change(SOURCE, MIGRATION))
    assert (world.brought, world.rolls) == ([], [])
