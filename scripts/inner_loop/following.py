"""Follows the log of everything that runs: each pod by a thread, from its first line where it came later than we did."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence

from scripts.config.services import Service
from scripts.core.errors import TaskError
from scripts.engines.protocol import Engine
from scripts.kubernetes.pods import PodState

LOOK_SECONDS = 2.0


class Following:
    """Looks at the pods again and again, and hands on what they are and what they write."""

    def __init__(
        self, engine: Callable[[], Engine], on_line: Callable[[str, str], None], on_pods: Callable[[Sequence[PodState]], None]
    ) -> None:
        """Take what tells the engine of now, and who hears of each line (service, text) and of the pods."""
        self._engine, self._on_line, self._on_pods = engine, on_line, on_pods
        self._followed: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Follow while the block runs. The threads that still wait for a line end with us."""
        looker = threading.Thread(target=self._look, name="follow", daemon=True)
        looker.start()
        try:
            yield
        finally:
            self._stop.set()
            looker.join()

    def _look(self) -> None:
        whole = False
        while not self._stop.is_set():
            with contextlib.suppress(TaskError):  # it is looked again soon
                pods = self._engine().pods()
                for pod in pods:
                    self._follow(pod, whole=whole)
                self._on_pods(pods)
                whole = True
            self._stop.wait(LOOK_SECONDS)

    def _follow(self, pod: PodState, *, whole: bool) -> None:
        with self._lock:
            if pod.name in self._followed or not pod.service or pod.state not in ("Running", "running"):
                return
            self._followed.add(pod.name)
        threading.Thread(target=self._read, args=(pod, whole), name=f"log {pod.name}", daemon=True).start()

    def _read(self, pod: PodState, whole: bool) -> None:
        try:
            with contextlib.suppress(TaskError):
                for line in self._engine().follow(pod, whole=whole):
                    if self._stop.is_set():
                        return
                    self._on_line(pod.service, line)
        finally:
            with self._lock:
                self._followed.discard(pod.name)


def is_of_a_probe(service: Service, line: str) -> bool:
    """Return whether a line of a service's log tells of a request by a probe or by Prometheus: a method, and one of their paths."""
    asked = [path for kind in ("live", "ready") if (path := service.probe(kind).get("path"))]
    paths = "|".join(re.escape(path) for path in (*asked, service.metrics) if path)
    return bool(paths) and bool(re.search(r"\b(?:GET|HEAD)\b", line)) and bool(re.search(rf'[\s"](?:{paths})[\s"?]', line))
