"""Lines of the logs of what runs: several logs read as one, in the order of their times, or as they come."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scripts.core import log, shell
from scripts.core.errors import InterruptedRunError

AT_ONCE = 16
LOOK_SECONDS = 2.0
WAIT_SECONDS = 0.2


@dataclass(frozen=True)
class LogQuery:
    """Which lines are wanted."""

    services: frozenset[str] = frozenset()
    """Empty: all."""
    lines: int = 0
    """The newest so many of each container; 0: all."""
    since_seconds: int = 0
    """Those of so many seconds; 0: of any time."""
    previous: bool = False
    """Of the run before, of a container that was started again."""
    follow: bool = False
    """Also those to come, until the run is stopped."""

    def wants(self, service: str) -> bool:
        """Return whether lines of a service are wanted."""
        return not self.services or service in self.services


@dataclass(frozen=True)
class LogLine:
    """One line, and who wrote it when."""

    service: str
    pod: str
    container: str
    time: str
    """RFC 3339, in UTC."""
    text: str


@dataclass(frozen=True)
class Source:
    """The log of one run of a container."""

    service: str
    pod: str
    container: str
    run: str
    """Tells one run of the container from another."""
    read: Callable[[str], Iterator[str]]
    """Yields lines that begin with their time; after the time that is given, or, with none, as the query says. Raises OSError."""

    def lines(self, after: str = "") -> Iterator[LogLine]:
        """Yield the lines after a time."""
        for line in self.read(after):
            when, _, text = line.rstrip("\r\n").partition(" ")
            if when > after:
                yield LogLine(self.service, self.pod, self.container, when, text)


def merged(sources: Sequence[Source]) -> list[LogLine]:
    """Return the lines of all logs in the order of their times."""
    if not sources:
        return []
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(sources))) as pool:
        found = pool.map(lambda source: list(source.lines()), sources)
    return sorted((line for lines in found for line in lines), key=lambda line: line.time)


def followed(running: Callable[[], Sequence[Source]]) -> Iterator[LogLine]:
    """Yield the lines of all logs as they come; of what starts later too, as `running` tells. Ends when the run is stopped."""
    lines: queue.SimpleQueue[LogLine] = queue.SimpleQueue()
    followers: dict[str, _Follower] = {}
    next_look = 0.0
    while not shell.stopping():
        if time.monotonic() >= next_look:
            for source in running():
                known = followers.get(source.run)
                if known is None or not known.thread.is_alive():
                    followers[source.run] = _Follower(source, known.last if known else "", lines)
            next_look = time.monotonic() + LOOK_SECONDS
        try:
            yield lines.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            continue


class _Follower:
    """Reads one log in a thread. A reading that breaks off is begun again after the last line."""

    def __init__(self, source: Source, after: str, lines: queue.SimpleQueue[LogLine]) -> None:
        self.last = after
        self.thread = threading.Thread(target=self._work, args=(source, lines), name=f"log of {source.pod}", daemon=True)
        self.thread.start()

    def _work(self, source: Source, lines: queue.SimpleQueue[LogLine]) -> None:
        try:
            for line in source.lines(self.last):
                self.last = line.time
                lines.put(line)
        except (Exception, InterruptedRunError) as error:  # noqa: BLE001 - of a library's connection that breaks: the next look begins again
            log.debug(f"the log of {source.pod} breaks off: {error!r}")
