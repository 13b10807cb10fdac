"""What goes on in `invoke dev` between its begin and its end: changes, new pods and a person's wishes, one after another."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial

from scripts.core.errors import TaskError
from scripts.inner_loop.following import Following, OnPods
from scripts.inner_loop.on_host import running
from scripts.inner_loop.session import Session
from scripts.inner_loop.watching import Watch
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import Amounts
from scripts.logs.fields import is_of_a_probe
from scripts.logs.line import LogLine
from scripts.traffic.asking import probe_paths

IDLE_SECONDS = 0.2
HERE = "this machine"
Job = Callable[[], None]


class Drive:
    """Looks for what is to be done. The caller decides how an interrupt reaches its jobs."""

    def __init__(self, session: Session, watch: Watch, on_line: Callable[[LogLine], None], on_pods: OnPods) -> None:
        """Take the session, what watches its sources, and who hears of each line of a log (but for those of probes), and of the pods."""
        self._session, self._watch, self._on_line, self._on_pods = session, watch, on_line, on_pods
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._alive: Callable[[], bool] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Follow what runs while the block runs, and run the service of --on-host."""
        with ExitStack() as stack:
            stack.enter_context(Following(lambda: self._session.project.engine, self._line, self._pods).running())
            if self._session.on_host:
                self._alive = stack.enter_context(self._beside())
            yield

    def ask(self, job: Job) -> None:
        """Have something done when it is its turn."""
        self._jobs.put(job)

    def next(self) -> Job | None:
        """Return the next thing to do; None where there is none for a moment."""
        if self._alive and not self._alive():
            self._alive = None
            name = self._session.on_host
            self._session.report.error(TaskError(f"{name} ended on this machine", "its last lines say why", code="sync-ended"))
        if not self._jobs.empty():
            return self._jobs.get()
        change = self._watch.next(IDLE_SECONDS)
        return partial(self._session.handle, change) if change else None

    def _pods(self, pods: Sequence[PodState], usage: Mapping[str, Amounts]) -> None:
        self._on_pods(pods, usage)
        self._jobs.put(partial(self._session.renew, pods))

    def _line(self, line: LogLine) -> None:
        paths = probe_paths(self._session.project.settings).get(line.service)
        if not (paths and is_of_a_probe(line.text, paths)):
            self._on_line(line)

    def _here(self, line: str) -> None:
        """Hand on a line of the service of --on-host."""
        name = self._session.on_host
        self._on_line(LogLine(name, HERE, name, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), line))

    @contextmanager
    def _beside(self) -> Iterator[Callable[[], bool]]:
        name = self._session.on_host
        with running(self._session.project, name, self._here) as (port, alive):
            where = f": http://localhost:{port}" if port else ""
            self._session.report.say(f"{name} runs on this machine{where}; its pods stay as they are")
            yield alive
