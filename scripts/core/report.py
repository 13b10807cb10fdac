"""What a run tells: a person sees one line a step, live on a terminal; a machine gets the same as JSON lines.

Results go to stdout, talk goes to stderr, and every text passes the redactor.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal, TextIO

from rich.console import RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from scripts.core import log
from scripts.core.errors import InputError, InterruptedRunError, TaskError
from scripts.core.redaction import redact
from scripts.core.screen import as_blocks, as_table, beside, console, fits, narrowed

VERSION = 1
"""Of the JSON events. It rises when a key is renamed, removed or takes another meaning; `docs/json.md` describes them."""
Kind = Literal["unchanged", "changed", "passed", "planned", "skipped", "failed"]
INDENT = 4
QUIET_SECONDS = 30.0
"""A run that is not on a terminal is silent for no longer, once a step takes its time."""
MARKS: dict[str, tuple[str, str]] = {
    "unchanged": ("=", "dim"),
    "changed": ("+", "green"),
    "passed": ("=", "green"),
    "planned": ("~", "cyan"),
    "skipped": ("-", "yellow"),
    "failed": ("x", "bold red"),
}


@dataclass(frozen=True)
class Outcome:
    """How a step ended, and one line of detail."""

    kind: Kind
    detail: str = ""


def unchanged(detail: str = "") -> Outcome:
    """Return the outcome of a step that found everything as it should be."""
    return Outcome("unchanged", detail)


def changed(detail: str = "") -> Outcome:
    """Return the outcome of a step that changed something."""
    return Outcome("changed", detail)


def passed(detail: str) -> Outcome:
    """Return the outcome of a step that checks something and found it right."""
    return Outcome("passed", detail)


def skipped(detail: str) -> Outcome:
    """Return the outcome of a step that was left out, and why."""
    return Outcome("skipped", detail)


@dataclass(frozen=True)
class StepResult:
    """How a step ended, and after how long."""

    step: str
    result: Kind
    seconds: float
    detail: str


class Report:
    """The output of one run. Safe to use from several threads."""

    def __init__(self, *, as_json: bool = False, plain: bool = False, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.as_json = as_json
        """Whether a machine is listening."""
        self._out = console(stdout or sys.stdout, plain=plain)
        self._err = console(stderr or sys.stderr, plain=plain)
        self._lock = threading.RLock()
        self._running: dict[str, tuple[float, str]] = {}
        self._waiting: set[str] = set()
        self._live: Live | None = None
        self._width = 12
        self.results: list[StepResult] = []

    @property
    def on_terminal(self) -> bool:
        """Whether a person watches on a terminal, and wants more than lines."""
        return not self.as_json and self._out.is_terminal and self._err.is_terminal

    def event(self, event: str, **fields: Any) -> None:
        """Print one JSON line, when a machine is listening."""
        if self.as_json:
            with self._lock:
                try:
                    print(redact(json.dumps({"v": VERSION, "event": event, **fields}, default=str)), file=self._out.file, flush=True)
                except BrokenPipeError:
                    self._out.on_broken_pipe()
                except OSError as error:  # such as a full disk
                    self._out.on_broken_pipe()
                    cause = f"what is printed cannot be written: {error.strerror}"
                    self._err.print(f"error: {cause}")  # the event of this error goes nowhere
                    raise TaskError(cause) from None

    def say(self, text: str) -> None:
        """Tell a person something beside the steps."""
        log.debug(text)
        self.event("message", text=text)
        if not self.as_json:
            self._print_words(Text(redact(text)))

    def warn(self, text: str) -> None:
        """Tell of something that is not right, but stops nothing."""
        log.debug(f"warning: {text}")
        self.event("warning", text=text)
        if not self.as_json:
            self._print_words(Text.assemble(("warning: ", "yellow"), redact(text)))

    def _print_words(self, text: Text, indent: int = 0) -> None:
        """Talk, folded between words on a terminal. What a person copies, an action or a result, is never folded by us."""
        if self._err.is_terminal:
            self._err.print(Padding(text, (0, 0, 0, indent), expand=False), soft_wrap=False)
        else:
            self._err.print(Text(" " * indent) + text)

    def result(self, text: str) -> None:
        """Print a line of the task's result."""
        if not self.as_json:
            self._out.print(Text(redact(text)))

    def heading(self, text: str) -> None:
        """Print what the result is about, which nobody copies: folded between words on a terminal."""
        if not self.as_json:
            self._out.print(Text(redact(text)), soft_wrap=not self._out.is_terminal)

    def block(self, mark: tuple[str, str], head: str, lines: Sequence[str]) -> None:
        """Print a result of several lines to a person: a mark with its style, a head, and lines below it, folded on a terminal."""
        if not self.as_json:
            self._out.print(beside(Text.assemble(mark, " "), Text(redact(head), style="bold")) if head else Text(*mark), soft_wrap=False)
            for line in lines:
                self._out.print(Padding(Text(redact(line)), (0, 0, 0, INDENT), expand=False), soft_wrap=False)

    def line(self, text: Text) -> None:
        """Print a line of the task's result in colours; as it is, where a secret has to be masked in it."""
        if not self.as_json:
            masked = redact(text.plain)
            self._out.print(text if masked == text.plain else Text(masked))

    def confirm(self, question: str) -> bool:
        """Ask a person. Raises InputError where nobody can answer."""
        if self.as_json or not sys.stdin.isatty():
            raise InputError(question, "answer with --yes", code="confirmation-needed")
        self._err.print(Text(f"{redact(question)} [y/N] "), end="")  # a plain string would be markup, and lose the brackets
        try:
            return sys.stdin.readline().strip().lower() in ("y", "yes")
        except KeyboardInterrupt:
            self._err.print()  # what follows begins its own line
            raise

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], event: str, importance: Sequence[str] = ()) -> None:
        """Print a table of results; as JSON, one event with the rows.

        importance: the columns, the most important first; where it is given, the others give way on a narrow terminal.
        """
        self.event_of_rows(event, columns, rows)
        self.print_table(columns, rows, importance)

    def event_of_rows(self, event: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print one JSON line with rows by the names of their columns, when a machine is listening."""
        self.event(event, rows=[dict(zip(columns, row, strict=True)) for row in rows])

    def print_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], importance: Sequence[str] = ()) -> None:
        """Print a table for a person alone."""
        if self.as_json:
            return
        cells = [[redact(cell) for cell in row] for row in rows]
        if importance:
            columns, cells, left_out = narrowed(columns, cells, self._out.width, importance)
            self._out.print(as_table(columns, cells), soft_wrap=False)
            if left_out:
                self._out.print(Text(f"(a wider terminal also shows: {', '.join(left_out)})", style="dim"))
            return
        lay_out = as_table if fits(columns, cells, self._out.width) else as_blocks
        self._out.print(lay_out(columns, cells), soft_wrap=False)

    def error(self, error: TaskError | InterruptedRunError) -> None:
        """Print the cause, the evidence and the next action of a failure."""
        log.debug(f"error: {error}")
        self.event(
            "error",
            code=error.code,
            exit_code=error.exit_code,
            cause=error.cause,
            evidence=error.evidence,
            action=error.action,
        )
        if self.as_json:
            return
        self._print_words(Text.assemble(("error: ", "bold red"), redact(error.cause)))
        for line in error.evidence:
            self._print_words(Text(redact(line), style="dim"), indent=4)
        if error.action:
            self._err.print(Text.assemble(("  -> ", "cyan"), redact(error.action)))

    @contextmanager
    def live(self, steps: Sequence[str]) -> Iterator[None]:
        """Show the running steps while the block runs: live on a terminal, elsewhere a line each now and then."""
        self._width = max([self._width, *(len(step) + 2 for step in steps)])
        if self.as_json:
            yield
            return
        if not self._err.is_terminal:
            with self._lines_now_and_then():
                yield
            return
        with Live(get_renderable=self._running_table, console=self._err, refresh_per_second=8, transient=True) as self._live:
            try:
                yield
            finally:
                with self._lock:
                    self._running.clear()
        self._live = None

    @contextmanager
    def _lines_now_and_then(self) -> Iterator[None]:
        """Tell that it goes on: who reads a log of it cannot see a spinner."""
        ended = threading.Event()

        def tell() -> None:
            while not ended.wait(QUIET_SECONDS):
                with self._lock:
                    for step, (started, text) in self._running.items():
                        seconds = time.monotonic() - started
                        if step not in self._waiting and seconds >= QUIET_SECONDS:
                            self._err.print(Text(f"  {step:<{self._width}}goes on   {seconds:7.1f} s  {text}"))

        thread = threading.Thread(target=tell, name="goes-on", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _running_table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        with self._lock:
            for step in sorted(self._running, key=lambda step: step not in self._waiting):  # the eye is at the last line
                started, text = self._running[step]
                mark: RenderableType = Text("·", style="dim") if step in self._waiting else Spinner("dots")
                seconds = f"{time.monotonic() - started:6.1f} s"
                shown = Text(text, style="dim", overflow="ellipsis", no_wrap=True)
                table.add_row(mark, Text(f"{step:<{self._width}}"), Text(seconds, style="dim"), shown)
        return table

    def started(self, step: str) -> None:
        """Tell that a step begins."""
        log.debug(f"== {step}")
        self.event("step_started", step=step)
        with self._lock:
            self._running[step] = (time.monotonic(), "")

    def progress(self, step: str, text: str) -> None:
        """Tell what a running step is doing now."""
        log.debug(f"{step}: {text}")
        self.event("step_progress", step=step, text=text)
        with self._lock:
            if step in self._running:
                self._running[step] = (self._running[step][0], redact(text.strip()))

    @contextmanager
    def waiting(self, step: str, text: str) -> Iterator[None]:
        """Tell that a step waits for another one while the block runs."""
        self.progress(step, text)
        with self._lock:
            self._waiting.add(step)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(step)

    def finished(self, result: StepResult) -> None:
        """Tell how a step ended: one line."""
        log.debug(f"== {result.step}: {result.result} in {result.seconds:.1f} s: {result.detail}")
        fields = asdict(result)
        self.event("step_finished", **{**fields, "seconds": round(result.seconds, 2)})
        with self._lock:
            self._running.pop(result.step, None)
            self.results.append(result)
        if self.as_json:
            return
        mark, style = MARKS[result.result]
        line = Text.assemble((f"{mark} ", style), f"{result.step:<{self._width}}", (f"{result.result:<10}", style))
        line.append(f"{result.seconds:7.1f} s  ", style="dim")
        self._err.print(beside(line, Text(redact(result.detail))) if self._err.is_terminal else line + Text(redact(result.detail)))

    def closing(self, seconds: float) -> None:
        """Print the time of all steps together; as JSON, one event with all of them. A step that was alone has told its time."""
        nothing_changed = {r.result for r in self.results} <= {"unchanged", "passed"}
        word, detail = ("unchanged", "nothing changed") if nothing_changed else ("", "")
        rows = [(r.step, r.result, f"{r.seconds:.1f}", r.detail) for r in self.results]
        self.event_of_rows("summary", ("step", "result", "seconds", "detail"), [*rows, ("total", word, f"{seconds:.1f}", detail)])
        if not self.as_json and len(rows) > 1:
            line = Text.assemble(f"  {'total':<{self._width}}{word:<10}", (f"{seconds:7.1f} s  ", "dim"), detail)
            self._err.print(line)


class StepReport:
    """The output of one step."""

    def __init__(self, report: Report, step: str) -> None:
        self._report = report
        self._step = step
        self.waited = 0.0
        """Seconds that were not its own work, and are not counted as its."""

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Tell that the step waits for another one while the block runs."""
        began = time.monotonic()
        try:
            with self._report.waiting(self._step, text):
                yield
        finally:
            self.waited += time.monotonic() - began

    def progress(self, text: str) -> None:
        """Tell what the step is doing now."""
        self._report.progress(self._step, text)

    def warn(self, text: str) -> None:
        """Tell of something that is not right, but stops nothing."""
        self._report.warn(f"{self._step}: {text}")

    def say(self, text: str) -> None:
        """Tell a person something that stays on the screen."""
        self._report.say(f"{self._step}: {text}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], event: str) -> None:
        """Print a table of results; as JSON, one event with the rows."""
        self._report.table(columns, rows, event)
