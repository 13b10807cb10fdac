"""A session of `invoke dev`: what runs, what was brought since, and the way from one change to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from scripts.config.services import shown
from scripts.config.settings import load_settings
from scripts.core import lock, log
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Report
from scripts.desired.dev_values import DIFFERS
from scripts.inner_loop import sync
from scripts.inner_loop.changes import Work, synced_files, watched_folders, work_of
from scripts.inner_loop.watching import Change
from scripts.kubernetes.pods import PodState
from scripts.project import Project
from scripts.up import bring_up, freeze, steps

BUILD = ("build", "load", "chart", "rollout")
SETTINGS = ("preflight", "build", "load", "secrets", "chart", "rollout")
RUNS = ("Running", "running")
MOST_FILES = 3


class Session:
    """What one `invoke dev` knows. One thread at a time brings changes."""

    def __init__(self, project: Project, report: Report, *, on_host: str = "") -> None:
        """Take the project as `up` would take it, and the service that runs on this machine instead, if any."""
        self._taken = project
        self.report, self.on_host = report, on_host
        self._synced: set[str] = set()
        """Services whose containers have newer sources than their image."""
        self._owed: set[str] = set()
        """Services whose image could not be built or rolled out."""
        self._settings_owed = False
        self._known: dict[str, frozenset[str]] = {}
        """The synced files that the containers of a service may have, by their paths there."""
        self._brought: dict[str, set[str]] = {}
        """The pods that have the newest sources of a synced service."""
        self.project = project.again(in_dev={})

    def prepare(self) -> None:
        """Read what there is, and make or complete `.env`. Raises InputError with all that is wrong."""
        for key in self.project.create_env():
            self.report.say(f".env: generated {key}")
        freeze(self.project, self.report)

    def begin(self) -> None:
        """Bring the app up in the development profile, as `up` does. Raises what its steps raise."""
        self.report.say(f"development profile: {DIFFERS}; everything else as in production")
        with lock.held("dev", self.report):
            log.open_log()
            bring_up(self.project, self.report)
        self._remember_files(self.project.settings.services)

    def folders(self) -> list[Path]:
        """Return the folders to watch."""
        return watched_folders(self.project.sources, self._chart)

    @property
    def _chart(self) -> Path:
        return ROOT / self.project.settings.chart.path

    def handle(self, change: Change) -> None:
        """Bring what a change needs, and tell it; a failure is told, and what ran before serves on. Raises InterruptedRunError."""
        sources = {name: source for name, source in self.project.sources.items() if name != self.on_host}
        work = work_of(change.paths, sources, self._chart)
        if not work:
            return
        build = set(work.build) | (self._owed & work.sync)
        settings = work.settings or (self._settings_owed and bool(build))
        self._tell(work)
        self.guarded(lambda: self._bring(build, set(work.sync) - build, change.since, settings=settings))

    def renew(self, pods: Sequence[PodState]) -> None:
        """Bring the sources into containers that came since, with the image's own. Raises InterruptedRunError."""
        late = {name for name in self._synced if {pod.name for pod in _running(pods, name)} - self._brought.get(name, set())}
        if late:
            self.guarded(lambda: self._sync(late, time.monotonic(), wanted=()))

    def restart(self, name: str) -> None:
        """Start a service again: its program where its sources are synced, else its containers. Raises InterruptedRunError."""
        self.guarded(lambda: self._restart(name))

    def guarded(self, work: Callable[[], None]) -> None:
        """Do something, and tell its failure: what ran before goes on. Raises InterruptedRunError."""
        try:
            work()
        except TaskError as error:
            self.report.error(error)

    def _tell(self, work: Work) -> None:
        # What an editor wrote beside a file, and has taken away since, is nothing that a person changed.
        names = sorted(map(shown, [path for path in work.files if path.exists()] or work.files))
        more = f" and {len(names) - MOST_FILES} more" if len(names) > MOST_FILES else ""
        self.report.event("change", files=names, sync=sorted(work.sync), build=sorted(work.build), settings=work.settings)
        self.report.say(f"changed: {', '.join(names[:MOST_FILES])}{more}")

    def _bring(self, build: set[str], sources: set[str], since: float, *, settings: bool) -> None:
        self.guarded(lambda: self._sync(sources, since, wanted=sources))  # it takes seconds; it need not wait for a build
        if build or settings:
            self._roll(build, since, settings=settings)
            self._sync(self._synced, since, wanted=())

    def _roll(self, build: set[str], since: float, *, settings: bool) -> None:
        """Build, load and roll these services, and nothing else; what runs of the others stays."""
        keep = {image.service: image for image in self.project.images if image.service in (self._synced | self._owed) - build}
        self._owed |= build
        self._settings_owed |= settings
        if settings:
            load_settings.cache_clear()
        self.report.results.clear()
        with lock.held("dev", self.report):
            log.open_log()
            project = self._taken.again(in_dev=keep)
            freeze(project, self.report)
            run_steps(_some(steps(project), SETTINGS if settings else BUILD), self.report)
        self.project, self._settings_owed = project, False
        self._owed -= build
        self._synced = (self._synced - build) & project.settings.services.keys()
        self._remember_files(build)
        if any(result.result == "changed" for result in self.report.results):
            self._served(sorted(build), since)

    def _sync(self, names: Collection[str], since: float, *, wanted: Collection[str], again: bool = True) -> None:
        """Bring the sources of services; tell of those where something differed, and of those that were wanted."""
        for name in sorted(names):
            service, engine = self.project.settings.services[name], self.project.engine
            text, told = sync.given(service, self._known.get(name, ()))
            self._known[name] = self._known.get(name, frozenset()) | told
            pods = _running(engine.pods(), name)
            self._synced.add(name)
            self._brought[name] = {pod.name for pod in pods}  # what they refuse, they refuse again
            try:
                changed = sync.bring(engine, name, service, pods, text)
            except TaskError as error:
                if error.code != "sync-failed" or not again:
                    raise
                self._roll(set(), since, settings=False)  # an `up` beside us may have ended the profile
                self._sync([name], since, wanted=wanted, again=False)
                continue
            if not pods:
                self.report.warn(f"{name}: no container runs; it gets the sources when one does")
            elif changed or name in wanted:
                self._served([name], since)

    def _restart(self, name: str) -> None:
        began, engine = time.monotonic(), self.project.engine
        service = self.project.settings.services.get(name)
        self.report.results.clear()
        if service and service.dev.sync:
            text, _ = sync.given(service, (), restart=True)
            sync.bring(engine, name, service, _running(engine.pods(), name), text)
        else:
            restart = partial(engine.operations.restart, name, self.project.settings.chart.timeout_seconds)
            with lock.held("restart", self.report):
                run_steps([Step("restart", restart)], self.report)
        self._served([name], began)

    def _served(self, names: Sequence[str], since: float) -> None:
        seconds = time.monotonic() - since
        for name in names:
            self.report.event("served", service=name, seconds=round(seconds, 2))
            self.report.say(f"{name}: serves the change after {seconds:.1f} s")

    def _remember_files(self, names: Collection[str]) -> None:
        """Take what the images of services hold as known."""
        services = self.project.settings.services
        self._known |= {name: frozenset(synced_files(services[name])) for name in names if name in services and services[name].dev.sync}


def _running(pods: Sequence[PodState], service: str) -> list[PodState]:
    return [pod for pod in pods if pod.service == service and pod.state in RUNS]


def _some(graph: Sequence[Step], names: Collection[str]) -> list[Step]:
    """Return some of the steps, in their order, with what they need among these."""
    return [replace(step, needs=tuple(need for need in step.needs if need in names)) for step in graph if step.name in names]
