"""Runs steps as a graph: what can overlap overlaps, and each edge is a real need."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from types import FrameType
from typing import TYPE_CHECKING

from scripts.core import log, shell
from scripts.core.decision import Decision
from scripts.core.errors import DONE, INTERRUPTED, InterruptedRunError, TaskError
from scripts.core.machine_trouble import trouble_of
from scripts.core.report import Outcome, Report, StepReport, StepResult

if TYPE_CHECKING:
    from collections.abc import Iterator

Act = Callable[[StepReport], Outcome]
Failure = TaskError | InterruptedRunError


class NeedFailedError(Exception):
    """A step that this one follows has failed; that one's failure is the one to tell."""

    def __init__(self, step: str) -> None:
        super().__init__(f"needs {step}")


@dataclass(frozen=True)
class Step:
    """A named piece of work, and the steps that must have ended well before it."""

    name: str
    act: Act
    needs: tuple[str, ...] = ()
    optional: bool = False
    """An optional step that fails is shown as skipped with its cause, and the run succeeds."""
    decide: Callable[[StepReport], Decision] | None = None
    """What the step would do, where it may change something."""
    follows: tuple[str, ...] = ()
    """Steps that it runs beside, taking what they make piece by piece; it ends after them, and is skipped where one of them fails."""


def run_steps(steps: Sequence[Step], report: Report) -> None:
    """Run the steps in the order that their needs allow.

    After a failure the steps that run already come to their end, and the rest is shown as skipped. Raises the first
    TaskError, or InterruptedRunError.
    """
    names = [step.name for step in steps]
    graph = _graph(steps)
    started = time.monotonic()
    with report.live(names):
        pool = ThreadPoolExecutor(max_workers=len(steps), thread_name_prefix="step")
        try:
            failure = _drive(steps, graph, report, pool)
        except KeyboardInterrupt:
            shell.stop_all()
            pool.shutdown(wait=False, cancel_futures=True)  # see `leave`
            raise
        pool.shutdown()
    report.closing(time.monotonic() - started)
    if failure:
        raise failure


def _graph(steps: Sequence[Step]) -> TopologicalSorter[str]:
    """Return the graph of the steps. Raises ValueError when a need is no step, a name is there twice, or needs go in a circle."""
    names = [step.name for step in steps]
    unknown = sorted({need for step in steps for need in (*step.needs, *step.follows)} - set(names))
    if unknown or len(set(names)) != len(names):
        raise ValueError(f"steps do not form a graph: {names}, unknown needs: {unknown}")
    graph = TopologicalSorter({step.name: step.needs for step in steps})
    graph.prepare()  # raises CycleError, a ValueError that names the circle
    return graph


def _drive(steps: Sequence[Step], graph: TopologicalSorter[str], report: Report, pool: ThreadPoolExecutor) -> Failure | None:
    waiting = {step.name: step for step in steps}
    done: set[str] = set()
    running: dict[Future[Failure | NeedFailedError | None], str] = {}
    failure: Failure | None = None
    while graph.is_active():
        for name in graph.get_ready() if failure is None else ():
            running[pool.submit(_run_one, waiting.pop(name), report)] = name
        if not running:
            break
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            name, error = running.pop(future), future.result()
            if error is None:
                done.add(name)
                graph.done(name)
            elif not isinstance(error, NeedFailedError):
                failure = failure or error
    for name, step in waiting.items():
        missing = [need for need in step.needs if need not in done]
        report.finished(StepResult(name, "skipped", 0.0, f"needs {', '.join(missing)}" if missing else "not started"))
    return failure


def _run_one(step: Step, report: Report) -> Failure | NeedFailedError | None:
    """Run one step; return its failure, if any."""
    threading.current_thread().name = step.name
    report.started(step.name)
    started, voice = time.monotonic(), StepReport(report, step.name)

    def finish(outcome: Outcome) -> None:
        report.finished(StepResult(step.name, outcome.kind, time.monotonic() - started - voice.waited, outcome.detail))

    try:
        outcome = step.act(voice)
    except NeedFailedError as lost:
        finish(Outcome("skipped", str(lost)))
        return lost
    except (TaskError, InterruptedRunError, OSError) as error:
        failure = _unexpected(error) if isinstance(error, OSError) else error
        if step.optional and isinstance(failure, TaskError):
            finish(Outcome("skipped", failure.cause))
            return None
        finish(Outcome("failed", failure.cause))
        return failure
    except BaseException as error:  # noqa: BLE001 - the boundary: a person never sees a traceback, the log has it
        finish(Outcome("failed", f"{type(error).__name__}: {error}"))
        return _unexpected(error)
    finish(outcome)
    return None


def _unexpected(error: BaseException) -> TaskError:
    log.exception(error)
    if isinstance(error, OSError) and (trouble := trouble_of(error)):
        return trouble
    return TaskError(
        f"unexpected {type(error).__name__}: {error}", f"this is a defect; the details are in {log.shown_path()}", code="defect"
    )


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Make SIGTERM and SIGHUP end a run as Ctrl-C does; where somebody has us ignore that one, it stays ignored."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, signal.SIGHUP, *([signal.SIGINT] if signal.getsignal(signal.SIGINT) != signal.SIG_IGN else [])]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_to_exit_code(work: Callable[[], int | None], report: Report) -> int:
    """Run the body of a task; print any failure as a person can use it; return the exit code: the body's own where it returns one."""
    try:
        with _signals_as_interrupts():
            try:
                code = work() or DONE
            except KeyboardInterrupt:
                shell.stop_all()  # also what runs outside of steps, such as the choice of an engine
                raise InterruptedRunError from None
    except (TaskError, InterruptedRunError) as error:
        report.error(error)
        code = error.exit_code
    except Exception as error:  # noqa: BLE001 - as above
        unexpected = _unexpected(error)
        report.error(unexpected)
        code = unexpected.exit_code
    report.event("finished", exit_code=code)
    return code


def exit_if_interrupted(code: int) -> None:
    """End an interrupted run now: a thread may still wait for Docker, which gives a container its grace, and nobody should wait for that.

    All programs that we started have ended by then. Half-made work is what a kill leaves too: the next run converges.
    """
    if code == INTERRUPTED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
