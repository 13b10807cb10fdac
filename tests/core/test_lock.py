"""One run at a time changes things, whatever was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.core.paths import ROOT

pytestmark = [pytest.mark.runner, pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")]

HOLD = """
import signal
import sys
import time
from pathlib import Path
from scripts.core import lock, shell
from scripts.core.report import Report
lock.PATH = Path(sys.argv[1])
with lock.held("up", Report()):
    {work}
"""
SLEEP = "shell.run([sys.executable, '-c', 'import time; print(\"asleep\", flush=True); time.sleep({seconds})'], timeout=60, {options})"


def run(path: Path, work: str) -> subprocess.Popen[str]:
    code = HOLD.format(work=work)
    return subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = entry.read_text().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == pid:
            found.append(int(name.split()[0]))
    return found


def child_of(process: subprocess.Popen[str]) -> int:
    """The program that the run has started, once there is one."""
    deadline = time.monotonic() + 20
    while not (found := children(process.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)  # it has become the program
    return found[0]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_a_killed_run_started_holds_the_lock_until_it_ends(tmp_path: Path) -> None:
    killed = run(tmp_path / "lock", SLEEP.format(seconds=4, options=""))
    child = child_of(killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    started = time.monotonic()
    next_run = run(tmp_path / "lock", "print('mine')")
    out, err = next_run.communicate(timeout=30)
    assert (out, next_run.returncode) == ("mine\n", 0)
    assert "what a killed `invoke up` started is still running" in err
    assert time.monotonic() - started > 1
    assert not alive(child)


def test_a_program_that_is_meant_to_stay_does_not_hold_the_lock(tmp_path: Path) -> None:
    killed = run(tmp_path / "lock", SLEEP.format(seconds=30, options="holds_lock=False"))
    child = child_of(killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    try:
        out, err = run(tmp_path / "lock", "print('mine')").communicate(timeout=20)
        assert (out, err) == ("mine\n", "")
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_second_run_says_who_is_at_work_and_waits(tmp_path: Path) -> None:
    first = run(tmp_path / "lock", SLEEP.format(seconds=3, options=""))
    child_of(first)
    out, err = run(tmp_path / "lock", "print('mine')").communicate(timeout=30)
    first.communicate()
    assert out == "mine\n"
    assert f"`invoke up` (process {first.pid}, started" in err


IN_A_THREAD = "def work():\n    thread = threading.Thread(target=run, daemon=True)\n    thread.start()\n    thread.join()\n"


@pytest.mark.parametrize("work", ["work = run\n", IN_A_THREAD], ids=["by the run itself", "by a thread of it"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_outside_of_steps_leaves_no_program_behind(number: signal.Signals, work: str) -> None:
    code = (
        "import sys, threading; from scripts.core import pipeline, shell; from scripts.core.report import Report\n"
        "run = lambda: shell.run([sys.executable, '-c', 'import time; time.sleep(60)'], timeout=60)\n"
        f"{work}"
        "sys.exit(pipeline.run_to_exit_code(work, Report()))\n"
    )
    command = [sys.executable, "-c", code]
    interrupted = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=_take_interrupts)  # noqa: PLW1509 - no thread of ours holds a lock that it needs
    child = child_of(interrupted)
    interrupted.send_signal(number)
    _, err = interrupted.communicate(timeout=20)
    assert interrupted.returncode == 130
    assert "interrupted" in err
    assert not alive(child)


def _take_interrupts() -> None:
    """A shell that runs the tests in the background has SIGINT ignored, and every child inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_what_a_run_leaves_in_its_scratch_goes_with_it_or_before_the_next(tmp_path: Path, how: signal.Signals) -> None:
    scratch = tmp_path / "scratch"
    fill = (
        "folder = Path(sys.argv[1]).with_name('scratch'); folder.mkdir(); (folder / 'saved.tar').write_text('layers'); print(1, flush=True)"
    )
    first = run(tmp_path / "lock", f"signal.signal(2, signal.default_int_handler); {fill}; time.sleep(60)")
    assert first.stdout
    first.stdout.readline()
    first.send_signal(how)
    first.communicate(timeout=20)
    assert scratch.exists() is (how is signal.SIGKILL)
    second = run(tmp_path / "lock", "print(Path(sys.argv[1]).with_name('scratch').exists())")
    assert second.communicate(timeout=20)[0].strip() == "False"
