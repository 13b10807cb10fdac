"""The program of a container whose sources change while it runs: `invoke dev` uses it, by the python3 (3.8 or newer) of any image.

`copy FROM TO` fills a writable folder from the image's own, before the container starts. `run COMMAND...` is the container's process:
it starts the command, and again at SIGHUP. `take PORT` reads changed files from standard input, as JSON, and has `run` start it again.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

REFUSED, ENDED, SILENT = 3, 4, 5
"""Exit codes of `take`: a file is no Python; the program ended; its port takes no connection."""
RUNNER = 1
"""The process of `run`: a container's first."""
END_SECONDS = 1.0
GONE_SECONDS = 0.5
SERVE_SECONDS = 60.0


def copy(source: str, target: str) -> None:
    """Make a folder hold what one of the image holds. The folder itself is the volume's: neither its mode nor its times may be set."""
    if not Path(source).is_dir():
        sys.exit(f"the image has no folder {source}, which dev.sync of the service names in invoke.yaml")
    for old in Path(target).iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    for entry in Path(source).iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, Path(target, entry.name), symlinks=True)
        else:
            shutil.copy2(entry, Path(target, entry.name), follow_symlinks=False)


class Runner:
    """Runs a command for as long as the container lives, again after each SIGHUP, and passes on what ends the container."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.child: subprocess.Popen[bytes] | None = None
        self.again = self.leaving = False

    def run(self) -> int:
        """Return the exit code of the command, once it was asked to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.leave)
        signal.signal(signal.SIGHUP, self.restart)
        signal.signal(signal.SIGALRM, lambda *_: self.tell(signal.SIGKILL))
        while not self.leaving:
            self.again = False
            try:
                self.child = subprocess.Popen(self.command)
            except OSError as error:
                print(f"dev: {self.command[0]} cannot be started: {error.strerror}", flush=True)
            else:
                self.wait(self.child)
            if not self.again and not self.leaving:
                print(f"dev: the program ended with code {self.code()}; the next change starts it again", flush=True)
            while not self.again and not self.leaving:
                time.sleep(0.1)
        return self.code()

    def wait(self, child: subprocess.Popen[bytes]) -> None:
        """Wait for the child; what it leaves behind is ours to reap."""
        while child.returncode is None:
            pid, status = os.wait()
            if pid == child.pid:
                signal.setitimer(signal.ITIMER_REAL, 0)
                child.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

    def code(self) -> int:
        """Return the exit code as a shell tells it."""
        code = self.child.returncode if self.child else 127
        return code if code >= 0 else 128 - code

    def leave(self, number: int, _frame: object) -> None:
        """End with the child."""
        self.leaving = True
        self.tell(number)

    def restart(self, _number: int, _frame: object) -> None:
        """End the child, by force after a moment, and start it again."""
        self.again = True
        if self.tell(signal.SIGINT):
            signal.setitimer(signal.ITIMER_REAL, END_SECONDS)

    def tell(self, number: int) -> bool:
        """Send the child a signal; return whether it lives."""
        if self.child is None or self.child.returncode is not None:
            return False
        self.child.send_signal(number)
        return True


def take(port: int) -> None:
    """Write what differs of the given files, remove those that are gone, and have the program started again where anything changed."""
    given = json.load(sys.stdin)
    files = {Path(path): base64.b64decode(content) for path, content in given["files"].items()}
    changed = {path: content for path, content in files.items() if not is_same(path, content)}
    gone = [path for path in map(Path, given["gone"]) if path.exists()]
    for path, content in changed.items():
        refuse_what_is_no_python(path, content)
    for path, content in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_bytes(content)
        new.replace(path)
        forget_bytecode(path)
    for path in gone:
        path.unlink()
        forget_bytecode(path)
    if changed or gone or given["restart"]:
        start_again(port)
    end(0, changed=sorted(map(str, [*changed, *gone])))


def end(code: int, **answer: Any) -> None:
    """Answer in one line, and end."""
    print(json.dumps(answer))
    sys.exit(code)


def is_same(path: Path, content: bytes) -> bool:
    """Return whether a file has this content."""
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def refuse_what_is_no_python(path: Path, content: bytes) -> None:
    """End with what is wrong, and where."""
    if path.suffix != ".py":
        return
    try:
        compile(content, str(path), "exec")
    except SyntaxError as error:
        # Not error.text: that may be read from the file that is there, which is another.
        line = "".join(content.decode(errors="replace").splitlines()[(error.lineno or 0) - 1 : error.lineno]).strip()
        end(REFUSED, refused=[f"{path}:{error.lineno}: {error.msg}", *([line] if line else [])])
    except ValueError as error:
        end(REFUSED, refused=[f"{path}: {error}"])


def forget_bytecode(path: Path) -> None:
    """Remove what was compiled of a source: an image's bytecode may be one that Python does not compare with it."""
    for compiled in path.parent.glob("__pycache__/*.pyc"):
        if compiled.name.startswith(f"{path.stem}."):
            compiled.unlink()


def children() -> set[int]:
    """Return the processes that `run` has started."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) == RUNNER and state != b"Z":
                found.add(int(entry.name))
    return found


def start_again(port: int) -> None:
    """Have the program started again, and wait until it serves."""
    old, deadline, lived = children(), time.monotonic() + SERVE_SECONDS, 0.0
    os.kill(RUNNER, signal.SIGHUP)
    while time.monotonic() < deadline:
        now = children()
        if not now & old:
            lived = time.monotonic() if now or not lived else lived
            if now and (not port or takes_connections(port)):
                return
            if not now and time.monotonic() - lived > GONE_SECONDS:
                end(ENDED, ended=True)
        time.sleep(0.02)
    end(SILENT, silent=port)


def takes_connections(port: int) -> bool:
    """Return whether something listens on a port of this container."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "copy":
        copy(*rest)
    elif verb == "run":
        sys.exit(Runner(rest).run())
    else:
        take(int(rest[0]))
