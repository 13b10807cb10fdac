"""`invoke dev`: brings each change of the sources while the app runs, until Ctrl-C."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from scripts import down as removal
from scripts.command import command
from scripts.core import lock, log, shell
from scripts.core.errors import InterruptedRunError
from scripts.core.pipeline import run_steps
from scripts.core.report import Report
from scripts.inner_loop.drive import Drive
from scripts.inner_loop.on_host import wanted
from scripts.inner_loop.rows import POD_WIDTH, colours
from scripts.inner_loop.session import Session
from scripts.inner_loop.watching import Watch
from scripts.kubernetes import connection
from scripts.logs.line import LogLine
from scripts.logs.text import shown
from scripts.program import run_command
from scripts.project import Project
from scripts.up import bring_up


# It holds the lock while it brings something, and not while it waits.
@command(
    changes=False,
    monitoring=True,
    help={
        "down": "remove the app at the end, instead of bringing the production release back; the data stays",
        "on-host": "a service that runs on this machine, by its dev.on_host in invoke.yaml",
    },
)
def dev(project: Project, report: Report, *, down: bool = False, on_host: str = "") -> None:
    """Deploy each change of the sources while you edit.

    Python sources are copied into the running container; anything else gets a new image. Ctrl-C brings the production release back.
    """
    if on_host:
        wanted(project.settings, on_host)
    session = Session(project, report, on_host=on_host)
    session.prepare()
    with Watch(session.folders).running() as watch:  # from now on: what changes while the app comes up counts too
        session.begin()
        with suppress(KeyboardInterrupt):
            if report.on_terminal and sys.stdin.isatty():
                show_page(session, watch, "remove the app" if down else "build and bring the production release back")
            else:
                tell_lines(session, watch, report)
    connection.renew()
    leave(project.again(), report, down=down)


def tell_lines(session: Session, watch: Watch, report: Report) -> None:
    """Tell a line for each thing that happens. Ends with KeyboardInterrupt."""
    names = session.project.settings.services
    width = max(map(len, names)) + POD_WIDTH

    def on_line(line: LogLine) -> None:
        report.event("log", service=line.service, pod=line.pod, container=line.container, time=line.time, text=line.text)
        report.line(shown(line, width, colours(names)))

    drive = Drive(session, watch, on_line, lambda _pods, _usage: None)
    with drive.running():
        report.say("watching the sources; Ctrl-C ends it")
        while True:
            if job := drive.next():
                interruptible(job)


def show_page(session: Session, watch: Watch, at_the_end: str) -> None:
    """Show the page until a person quits. at_the_end: what comes then, which the page says."""
    from scripts.inner_loop.page import Page

    page = Page(session, watch, at_the_end)
    try:
        page.run()
    finally:
        end_what_runs(page.bringing)


def interruptible(job: Callable[[], None]) -> None:
    """Do something in a thread. An interrupt ends its programs, waits for it to end, and goes on its way; then programs may start again."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            job()
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
        end_what_runs(thread)
        raise
    for error in failures:
        raise error


def end_what_runs(thread: threading.Thread) -> None:
    """End all programs, and wait for the thread that started them; then programs may start again."""
    shell.stop_all()
    thread.join()
    shell.start_again()
    connection.renew()


def leave(project: Project, report: Report, *, down: bool) -> None:
    """Bring the production release of the sources back, or remove the app."""
    report.results.clear()
    with lock.held("dev", report):
        log.open_log()
        if down:
            report.say("leaving: removing the app")
            run_steps(removal.steps(project, data=False, cluster=False, crds=False), report)
        else:
            report.say("leaving: bringing the production release back")
            bring_up(project, report)


if __name__ == "__main__":
    run_command()
