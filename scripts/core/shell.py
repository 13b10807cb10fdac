"""The one way to run a program: an argv list, a time limit, its whole process group ended, its output redacted."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sh

from scripts.core import log, paths
from scripts.core.errors import InterruptedRunError, MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.core.redaction import redact

LAST_LINES = 15
ANY_CODE = tuple(range(-64, 256))
GRACE_SECONDS = 3.0  # between asking a group to end and killing it


@dataclass(frozen=True)
class Result:
    """What a program left: its exit code, its output, and the seconds that it took."""

    code: int
    stdout: str
    stderr: str
    seconds: float


class CommandError(TaskError):
    """A program ended with a code that was not expected, or ran out of time."""

    def __init__(self, cause: str, action: str, evidence: Sequence[str], result: Result) -> None:
        super().__init__(cause, action, evidence)
        self.result = result


class _Running:
    """The programs that run now, so that an interrupt can end them all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.groups: set[int] = set()
        self.stopping = threading.Event()
        self.inherited: set[int] = set()


_running = _Running()


def keep_open(descriptor: int) -> None:
    """Let every program started from now on inherit this file descriptor (the run's lock)."""
    _running.inherited.add(descriptor)


def which(program: str) -> str:
    """Return the path of `program`: the project's own copy first, then PATH. Raises MissingError."""
    path = shutil.which(program, path=f"{paths.TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if path is None:
        raise MissingError(f"{program} is not installed", "invoke setup")
    return path


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    input: str | bytes | IO[bytes] | None = None,  # noqa: A002 - the name that subprocess taught everyone
    env: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
    ok: Collection[int] | None = (0,),
    on_line: Callable[[str], None] | None = None,
) -> Result:
    """Run a program to its end and return what it left.

    argv: the program and its arguments; no shell reads them, and no secret belongs in them.
    timeout: seconds, after which the program and all its children are ended.
    input: text or bytes for its standard input, or a file to read from; without it, the input is empty.
    env: variables to set over ours, or to unset where the value is None.
    ok: the exit codes that are an answer; None takes every code.
    on_line: called with each line of output, redacted, as it comes.

    Raises CommandError on another exit code or when the time is over, MissingError when there is no such program,
    InterruptedRunError when the run is being stopped.
    """
    path = which(argv[0])
    out, err = _Lines(on_line), _Lines(on_line)
    log.debug(f"$ {shlex.join(argv)}")
    started = time.monotonic()
    with _standard_input(input) as stdin:
        command = _start([path, *argv[1:]], stdin, out, err, env, cwd)
        timed_out = _wait(command, timeout)
    out.end()
    err.end()
    result = Result(command.exit_code, out.text(), err.text(), time.monotonic() - started)
    log.debug(f"  = {result.code} in {result.seconds:.2f} s")
    if _running.stopping.is_set():
        raise InterruptedRunError("interrupted")
    tail = (err.tail or out.tail)[-LAST_LINES:]
    if timed_out:
        raise CommandError(f"`{_shown(argv)}` did not end within {timeout:g} s", "", tail, result)
    if ok is not None and result.code not in ok:
        raise CommandError(f"`{_shown(argv)}` failed with exit code {result.code}", "", tail, result)
    return result


def _shown(argv: Sequence[str]) -> str:
    """The command as a message shows it: short, and with nothing secret."""
    text = redact(shlex.join([Path(argv[0]).name, *argv[1:]]))
    return text if len(text) <= 100 else f"{text[:97]}..."


def attached(argv: Sequence[str]) -> int:
    """Run a program on our own terminal, for a person to watch; return its exit code. Raises MissingError."""
    try:
        sh.Command(which(argv[0]))(*argv[1:], _fg=True, _cwd=str(ROOT))
    except sh.ErrorReturnCode as error:
        return int(error.exit_code)
    return 0


@contextlib.contextmanager
def _standard_input(given: str | bytes | IO[bytes] | None) -> Any:
    if given is None:
        with Path(os.devnull).open("rb") as empty:
            yield empty
    else:
        yield given


@contextlib.contextmanager
def background(
    argv: Sequence[str], *, env: Mapping[str, str | None] | None = None, on_line: Callable[[str], None] | None = None
) -> Iterator[Callable[[], bool]]:
    """Run a program while the block runs, and end it with the block, with an interrupt, or (on Linux) with our own death.

    Yields a function that tells whether it still runs. The run's lock is not passed on: the program changes nothing.
    Raises MissingError when there is no such program, InterruptedRunError when the run is being stopped.
    """
    lines = _Lines(on_line)
    log.debug(f"$ {shlex.join(argv)} &")
    with _standard_input(None) as stdin:
        command = _start([which(argv[0]), *argv[1:]], stdin, lines, lines, env, None, lasting=False)
    try:
        yield lambda: bool(command.process.is_alive()[0])
    finally:
        ender = threading.Thread(target=_end_group, args=(command.process.pid,))
        ender.start()
        command.wait()  # reaps it, so that the ender sees the group gone
        ender.join()
        with _running.lock:
            _running.groups.discard(command.process.pid)


def _start(
    argv: Sequence[str],
    stdin: Any,
    out: _Lines,
    err: _Lines,
    env: Mapping[str, str | None] | None,
    cwd: Path | None,
    *,
    lasting: bool = True,
) -> Any:
    """Start a program. One that is not lasting dies with the thread that starts it, and does not hold the run's lock."""
    environment = {**os.environ, "PATH": f"{paths.TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"}
    for key, value in (env or {}).items():
        if value is None:
            environment.pop(key, None)
        else:
            environment[key] = value
    with _running.lock:  # also keeps two forks from sharing the pipes of one another
        if _running.stopping.is_set():
            raise InterruptedRunError("interrupted")
        try:
            command = sh.Command(argv[0])(
                *argv[1:],
                _in=stdin,
                _out=out.take,
                _err=err.take,
                _env=environment,
                _cwd=str(cwd or ROOT),
                _bg=True,
                _bg_exc=False,
                _new_session=True,
                _tty_out=False,
                _ok_code=ANY_CODE,
                _decode_errors="replace",
                _encoding="utf-8",
                _pass_fds=_running.inherited if lasting else set(),
                _preexec_fn=None if lasting else _die_with_parent,
            )
        except sh.ForkException as error:
            raise TaskError(f"{Path(argv[0]).name} could not be started", "", str(error).splitlines()[-1:]) from None
        _running.groups.add(command.process.pid)
    return command


PR_SET_PDEATHSIG = 1  # prctl(2)
_prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux; looked up here, since a forked child should not load anything


def _die_with_parent() -> None:
    if _prctl:
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait(command: Any, timeout: float) -> bool:
    """Wait for the end of a program and its output; end its group when the time is over. Return whether it was."""
    timed_out = threading.Event()

    def end() -> None:
        timed_out.set()
        _end_group(command.process.pid)

    timer = threading.Timer(timeout, end)
    timer.daemon = True
    timer.start()
    try:
        command.wait()
    finally:
        timer.cancel()
        if timed_out.is_set():
            timer.join()  # its children may take longer to end than the program itself
        with _running.lock:
            _running.groups.discard(command.process.pid)
    return timed_out.is_set()


def _end_group(group: int) -> None:
    """Ask the process group to end, and kill what is left of it after the grace."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            os.killpg(group, 0)  # raises once nothing of the group is left
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)


def stop_all() -> None:
    """End every program that runs, and let none start any more: the run was interrupted."""
    _running.stopping.set()
    with _running.lock:
        enders = [threading.Thread(target=_end_group, args=(group,)) for group in _running.groups]
    for ender in enders:
        ender.start()
    for ender in enders:
        ender.join()


def stopping() -> bool:
    """Whether the run is being stopped; long waits ask this."""
    return _running.stopping.is_set()


def pause(seconds: float) -> None:
    """Sleep, unless the run is being stopped. Raises InterruptedRunError when it is."""
    if _running.stopping.wait(seconds):
        raise InterruptedRunError("interrupted")


class _Lines:
    """Collects a stream line by line."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._parts: list[str] = []
        self._partial = ""
        self._on_line = on_line
        self.tail: list[str] = []

    def take(self, chunk: str) -> None:
        """Add what came; hand on the lines that are whole."""
        self._parts.append(chunk)
        *whole, self._partial = (self._partial + chunk).split("\n")
        for line in whole:
            self._hand_on(line)

    def end(self) -> None:
        """Hand on a last line that had no line end."""
        if self._partial:
            self._hand_on(self._partial)
            self._partial = ""

    def _hand_on(self, line: str) -> None:
        line = redact(line.rstrip("\r"))
        if line.strip():
            self.tail = [*self.tail[-LAST_LINES:], line]
            log.debug(f"  | {line}")
            if self._on_line:
                self._on_line(line)

    def text(self) -> str:
        """Return all that came, as it came."""
        return "".join(self._parts)
