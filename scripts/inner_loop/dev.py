"""`invoke dev`: brings each change of the sources while the app runs, until Ctrl-C."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from scripts import down as removal
from scripts.command import command, run_command
from scripts.core import lock, log, shell
from scripts.core.errors import InterruptedRunError, TaskError
from scripts.core.pipeline import run_steps
from scripts.core.report import Report
from scripts.inner_loop.following import Following, is_of_a_probe
from scripts.inner_loop.on_host import running, wanted
from scripts.inner_loop.session import Session
from scripts.inner_loop.watching import Watch
from scripts.kubernetes import connection
from scripts.kubernetes.pods import PodState
from scripts.project import Project
from scripts.up import bring_up

IDLE_SECONDS = 0.5


# It holds the lock while it brings something, and not while it waits.
@command(
    changes=False,
    help={
        "down": "remove the app at the end, instead of bringing the production release back; the data stays",
        "monitoring": "--no-monitoring leaves Prometheus and Grafana out",
        "on-host": "a service that runs on this machine, by its dev.on_host in invoke.yaml",
    },
)
def dev(project: Project, report: Report, *, down: bool = False, monitoring: bool = True, on_host: str = "") -> None:
    """Bring each change of the sources while the app runs.

    Python sources go into the running container, everything else by a new image. Ctrl-C brings the production release back.
    """
    if not monitoring:
        project = project.without_monitoring()
    if on_host:
        wanted(project.settings, on_host)
    session = Session(project, report, on_host=on_host)
    session.begin()
    try:
        in_lines(session, report)
    except KeyboardInterrupt:
        leave(project.engine.name, report, down=down, monitoring=project.settings.monitoring.enabled)


def in_lines(session: Session, report: Report) -> None:
    """Tell a line for each thing that happens. Ends with KeyboardInterrupt."""
    seen: queue.SimpleQueue[Sequence[PodState]] = queue.SimpleQueue()
    width = max(map(len, session.project.settings.services))

    def on_line(service: str, line: str) -> None:
        known = session.project.settings.services.get(service)
        if known is None or not is_of_a_probe(known, line):
            report.event("log", service=service, text=line)
            report.result(f"{service:<{width}} | {line}")

    with ExitStack() as stack:
        watch = stack.enter_context(Watch(session.folders).running())
        stack.enter_context(Following(lambda: session.project.engine, on_line, seen.put).running())
        alive = stack.enter_context(beside(session, on_line)) if session.on_host else None
        report.say("watching the sources; Ctrl-C ends it")
        while True:
            if alive and not alive():
                report.error(TaskError(f"{session.on_host} ended on this machine", "its last lines say why", code="sync-ended"))
                alive = None
            if change := watch.next(IDLE_SECONDS):
                interruptible(partial(session.handle, change))
            while not seen.empty():
                interruptible(partial(session.renew, seen.get()))


@contextmanager
def beside(session: Session, on_line: Callable[[str, str], None]) -> Iterator[Callable[[], bool]]:
    """Run the service of --on-host while the block runs; yield what tells whether it still runs."""
    name = session.on_host
    with running(session.project, name, lambda line: on_line(name, line)) as (port, alive):
        session.report.say(f"{name} runs on this machine" + (f": http://localhost:{port}" if port else "") + "; its pods stay as they are")
        yield alive


def interruptible(work: Callable[[], None]) -> None:
    """Do something in a thread. An interrupt ends its programs, waits for it to end, and goes on its way; then programs may start again."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except InterruptedRunError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            failures.append(error)

    thread = threading.Thread(target=guarded, name="bring", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.1)
    except KeyboardInterrupt:
        shell.stop_all()
        thread.join()
        shell.start_again()
        connection.renew()
        raise
    for error in failures:
        raise error


def leave(engine: str, report: Report, *, down: bool, monitoring: bool) -> None:
    """Bring the production release of the sources back, or remove the app."""
    project = Project(engine, monitoring=monitoring)
    report.results.clear()
    with lock.held("dev", report):
        log.open_log()
        if down:
            report.say("leaving: the app is removed")
            run_steps(removal.steps(project, data=False, cluster=False, crds=False), report)
        else:
            report.say("leaving: the production release comes back")
            bring_up(project, report)


if __name__ == "__main__":
    run_command()
