"""The one way to run a program: an argv list, a time limit, its whole process group ended, its output redacted.

It stands on `subprocess`, which starts a program without running Python code in the forked child: threads may run beside it, on every
Python. `sh` is used where it is at its best: for programs that own the terminal.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import sh

from scripts.core import log, paths
from scripts.core.errors import InterruptedRunError, MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.core.redaction import redact

LAST_LINES = 15
CHUNK = 1 << 16
GRACE_SECONDS = 3.0  # between asking a group to end and killing it


Input = str | bytes | Iterable[bytes] | IO[bytes] | None
"""What a program may be given on its standard input."""


@dataclass(frozen=True)
class Result:
    """What a program left: its exit code, its output, and the seconds that it took."""

    code: int
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True)
class CommandLine:
    """A program to run on this machine and variables for it, as a value that others build."""

    argv: Sequence[str]
    environment: Mapping[str, str | None] = field(default_factory=dict)


class CommandError(TaskError):
    """A program ended with a code that was not expected, or ran out of time."""

    code = "command-failed"

    def __init__(self, cause: str, evidence: Sequence[str], result: Result, *, code: str = "") -> None:
        super().__init__(cause, "", evidence, code=code)
        self.result = result


class _Running:
    """The programs that run now, so that an interrupt can end them all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.processes: set[subprocess.Popen[bytes]] = set()
        self.stopping = threading.Event()
        self.inherited: set[int] = set()


_running = _Running()


@contextlib.contextmanager
def pass_to_children(descriptor: int) -> Iterator[None]:
    """Let every program that is started while the block runs inherit this file descriptor (the run's lock), and hold it until it ends."""
    _running.inherited.add(descriptor)
    try:
        yield
    finally:
        _running.inherited.discard(descriptor)


def which(program: str) -> str:
    """Return the path of `program`: the project's own copy first, then PATH. Raises MissingError."""
    path = shutil.which(program, path=f"{paths.TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if path is None and (paths.TOOLS / program).exists():
        action = "use a checkout on a file system that is not mounted noexec, or: chmod +x .tools/bin/*"
        raise MissingError(f"{paths.TOOLS / program} may not be executed here", action, code="program-missing")
    if path is None:
        raise MissingError(f"{program} is not installed", "invoke setup", code="program-missing")
    return path


def run(  # noqa: PLR0913 - they are subprocess' own
    argv: Sequence[str],
    *,
    timeout: float,
    input: Input = None,  # noqa: A002 - the name that subprocess taught everyone
    output: IO[bytes] | None = None,
    env: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
    ok: Collection[int] | None = (0,),
    on_line: Callable[[str], None] | None = None,
    holds_lock: bool = True,
    logged: bool = True,
    most: int | None = None,
) -> Result:
    """Run a program to its end and return what it left.

    argv: the program and its arguments; no shell reads them, and no secret belongs in them.
    timeout: seconds, after which the program and all its children are ended.
    input: text or bytes for its standard input, pieces of it as they are made, or a file to read from; without it, the input is empty.
    output: a file that its standard output goes into as it is, neither read nor logged.
    env: variables to set over ours, or to unset where the value is None.
    ok: the exit codes that are an answer; None takes every code.
    on_line: called with each line of output, redacted, as it comes.
    holds_lock: whether the program, where it outlives a kill of ours, keeps the run's lock until it ends. False for what leaves a
        process behind that is meant to stay, such as a daemon or a virtual machine.
    logged: whether what it prints goes into the log. False for what prints secrets that nobody knows yet.
    most: how many characters of each stream are kept; what comes then is read and dropped. For a program that may print without end.

    Raises CommandError on another exit code or when the time is over, MissingError when there is no such program,
    InterruptedRunError when the run is being stopped.
    """
    path = which(argv[0])
    out, err = _Lines(on_line, logged=logged, most=most), _Lines(on_line, most=most)
    log.debug(f"$ {shlex.join(argv)}")
    started = time.monotonic()
    with _started([path, *argv[1:]], env=env, cwd=cwd, stdin=input, stdout=output, inherit=holds_lock) as process:
        pumps = [_pump(process.stdout, out), _pump(process.stderr, err), *_feed(process, input)]
        timed_out = not _ended(process, pumps, started + timeout)
        if timed_out:
            _end_group(process)
        for pump in pumps:
            pump.join(GRACE_SECONDS)  # what left the group may hold the output open forever
    out.end()
    err.end()
    result = Result(process.returncode, out.text(), err.text(), time.monotonic() - started)
    log.debug(f"  = {result.code} in {result.seconds:.2f} s")
    if _running.stopping.is_set():
        raise InterruptedRunError
    tail = (err.tail or out.tail)[-LAST_LINES:]
    if timed_out:
        raise CommandError(f"`{_shown(argv)}` did not end within {timeout:g} s", tail, result, code="command-timed-out")
    if ok is not None and result.code not in ok:
        full = ": no space left on device" if any("no space left on device" in line.lower() for line in tail) else ""
        raise CommandError(f"`{_shown(argv)}` failed with exit code {result.code}{full}", tail, result)
    return result


def _shown(argv: Sequence[str]) -> str:
    """The command as a message shows it: short, and with nothing secret."""
    text = redact(shlex.join([Path(argv[0]).name, *argv[1:]]))
    return text if len(text) <= 100 else f"{text[:97]}..."


def attached(argv: Sequence[str], *, env: Mapping[str, str | None] | None = None) -> int:
    """Run a program on our own terminal, which it owns while it runs, Ctrl-C included; return its exit code. Raises MissingError.

    env: variables to set over ours, or to unset where the value is None.
    """
    program = sh.Command(which(argv[0]))
    before = signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the program would inherit
    try:
        program(*argv[1:], _fg=True, _cwd=str(ROOT), _env=_environment(env))
    except sh.ErrorReturnCode as error:
        return int(error.exit_code)
    finally:
        signal.signal(signal.SIGINT, before)
    return 0


@contextlib.contextmanager
def background(
    argv: Sequence[str],
    *,
    env: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Iterator[Callable[[], bool]]:
    """Run a program while the block runs, and end it with the block, with an interrupt, or (on Linux) with our own end.

    Yields a function that tells whether it still runs. It does not hold the run's lock: the program changes nothing.
    Raises MissingError when there is no such program, InterruptedRunError when the run is being stopped.
    """
    lines = _Lines(on_line)
    log.debug(f"$ {shlex.join(argv)} &")
    with _started(_dying_with_us([which(argv[0]), *argv[1:]]), env=env, cwd=cwd, stdin=None, inherit=False) as process:
        pumps = [_pump(process.stdout, lines), _pump(process.stderr, lines)]
        try:
            yield lambda: process.poll() is None
        finally:
            _end_group(process)
            for pump in pumps:
                pump.join(GRACE_SECONDS)
            lines.end()


# prctl(2): PR_SET_PDEATHSIG is 1. The parent may be gone before it is set: then nobody waits for the program any more.
_DIE_WITH_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); "
    "os.execv(sys.argv[2], sys.argv[2:]) if os.getppid() == int(sys.argv[1]) else sys.exit(1)"
)


def _dying_with_us(argv: Sequence[str]) -> list[str]:
    """Return a command line whose program Linux ends when the thread that starts it ends, killed or not.

    The interpreter sets that and then becomes the program, since code between fork and exec is not safe beside threads.
    """
    if sys.platform != "linux":
        return list(argv)
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *argv]


@contextlib.contextmanager
def _started(
    argv: Sequence[str],
    *,
    env: Mapping[str, str | None] | None,
    cwd: Path | None,
    stdin: Input,
    inherit: bool,
    stdout: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a session of its own; at the end of the block, however it ends, nothing of its group is left."""
    process: subprocess.Popen[bytes] | None = None
    try:
        with _running.lock, _signals_held():
            if _running.stopping.is_set():
                raise InterruptedRunError
            try:
                process = subprocess.Popen(
                    argv,
                    stdin=_stdin(stdin),
                    stdout=stdout or subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=_environment(env),
                    cwd=cwd or ROOT,
                    start_new_session=True,
                    pass_fds=tuple(_running.inherited) if inherit else (),
                )
            except OSError as error:
                raise TaskError(f"{Path(argv[0]).name} could not be started", "", [str(error)], code="command-failed") from None
            _running.processes.add(process)
        yield process
    finally:
        if process is not None:
            if process.returncode is None:  # an interrupt came while we waited for it
                _end_group(process)
            with _running.lock:
                _running.processes.discard(process)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let what a signal's handler raises wait for the end of the block: it would leave a program that runs and that nobody knows of.

    Only the main thread runs handlers. They are not blocked by the signal mask, which the program would inherit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {
        number: handler for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if callable(handler := signal.getsignal(number))
    }
    for handled in handlers:
        signal.signal(handled, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for handled, handler in handlers.items():
            signal.signal(handled, handler)
        for number in came:
            signal.raise_signal(number)


def _stdin(given: Input) -> int | IO[bytes]:
    if given is None:
        return subprocess.DEVNULL
    return cast("IO[bytes]", given) if hasattr(given, "fileno") else subprocess.PIPE


def _environment(env: Mapping[str, str | None] | None) -> dict[str, str]:
    environment = {**os.environ, "PATH": f"{paths.TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"}
    for key, value in (env or {}).items():
        if value is None:
            environment.pop(key, None)
        else:
            environment[key] = value
    return environment


def _pump(stream: IO[bytes] | None, lines: _Lines) -> threading.Thread:
    """Read a stream to its end in a thread, so that neither of two fills up."""

    def work() -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        with stream or contextlib.nullcontext() as source:
            while source and (chunk := os.read(source.fileno(), CHUNK)):
                lines.take(decoder.decode(chunk))
        lines.take(decoder.decode(b"", final=True))

    thread = threading.Thread(target=work, name=threading.current_thread().name, daemon=True)
    thread.start()
    return thread


def _feed(process: subprocess.Popen[bytes], given: Input) -> list[threading.Thread]:
    """Write standard input in a thread; a program that does not read all of it is not wrong."""
    if process.stdin is None or given is None:
        return []
    whole = given.encode() if isinstance(given, str) else given
    pipe, pieces = process.stdin, [whole] if isinstance(whole, bytes) else whole

    def work() -> None:
        # Where a piece cannot be made, the program sees an early end.
        with contextlib.suppress(BrokenPipeError, TaskError, InterruptedRunError), pipe:
            for piece in pieces:
                pipe.write(piece)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return [thread]


def _ended(process: subprocess.Popen[bytes], pumps: Sequence[threading.Thread], deadline: float) -> bool:
    """Wait for the program, and for its output, which its children may hold open; return whether both ended in time."""
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    for pump in pumps:
        pump.join(max(0.0, deadline - time.monotonic()))
    return not any(pump.is_alive() for pump in pumps)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the program's process group to end, and kill what is left of it after the grace."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        deadline, pause = time.monotonic() + GRACE_SECONDS, 0.001
        while time.monotonic() < deadline:
            process.poll()  # reaps it, so that the group is seen to be gone
            os.killpg(process.pid, 0)  # raises once nothing of the group is left
            time.sleep(pause)
            pause = min(2 * pause, 0.02)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def stop_all() -> None:
    """End every program that runs, and let none start any more: the run was interrupted."""
    _running.stopping.set()
    with _running.lock:
        enders = [threading.Thread(target=_end_group, args=(process,)) for process in _running.processes]
    for ender in enders:
        ender.start()
    for ender in enders:
        ender.join()


def start_again() -> None:
    """Let programs start again: all that `stop_all` was to end has ended."""
    _running.stopping.clear()


def stopping() -> bool:
    """Whether the run is being stopped; long waits ask this."""
    return _running.stopping.is_set()


def pause(seconds: float) -> None:
    """Sleep, unless the run is being stopped. Raises InterruptedRunError when it is."""
    if _running.stopping.wait(seconds):
        raise InterruptedRunError


class _Lines:
    """Collects a stream line by line."""

    def __init__(self, on_line: Callable[[str], None] | None, *, logged: bool = True, most: int | None = None) -> None:
        self._parts: list[str] = []
        self._room = most
        self._partial = ""
        self._on_line = on_line
        self._logged = logged
        self.tail: list[str] = []

    def take(self, chunk: str) -> None:
        """Add what came, where there is room; hand on the lines that are whole."""
        if self._room is not None:
            chunk = chunk[: self._room]
            self._room -= len(chunk)
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
            if self._logged:
                log.debug(f"  | {line}")
            if self._on_line:
                self._on_line(line)

    def text(self) -> str:
        """Return all that came, as it came."""
        return "".join(self._parts)
