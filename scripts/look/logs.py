"""`invoke logs`: what the services say, together, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

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
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DURATION = re.compile(r"(?:\d{1,6}[smhd])+")


@command(
    changes=False,
    positional=["service"],
    help={
        "service": "a service, or postgres; by default all",
        "lines": f"only so many of the newest lines per container; by default {USUAL_LINES}, or all with --since",
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
    query = LogQuery(frozenset([service] if service else ()), lines or (0 if since else USUAL_LINES), seconds, previous, follow)
    quiet = {} if probes else probe_paths(project.settings)
    try:
        show(_wanted(project.engine.logs(query), pattern, quiet), report)
    except KeyboardInterrupt:
        if not follow:  # where it is the wanted end
            raise


def show(lines: Iterator[LogLine], report: Report) -> None:
    """Print lines as they come."""
    width, colours = 0, dict[str, str]()
    for line in lines:
        report.event("log", service=line.service, pod=line.pod, container=line.container, time=line.time, text=line.text)
        width = max(width, len(who(line)))
        colours.setdefault(line.service, COLOURS[len(colours) % len(COLOURS)])
        report.line(shown(line, width, colours))


def _wanted(lines: Iterator[LogLine], pattern: re.Pattern[str], quiet: Mapping[str, frozenset[str]]) -> Iterator[LogLine]:
    for line in lines:
        paths = quiet.get(line.service)
        if pattern.search(line.text) and not (paths and is_of_a_probe(line.text, paths)):
            yield line


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
