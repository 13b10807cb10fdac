"""The page of `invoke dev`, by Textual's own pilot."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, RichLog, Static

from scripts.config.settings import load_settings
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.report import Report
from scripts.inner_loop import wishes
from scripts.inner_loop.page import Page
from scripts.inner_loop.rows import matches, rows
from scripts.inner_loop.watching import Watch
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import Amounts
from scripts.logs.line import LogLine, LogQuery

pytestmark = pytest.mark.runner

PODS = [
    PodState("backend", "todo-backend-1", "Running", True, 2, "todo-backend:h1", limits=Amounts(1, 256 * 2**20)),
    PodState("frontend", "todo-frontend-1", "Running", False, 0, "todo-frontend:h2"),
]
Steps = Callable[[Pilot[None], "Session"], Awaitable[None]]


class Engine:
    """An engine whose pods each write two lines."""

    name = "told"

    def __init__(self) -> None:
        self.wrong: list[Any] = []

    def pods(self) -> list[PodState]:
        return PODS

    def usage(self) -> dict[str, Amounts]:
        return {"todo-backend-1": Amounts(0.25, 90 * 2**20)}

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        assert query.follow
        for pod in PODS:
            for text in (f"hello from {pod.name}", 'access "GET /health HTTP/1.1" 200'):
                yield LogLine(pod.service, pod.name, pod.service, "2026-01-02T03:04:05Z", text)
        while not shell.stopping():
            time.sleep(0.05)

    def diagnose(self) -> list[Any]:
        return self.wrong


class Session:
    """What the page asks a session for."""

    on_host = ""

    def __init__(self, folder: Path) -> None:
        self.folder, self.report = folder, Report(stdout=io.StringIO(), stderr=io.StringIO())
        self.engine = Engine()
        self.project = SimpleNamespace(settings=load_settings(), engine=self.engine)
        self.restarted: list[str] = []
        self.handled: list[set[str]] = []

    def folders(self) -> list[Path]:
        return [self.folder]

    def handle(self, change: Any) -> None:
        self.handled.append({path.name for path in change.paths})

    def renew(self, pods: Any) -> None:
        pass

    def restart(self, name: str) -> None:
        self.restarted.append(name)

    def guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except TaskError as error:
            self.report.error(error)


@pytest.fixture
def shown(tmp_path: Path) -> Callable[..., None]:
    """Show a page of this size, and let steps go on with it."""

    def show(steps: Steps, size: tuple[int, int] = (100, 30)) -> None:
        session = Session(tmp_path)
        watch = Watch(session.folders)
        page = Page(session, watch, "remove the app")  # type: ignore[arg-type]

        async def run() -> None:
            with watch.running():
                await through()

        async def through() -> None:
            async with page.run_test(size=size) as pilot:
                await seen(pilot, lambda: "hello from todo-backend-1" in log(page))
                await steps(pilot, session)
                await page.action_quit()

        try:
            asyncio.run(run())
        finally:
            page._ending.set()
            page.bringing.join(10)

    return show


def test_the_page_says_what_comes_after_it(shown: Callable[..., None]) -> None:
    async def steps(pilot: Pilot[None], _: Session) -> None:
        await seen(pilot, lambda: "q will quit, and remove the app" in log(pilot.app))

    shown(steps)


async def seen(pilot: Pilot[None], there: Callable[[], bool]) -> None:
    for _ in range(200):
        await pilot.pause(0.05)
        if there():
            return
    raise AssertionError("it did not come")


def log(page: Any) -> str:
    return "\n".join(line.text for line in page.query_one(RichLog).lines)


def text_of(page: Any, name: str) -> str:
    return str(page.query_one(name, Static).render())


def cells(page: Any) -> list[list[str]]:
    table = page.query_one(DataTable)
    return [[str(cell) for cell in table.get_row_at(index)] for index in range(table.row_count)]


def test_it_shows_each_service_and_its_log_without_probes(shown: Callable[..., None]) -> None:
    async def steps(pilot: Pilot[None], session: Session) -> None:
        assert cells(pilot.app) == [
            ["backend", "running", "", "2", "0.25/1", "90/256 MiB", "h1"],
            ["frontend", "running, not ready", "", "0", "", "", "h2"],
        ]
        assert "/health" not in log(pilot.app)

    shown(steps)


def test_a_failure_is_shown_with_its_action_until_a_change_is_served(shown: Callable[..., None]) -> None:
    async def steps(pilot: Pilot[None], session: Session) -> None:
        session.report.event("change", files=["a.py"], sync=["backend"], build=[], settings=False)
        session.report.error(
            TaskError("backend has a Python error", "fix it", [*["a frame"] * 9, "a.py:1: invalid syntax"], code="sync-refused")
        )
        await seen(pilot, lambda: "invalid syntax" in text_of(pilot.app, "#failure"))
        assert "-> fix it" in text_of(pilot.app, "#failure")
        assert cells(pilot.app)[0][2] == "failed"
        session.report.event("served", service="backend", seconds=1.2)
        await seen(pilot, lambda: not pilot.app.query_one("#failure").display)
        assert cells(pilot.app)[0][2].startswith("1.2 s, at ")

    shown(steps)


def test_a_filter_shows_the_lines_that_have_its_words(shown: Callable[..., None]) -> None:
    async def steps(pilot: Pilot[None], session: Session) -> None:
        await seen(pilot, lambda: "hello from todo-frontend-1" in log(pilot.app))
        await pilot.press("slash", *"frontend")
        await seen(pilot, lambda: "todo-backend-1" not in log(pilot.app))
        assert "todo-frontend-1" in log(pilot.app)
        await pilot.press("enter", "r")  # a letter is a key again
        await seen(pilot, lambda: session.restarted == ["backend"])
        await pilot.press("escape")
        await seen(pilot, lambda: "todo-backend-1" in log(pilot.app))
        assert not pilot.app.query_one(Input).value

    shown(steps)


def test_keys_act_on_the_chosen_service(shown: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "smoke", lambda project, report: report.say("it works"))
    monkeypatch.setattr(wishes, "causes", lambda project, _report: project.engine.diagnose())

    async def steps(pilot: Pilot[None], session: Session) -> None:
        await pilot.press("down", "r")
        await seen(pilot, lambda: session.restarted == ["frontend"])
        await pilot.press("s")
        await seen(pilot, lambda: "it works" in log(pilot.app))
        await pilot.press("d")
        await seen(pilot, lambda: "nothing is wrong" in log(pilot.app))
        session.engine.wrong = [SimpleNamespace(cause="no room", action="make some", evidence=("2 CPU",), code="unschedulable-cpu")]
        await pilot.press("d")
        await seen(pilot, lambda: "no room" in text_of(pilot.app, "#failure"))

    shown(steps)


def test_a_change_of_the_sources_is_brought(shown: Callable[..., None]) -> None:
    async def steps(pilot: Pilot[None], session: Session) -> None:
        (session.folder / "app.py").write_text("")
        await seen(pilot, lambda: {"app.py"} in session.handled)

    shown(steps)


def test_lines_are_folded_again_in_a_wider_terminal(shown: Callable[..., None]) -> None:
    async def steps(pilot: Pilot[None], session: Session) -> None:
        session.report.say(f"begin {'long ' * 25}end")
        await seen(pilot, lambda: "end" in log(pilot.app))
        assert not any("begin" in line and "end" in line for line in log(pilot.app).splitlines())
        await pilot.resize_terminal(200, 24)
        await seen(pilot, lambda: any("begin" in line and "end" in line for line in log(pilot.app).splitlines()))

    shown(steps, (80, 24))


@pytest.mark.parametrize("width", [80, 200])
def test_it_fits_a_terminal(shown: Callable[..., None], width: int) -> None:
    async def steps(pilot: Pilot[None], session: Session) -> None:
        assert pilot.app.query_one(DataTable).virtual_size.width <= width
        keys = ("Restart", "Smoke", "Open", "Diagnose", "Filter", "Quit")
        await seen(pilot, lambda: all(key in pilot.app.export_screenshot() for key in keys))

    shown(steps, (width, 24))


def test_what_runs_without_a_service_has_a_row_too() -> None:
    found = rows(["backend"], [*PODS[:1], PodState("postgres", "p-0", "Running", True, 0, "todo-postgres:h3")], {"backend": "builds …"}, {})
    assert [(row.service, row.state, row.last) for row in found] == [("backend", "running", "builds …"), ("postgres", "running", "")]
    assert rows(["backend"], [], {}, {})[0].state == "none"


def test_what_the_pods_of_a_service_use_is_one_figure() -> None:
    half = Amounts(0.5, 64 * 2**20)
    pods = [PodState("backend", f"b-{number}", "Running", True, 0, "todo-backend:h1", limits=half) for number in (1, 2)]
    (row,) = rows(["backend"], pods, {}, {"b-1": Amounts(0.1, 2**20), "b-2": Amounts(0.2, 2**21)})
    assert (row.cpu, row.memory) == ("0.30/1", "3/128 MiB")


def test_a_filter_wants_each_of_its_words() -> None:
    assert matches("Back error", "backend/x2x4p an ERROR came")
    assert not matches("front error", "backend an error came")
