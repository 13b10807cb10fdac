"""One run at a time changes things. The lock ends with the last process that a run has started, so a killed run's children count."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import shutil
import time
from collections.abc import Iterator

from scripts.core import shell
from scripts.core.machine_trouble import refuse_what_is_anothers
from scripts.core.paths import SCRATCH, STATE
from scripts.core.report import Report
from scripts.core.waiting import until

PATH = STATE / "lock"
POLL_SECONDS = 0.2


@contextlib.contextmanager
def held(task: str, report: Report) -> Iterator[None]:
    """Hold the project's lock; while another run has it, say who, and wait.

    The programs that we start inherit the lock. After a SIGKILL of ours they may still be at work: the next run waits for them too.
    """
    refuse_what_is_anothers()
    PATH.parent.mkdir(exist_ok=True)
    with PATH.open("a+", encoding="utf-8") as file:
        if not _taken(file.fileno()):
            report.say(f"waiting: {_holder()}")
            until(lambda: _taken(file.fileno()), seconds=math.inf, pause=POLL_SECONDS, what="the lock")
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"pid": os.getpid(), "task": task, "since": time.time()}))
        file.flush()
        scratch = PATH.with_name(SCRATCH.name)  # any other run that used it has ended, killed or not
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            with shell.pass_to_children(file.fileno()):
                yield
        finally:  # an interrupted step may still be at work, and does not get to clear it
            shutil.rmtree(scratch, ignore_errors=True)


def other_run() -> str | None:
    """Return in words which other run has the lock; None where there is none. Waits for nothing and makes no file."""
    with contextlib.suppress(FileNotFoundError), PATH.open(encoding="utf-8") as file:
        if not _taken(file.fileno()) and f'"pid": {os.getpid()},' not in file.read():
            return _holder()
    return None


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder() -> str:
    try:
        holder = json.loads(PATH.read_text(encoding="utf-8"))
        task, pid, seconds = holder["task"], int(holder["pid"]), time.time() - float(holder["since"])
    except (OSError, ValueError, KeyError):
        return "another run holds .state/lock"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return f"what a killed `invoke {task}` started is still running"
    except PermissionError:
        pass
    return f"`invoke {task}` (process {pid}, started {seconds:.0f} s ago) is running"
