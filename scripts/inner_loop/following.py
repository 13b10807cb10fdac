"""Looks at the pods again and again, and reads on in the log of everything that runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from scripts.core import shell
from scripts.core.errors import InterruptedRunError, TaskError
from scripts.engines.protocol import Engine
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import Amounts
from scripts.logs.line import LogLine, LogQuery

LOOK_SECONDS = 2.0
OnPods = Callable[[Sequence[PodState], Mapping[str, Amounts]], None]


class Following:
    """Hands on what the pods are, what they use, and what they write."""

    def __init__(self, engine: Callable[[], Engine], on_line: Callable[[LogLine], None], on_pods: OnPods) -> None:
        """Take what tells the engine of now, and who hears of each line, and of the pods with what each uses."""
        self._engine, self._on_line, self._on_pods = engine, on_line, on_pods
        self._stop = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Follow while the block runs; at its end the run's programs are ended, and may start again: some of them read logs."""
        threads = [threading.Thread(target=work, name="follow", daemon=True) for work in (self._look, self._read)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            shell.stop_all()
            for thread in threads:
                thread.join()
            shell.start_again()

    def _look(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TaskError, InterruptedRunError):  # it is looked again soon
                engine = self._engine()
                self._on_pods(engine.pods(), engine.usage())
            self._stop.wait(LOOK_SECONDS)

    def _read(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TaskError, InterruptedRunError):
                for line in self._engine().logs(LogQuery(since_seconds=1, follow=True)):
                    if self._stop.is_set():
                        return
                    self._on_line(line)
            self._stop.wait(LOOK_SECONDS)
