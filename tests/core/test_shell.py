"""Programs are run as real children: the interpreter itself is the harmless one."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.core import shell
from scripts.core.errors import InterruptedRunError, MissingError, TaskError
from scripts.core.redaction import redact

pytestmark = pytest.mark.runner

PYTHON = sys.executable


def python(code: str, *arguments: str, timeout: float = 20, **options: object) -> shell.Result:
    return shell.run([PYTHON, "-c", code, *arguments], timeout=timeout, **options)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def fresh_run() -> None:
    """Let programs start again after a test that stopped the run."""
    yield
    shell._running.stopping.clear()


def test_both_streams_and_the_code_come_back() -> None:
    result = python("import sys; print('out'); print('err', file=sys.stderr)")
    assert (result.code, result.stdout, result.stderr) == (0, "out\n", "err\n")


def test_arguments_reach_the_program_untouched() -> None:
    odd = ["a b", "$HOME", "*", "'", '"', ";", "ünï", ""]
    assert python("import sys, json; print(json.dumps(sys.argv[1:]))", *odd).stdout == __import__("json").dumps(odd) + "\n"


def test_what_prints_secrets_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(shell.log, "debug", logged.append)
    assert python("print('unknown'[::-1])", logged=False).stdout == "nwonknu\n"
    python("print('known'[::-1])")
    assert ["nwonk" in line for line in logged if line.startswith("  | ")] == [True]


def test_a_failure_names_the_command_the_code_and_the_last_lines() -> None:
    with pytest.raises(shell.CommandError) as error:
        python("import sys; print('what went wrong', file=sys.stderr); sys.exit(3)")
    assert "failed with exit code 3" in error.value.cause
    assert error.value.evidence == ("what went wrong",)
    assert error.value.result.code == 3


def test_a_code_that_is_an_answer_raises_nothing() -> None:
    assert python("raise SystemExit(7)", ok=(0, 7)).code == 7
    assert python("raise SystemExit(200)", ok=None).code == 200


def test_a_program_that_dies_by_a_signal_has_failed() -> None:
    with pytest.raises(shell.CommandError, match="exit code -9"):
        python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


def test_a_missing_program_is_told_with_what_to_do() -> None:
    with pytest.raises(MissingError, match="no-such-program is not installed"):
        shell.run(["no-such-program"], timeout=1)


def test_the_whole_group_is_ended_when_the_time_is_over(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    grandchild = "import time; time.sleep(60)"
    code = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {grandchild!r}])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
child.wait()
"""
    started = time.monotonic()
    with pytest.raises(shell.CommandError, match="did not end within 5 s"):
        python(code, timeout=5)
    assert time.monotonic() - started < 40
    assert [alive(int(pid)) for pid in pids.read_text().split()] == [False, False]


def test_a_program_that_ignores_the_request_to_end_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    with pytest.raises(shell.CommandError, match="did not end within 1 s"):
        python(code, timeout=1)


def test_standard_input_is_empty_unless_given() -> None:
    assert python("import sys; print(repr(sys.stdin.read()))").stdout == "''\n"
    assert python("import sys; print(sys.stdin.read())", input="given").stdout == "given\n"


def test_a_file_is_streamed_to_standard_input(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 5_000_000)
    with (tmp_path / "big").open("rb") as file:
        assert python("import sys; print(len(sys.stdin.buffer.read()))", input=file).stdout == "5000000\n"


def test_much_output_on_both_streams_does_not_block() -> None:
    result = python("import sys\nfor i in range(30000): print('o' * 40); print('e' * 40, file=sys.stderr)")
    assert result.stdout.count("\n") == result.stderr.count("\n") == 30000


def test_output_without_end_is_read_and_not_kept() -> None:
    result = python("import sys\nfor i in range(300): sys.stdout.write('o' * 100_000)", most=250_000)
    assert (result.code, result.stdout) == (0, "o" * 250_000)


def test_output_that_is_no_text_is_taken_as_it_can_be() -> None:
    assert python(r"import sys; sys.stdout.buffer.write(b'a\xff\xc3\xa9')").stdout == "a�é"


def test_the_environment_is_set_and_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOES_AWAY", "1")
    result = python("import os; print(os.environ.get('GOES_AWAY'), os.environ['COMES'])", env={"GOES_AWAY": None, "COMES": "2"})
    assert result.stdout == "None 2\n"


def test_lines_come_while_the_program_runs_and_without_secrets() -> None:
    redact.learn("very-secret-value")
    lines: list[tuple[float, str]] = []
    python(
        "import time; print('first very-secret-value', flush=True); time.sleep(1); print('second', end='')",
        on_line=lambda line: lines.append((time.monotonic(), line)),
    )
    assert [line for _, line in lines] == ["first [secret]", "second"]
    assert lines[1][0] - lines[0][0] > 0.5


def test_a_failure_shows_no_secret() -> None:
    redact.learn("very-secret-value")
    with pytest.raises(shell.CommandError) as error:
        python("import sys; print('very-secret-value', file=sys.stderr); sys.exit(1)", "very-secret-value")
    assert "very-secret-value" not in str(error.value)
    assert "[secret]" in str(error.value)


@pytest.mark.usefixtures("fresh_run")
def test_an_interrupt_ends_every_program_also_one_that_does_not_want_to(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    stubborn = f"""
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open({str(pid)!r}, "w").write(str(os.getpid()))
time.sleep(60)
"""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            python(stubborn, timeout=60)
        except InterruptedRunError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not pid.exists() or not pid.read_text():
        time.sleep(0.05)
    shell.stop_all()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert len(raised) == 1
    assert not alive(int(pid.read_text()))
    with pytest.raises(InterruptedRunError):
        python("print('never')")


def test_a_program_is_not_lost_where_a_signal_comes_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)
            signal.raise_signal(signal.SIGTERM)

    def leave(_number: int, _frame: object) -> None:
        raise SystemExit(1)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    before = signal.signal(signal.SIGTERM, leave)
    try:
        with pytest.raises(SystemExit):
            python("import time; time.sleep(60)")
        assert signal.getsignal(signal.SIGTERM) is leave
    finally:
        signal.signal(signal.SIGTERM, before)
    with started[0] as program:  # closes its pipes, which nobody came to read
        assert not alive(program.pid)


def test_children_do_not_get_a_terminals_interrupt() -> None:
    result = python("import os; print(os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid())")
    assert result.stdout == "True True\n"
    assert signal.getsignal(signal.SIGINT) is not None


def test_a_background_program_runs_while_its_block_does_and_no_longer() -> None:
    lines: list[str] = []
    said = threading.Event()
    code = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(60)"

    def take(line: str) -> None:
        lines.append(line)
        said.set()

    with shell.background([PYTHON, "-c", code], on_line=take) as running:
        assert said.wait(20)
        assert running()
        assert alive(int(lines[0]))
    assert not running()
    assert not alive(int(lines[0]))


def test_a_background_program_that_ends_by_itself_is_seen_to_have_ended() -> None:
    with shell.background([PYTHON, "-c", ""]) as running:
        deadline = time.monotonic() + 20
        while running() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not running()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_a_background_program_does_not_outlive_a_killed_run() -> None:
    run = (
        "import os, signal, sys, threading; from scripts.core import shell\n"
        "seen = threading.Event()\n"
        "take = lambda line: (print(line, flush=True), seen.set())\n"
        "code = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'\n"
        "with shell.background([sys.executable, '-c', code], on_line=take):\n"
        "    seen.wait(20)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = int(python(run, ok=None).stdout)
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_pieces_are_written_as_they_are_made_and_output_goes_into_a_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out"
    pieces = (f"{number}\n".encode() * 1000 for number in range(100))
    with path.open("wb") as out:
        result = shell.run(["cat"], timeout=20, input=pieces, output=out)
    assert result.stdout == ""
    assert path.read_bytes() == b"".join(f"{number}\n".encode() * 1000 for number in range(100))


def test_where_a_piece_cannot_be_made_the_program_sees_an_early_end() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one\n"
        raise TaskError("gone")

    assert shell.run(["cat"], timeout=20, input=pieces()).stdout == "one\n"


def test_ctrl_c_belongs_to_a_program_that_owns_the_terminal() -> None:
    code = "import os, signal, sys; os.kill(os.getppid(), signal.SIGINT); sys.exit(7)"
    before = signal.getsignal(signal.SIGINT)
    assert shell.attached([sys.executable, "-c", code], env={"TOLD": "x"}) == 7
    assert signal.getsignal(signal.SIGINT) is before


def test_a_full_disk_is_the_cause_whatever_the_program() -> None:
    with pytest.raises(shell.CommandError, match="failed with exit code 1: no space left on device"):
        shell.run(["sh", "-c", "echo 'write /x: No space left on device' >&2; exit 1"], timeout=10)
