"""The page of `invoke dev` in a terminal: the services, what fails and what to do, and the log of all of them."""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import DataTable, Footer, Input, RichLog, Static

from scripts.core.errors import InterruptedRunError, TaskError
from scripts.core.redaction import redact
from scripts.core.report import Report
from scripts.inner_loop import wishes
from scripts.inner_loop.drive import Drive
from scripts.inner_loop.rows import POD_WIDTH, Row, colours, matches, rows
from scripts.inner_loop.session import Session
from scripts.inner_loop.watching import Watch
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import Amounts
from scripts.logs.line import LogLine
from scripts.logs.text import shown

KEPT_LINES = 5000
EVIDENCE_LINES = 6
COLUMNS = ("service", "state", "last change", "restarts", "cpu", "memory", "image")
OURS = "dev"
"""Who says what is no line of a service."""


class PageReport(Report):
    """Hands what a run tells to the page."""

    def __init__(self, heard: Callable[[str, dict[str, Any]], None]) -> None:
        super().__init__(stdout=io.StringIO(), stderr=io.StringIO())
        self._heard = heard

    def event(self, event: str, **fields: Any) -> None:
        """Hand on an event."""
        self._heard(event, fields)


class Lines(RichLog):
    """The log, which is folded again for another width."""

    def _on_resize(self, _event: Resize) -> None:
        page = self.app
        if isinstance(page, Page):
            page.show_lines()


class Page(App[None]):
    """Shows a session until a person quits."""

    CSS = """
    #title { height: 1; background: $panel; padding: 0 1; }
    #services { height: auto; max-height: 40%; }
    #failure { height: auto; max-height: 12; padding: 0 1; border-left: thick $error; display: none; }
    #failure.shown { display: block; }
    #filter { display: none; border: none; height: 1; padding: 0 1; }
    #filter.shown { display: block; }
    #log { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "restart", "Restart"),
        Binding("s", "smoke", "Smoke"),
        Binding("o", "open", "Open"),
        Binding("d", "diagnose", "Diagnose"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "all_lines", "All lines", show=False),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, session: Session, watch: Watch, at_the_end: str) -> None:
        """Take the session, what watches its sources, and what comes after the page, which tells what it does from now on."""
        super().__init__()
        self._at_the_end = at_the_end
        self._session = session
        session.report = PageReport(lambda event, fields: self._from_thread(self.hear, event, fields))
        self.drive = Drive(session, watch, partial(self._from_thread, self.add_line), partial(self._from_thread, self.show_pods))
        self.bringing = threading.Thread(target=self._bring, name="bring", daemon=True)
        self._ending = threading.Event()
        self._lines: deque[Text] = deque(maxlen=KEPT_LINES)
        self._pods: Sequence[PodState] = ()
        self._usage: Mapping[str, Amounts] = {}
        self._last: dict[str, str] = {}
        self._filter = ""
        self._doing = ""

    @property
    def services(self) -> list[str]:
        """The services of the app, in their order."""
        return list(self._session.project.settings.services)

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Static(id="title")
        yield DataTable(id="services", cursor_type="row", zebra_stripes=False)
        yield Static(id="failure")
        yield Input(id="filter", placeholder="words that a line must have; Enter keeps it, Esc shows all lines")
        yield Lines(id="log", max_lines=KEPT_LINES, wrap=True, auto_scroll=True)
        yield Footer()

    def on_mount(self) -> None:
        """Show what is known, and begin."""
        self.query_one(DataTable).add_columns(*COLUMNS)
        self._refresh()
        self.say(f"q will quit, and {self._at_the_end}")
        self.bringing.start()

    def _bring(self) -> None:
        try:
            with self.drive.running():
                while not self._ending.is_set():
                    if job := self.drive.next():
                        job()
        except InterruptedRunError:
            pass
        except TaskError as error:
            self._session.report.error(error)

    def _from_thread(self, show: Callable[..., None], *given: Any) -> None:
        if not self._ending.is_set():
            self.call_later(show, *given)

    def hear(self, event: str, fields: dict[str, Any]) -> None:
        """Show what a run tells."""
        if event in ("message", "warning"):
            self.say(fields["text"])
        elif event == "address":
            self.say(f"open: {fields['url']}")
        elif event == "step_progress":
            self._doing = f"{fields['step']}: {fields['text']}"
        elif event == "step_finished":
            self._doing = ""
            if fields["result"] not in ("unchanged", "passed"):
                self.say(f"{fields['step']} {fields['result']} {fields['seconds']:.1f} s  {fields['detail']}")
        elif event == "change":
            self._last |= dict.fromkeys(fields["sync"], "syncs …") | dict.fromkeys(fields["build"], "builds …")
            self.show_failure()
        elif event == "served":
            self._last[fields["service"]] = f"{fields['seconds']:.1f} s, at {time.strftime('%H:%M:%S')}"
            self.show_failure()
        elif event == "error":
            self._last = {name: "failed" if text.endswith("…") else text for name, text in self._last.items()}
            self.show_failure(fields["cause"], fields["evidence"], fields["action"])
        self._refresh()

    def say(self, text: str) -> None:
        """Add a line of ours."""
        self._add(Text.assemble((f"{time.strftime('%H:%M:%S')} ", "dim"), (f"{OURS:<{self._width}} ", "bold"), redact(text)))

    def add_line(self, line: LogLine) -> None:
        """Add a line of a service's log."""
        self._add(shown(replace(line, text=redact(line.text)), self._width, colours(self.services)))

    def _add(self, line: Text) -> None:
        self._lines.append(line)
        if matches(self._filter, line.plain):
            self.query_one(RichLog).write(line, expand=True)

    @property
    def _width(self) -> int:
        return max(map(len, self.services)) + POD_WIDTH

    def show_pods(self, pods: Sequence[PodState], usage: Mapping[str, Amounts]) -> None:
        """Show what runs, and what it uses."""
        self._pods, self._usage = pods, usage
        self._refresh()

    def show_failure(self, cause: str = "", evidence: Sequence[str] = (), action: str = "") -> None:
        """Show what fails, why, and what to do; without a cause, that nothing does."""
        found = self.query_one("#failure", Static)
        found.set_class(bool(cause), "shown")
        lines = [Text(redact(cause), style="bold"), *(Text(redact(line), style="dim") for line in evidence[-EVIDENCE_LINES:])]
        found.update(Text("\n").join([*lines, Text(f"-> {redact(action)}", style="cyan")]))

    def _refresh(self) -> None:
        doing = f"   {self._doing}" if self._doing else ""
        engine = self._session.project.engine.name
        self.query_one("#title", Static).update(Text(f"invoke dev on {engine}{redact(doing)}", no_wrap=True, overflow="ellipsis"))
        table: DataTable[Text] = self.query_one(DataTable)
        chosen, known = table.cursor_row, colours(self.services)
        table.clear()
        for row in rows(self.services, self._pods, self._last, self._usage):
            table.add_row(*_cells(row, known.get(row.service, "white")), key=row.service)
        table.move_cursor(row=min(chosen, max(table.row_count - 1, 0)))

    @property
    def chosen(self) -> str:
        """The service whose row is chosen."""
        table: DataTable[Text] = self.query_one(DataTable)
        return str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value)

    def action_restart(self) -> None:
        """Restart the chosen service."""
        name = self.chosen
        self._last[name] = "restarts …"
        self.drive.ask(partial(self._session.restart, name))

    def action_smoke(self) -> None:
        """Prove that the app works."""
        self.drive.ask(partial(self._session.guarded, partial(wishes.smoke, self._session.project, self._session.report)))

    def action_diagnose(self) -> None:
        """Say what is wrong."""
        self.drive.ask(partial(self._session.guarded, partial(wishes.diagnose, self._session.project, self._session.report)))

    def action_open(self) -> None:
        """Open the public services, until the page ends."""

        def work() -> None:
            with suppress(InterruptedRunError):
                self._session.guarded(partial(wishes.open_app, self._session.project, self._session.report))

        threading.Thread(target=work, name="open", daemon=True).start()

    def action_filter(self) -> None:
        """Ask for words that a line must have."""
        field = self.query_one(Input)
        field.add_class("shown")
        field.focus()

    def action_all_lines(self) -> None:
        """Show all lines again."""
        self.query_one(Input).value = ""
        self.query_one(Input).remove_class("shown")
        self.query_one(DataTable).focus()

    def on_input_changed(self, changed: Input.Changed) -> None:
        """Show only the lines that fit."""
        self._filter = changed.value
        self.show_lines()

    def show_lines(self) -> None:
        """Show the lines that fit, folded to the width of now."""
        log = self.query_one(RichLog)
        log.clear()
        for line in self._lines:
            if matches(self._filter, line.plain):
                log.write(line, expand=True)

    def on_input_submitted(self) -> None:
        """Go back to the services; the filter stays."""
        self.query_one(DataTable).focus()

    async def action_quit(self) -> None:
        """End the page."""
        self._ending.set()
        self.exit()


def _cells(row: Row, colour: str) -> tuple[Text, ...]:
    numbers = (Text(each, justify="right") for each in (row.restarts, row.cpu, row.memory))
    return Text(row.service, style=f"bold {colour}"), Text(row.state), Text(row.last), *numbers, Text(row.image)
