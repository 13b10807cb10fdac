"""`invoke logs`: what the services say, together, in words."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from scripts.command import command
from scripts.core.errors import InputError
from scripts.core.report import Report
from scripts.logs.fields import is_of_a_probe
from scripts.logs.line import LogLine, LogQuery
from scripts.logs.text import COLOURS, shown, who
from scripts.program import run_command
from scripts.project import Project
from scripts.traffic.asking import probe_paths

USUAL_LINES = 100
LOOKED_THROUGH = 10_000
"""So many of a container's newest lines are read to show some that are no requests of probes, where no time is asked for."""
SEARCHED = 100_000
"""As above, for those that --grep finds."""
MARGIN_SECONDS = 60
"""What was written meanwhile is asked for with so much more: clocks differ, and what is known is left out."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DURATION = re.compile(r"(?:\d{1,6}[smhd])+")


@command(
    changes=False,
    positional=["service"],
    help={
        "service": "a service, or postgres; by default all",
        "lines": f"show only so many of the newest lines per container; by default {USUAL_LINES}, or all with --since",
        "follow": "keep printing new lines, also from new pods",
        "since": "only the last 30s, 10m, 2h30m or 1d",
        "previous": "the previous run of containers that have restarted",
        "grep": "only lines that match a regular expression",
        "probes": "also requests from probes and Prometheus",
    },
)
def logs(  # noqa: PLR0913 - they are the options of the command
    project: Project,
    report: Report,
    *,
    service: str = "",
    lines: int = 0,
    follow: bool = False,
    since: str = "",
    previous: bool = False,
    grep: str = "",
    probes: bool = False,
) -> None:
    """Show the services' logs; --follow keeps going.

    JSON lines are shown as text, coloured by level; --json prints them unchanged.
    """
    pattern = _pattern(grep)
    seconds = _seconds(since)
    if follow and previous:
        raise InputError("a run that has ended cannot be followed", "leave out --follow or --previous", code="input-invalid")
    project.require_installed()
    count = lines or (0 if since else USUAL_LINES)
    sieve = Sieve(pattern, {} if probes else probe_paths(project.settings))
    query = LogQuery(frozenset([service] if service else ()), sieve.reads(count, since=bool(since)), seconds, previous)
    began = time.monotonic()
    try:
        found = list(project.engine.logs(query))
        lines_now = newest(sieve.through(found), count)
        if follow:
            again = replace(query, follow=True, lines=0, since_seconds=MARGIN_SECONDS + round(time.monotonic() - began))
            show(chain(lines_now, sieve.through(_later(project.engine.logs(again), found))), report)
            return
        show(lines_now, report)
        if not lines_now:
            report.say(sieve.why_nothing(f" in the last {since}" if since else ""))
    except KeyboardInterrupt:
        if not follow:  # where it is the wanted end
            raise


@dataclass
class Sieve:
    """Which lines are shown, and what it has met so far."""

    pattern: re.Pattern[str]
    quiet: Mapping[str, frozenset[str]]
    """The paths of each service whose requests are not shown."""
    met: int = 0
    of_probes: int = 0
    """Those that match, and are left out as requests of probes."""

    def reads(self, count: int, *, since: bool) -> int:
        """Return how many of a container's newest lines to read, 0 for all, so that `count` may be left. since: a time is asked for."""
        if not self.pattern.pattern and not self.quiet:
            return count
        return 0 if since else max(count, SEARCHED if self.pattern.pattern else LOOKED_THROUGH)

    def through(self, lines: Iterable[LogLine]) -> Iterator[LogLine]:
        """Yield the lines that are shown."""
        for line in lines:
            self.met += 1
            if self.pattern.search(line.text):
                paths = self.quiet.get(line.service)
                if paths and is_of_a_probe(line.text, paths):
                    self.of_probes += 1
                else:
                    yield line

    def why_nothing(self, when: str) -> str:
        """Return why no line is shown, as a sentence. when: of which time, in words, if one is asked for."""
        if not self.met:
            return f"nothing was logged{when}"
        if self.of_probes:
            return f"only requests of probes{f' match `{self.pattern.pattern}`' if self.pattern.pattern else ''}: --probes shows them"
        return f"no line{when} matches `{self.pattern.pattern}`; {self.met} {'was' if self.met == 1 else 'were'} looked through"


def newest(lines: Iterable[LogLine], count: int) -> Sequence[LogLine]:
    """Return the newest so many lines of each container, in their order; all for 0."""
    found = list(lines)
    if not count:
        return found
    seen, kept = Counter[tuple[str, str]](), []
    for line in reversed(found):
        seen[_of(line)] += 1
        if seen[_of(line)] <= count:
            kept.append(line)
    return kept[::-1]


def _later(lines: Iterable[LogLine], known: Iterable[LogLine]) -> Iterator[LogLine]:
    """Yield the lines that are not known: a log that is followed begins with what it has."""
    last = {_of(line): line.time for line in known}
    return (line for line in lines if line.time > last.get(_of(line), ""))


def _of(line: LogLine) -> tuple[str, str]:
    return line.pod, line.container


def show(lines: Iterable[LogLine], report: Report) -> None:
    """Print lines as they come."""
    width, colours = 0, dict[str, str]()
    for line in lines:
        report.event("log", service=line.service, pod=line.pod, container=line.container, time=line.time, text=line.text)
        width = max(width, len(who(line)))
        colours.setdefault(line.service, COLOURS[len(colours) % len(COLOURS)])
        report.line(shown(line, width, colours))


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise InputError(f"--grep: `{text}` is not a regular expression: {error}", "(?i)word ignores case", code="input-invalid") from None


def _seconds(text: str) -> int:
    if text and not DURATION.fullmatch(text):
        raise InputError(f"--since: `{text}` is not a duration", "write 30s, 10m, 2h30m or 1d", code="input-invalid")
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", text))


if __name__ == "__main__":
    run_command()
