"""Takes the time of whole processes, ours and others' in turn, so that a machine's moods meet both."""

from __future__ import annotations

import json
import queue
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from scripts.core import log, shell
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT

SECONDS = 1800
DEV_SECONDS = 300


@dataclass
class Measured:
    """One thing that was done in several ways: the seconds of each round, by way."""

    what: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    programs: int = 0
    """How many programs our way has started the last time; 0: it is not known."""

    def median(self, way: str) -> float | None:
        """Return the median of a way; None where it was not taken."""
        return statistics.median(self.seconds[way]) if way in self.seconds else None

    def ratio(self, way: str, to: str) -> float | None:
        """Return one way's median as a multiple of another's."""
        ours, theirs = self.median(way), self.median(to)
        return ours / theirs if ours is not None and theirs else None


def in_turn(what: str, ways: Mapping[str, Callable[[], object]], rounds: int, before: Callable[[str], object] = lambda _: None) -> Measured:
    """Do something in each way, in turn, so many times; `before` is called before each with the way's name, untimed."""
    measured = Measured(what)
    for _ in range(rounds):
        for way, work in ways.items():
            before(way)
            started = time.monotonic()
            work()
            measured.seconds.setdefault(way, []).append(time.monotonic() - started)
    return measured


def invoke(*argv: str, folder: Path = ROOT) -> Callable[[], object]:
    """Return what runs an `invoke` as a process of its own. It raises CommandError where that fails."""
    return lambda: shell.run([sys.executable, "-m", "invoke", *argv], timeout=SECONDS, cwd=folder, holds_lock=False)


def programs_of_last_run() -> int:
    """Return how many programs the last run that may change something has started, as its log tells."""
    try:
        lines = log.PATH.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(1 for line in lines if " $ " in line)


@contextmanager
def in_dev(engine: str, service: str) -> Iterator[Callable[[], None]]:
    """Run `invoke dev` during the block, and yield what waits until a change of a service is served. Raises TaskError where it never is."""
    events: queue.SimpleQueue[dict[str, object]] = queue.SimpleQueue()

    def take(line: str) -> None:
        with suppress(ValueError):
            events.put(json.loads(line))

    def told(name: str, **fields: str) -> None:
        deadline = time.monotonic() + DEV_SECONDS
        while alive() and (left := deadline - time.monotonic()) > 0:
            with suppress(queue.Empty):
                event = events.get(timeout=min(left, 1))
                if event["event"] == name and all(text in str(event[key]) for key, text in fields.items()):
                    return
        raise TaskError(f"invoke dev ended, or told of no `{name}` for {DEV_SECONDS} s", "try it by hand: invoke dev", code="failed")

    argv = [sys.executable, "-m", "invoke", "dev", "--json", "--engine", engine]
    with shell.background(argv, on_line=take) as alive:
        told("message", text="watching the sources")
        yield lambda: told("served", service=service)


@contextmanager
def editing(path: Path) -> Iterator[Callable[[], None]]:
    """Yield what changes one line of a source file, another each time; the file is as it was after the block."""
    before = path.read_text(encoding="utf-8")
    mark = {".py": "#", ".sh": "#", ".yaml": "#"}.get(path.suffix, "//")
    count = 0

    def edit() -> None:
        nonlocal count
        count += 1
        path.write_text(f"{before.rstrip()}\n{mark} a changed line, number {count} at {time.time():.0f}\n", encoding="utf-8")

    try:
        yield edit
    finally:
        path.write_text(before, encoding="utf-8")


def critical_path(seconds: Mapping[str, float], needs: Mapping[str, Sequence[str]]) -> float:
    """Return the seconds of the longest chain of steps, each of which waits for the one before."""
    known: dict[str, float] = {}

    def until(name: str) -> float:
        if name not in known:
            known[name] = seconds.get(name, 0.0) + max((until(need) for need in needs.get(name, ())), default=0.0)
        return known[name]

    return max(map(until, seconds), default=0.0)
