"""What a container tells of itself, by the programs that an image may have; here they run as plain processes."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scripts.audit.facts import CLUSTER, Attempt
from scripts.audit.seeing import inside, live
from scripts.audit.seeing.inside import READERS, look, parse
from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.kubernetes.service_client import Answer

pytestmark = pytest.mark.runner

STATUS = "Name:\tx\nUid:\t10001\t10001\t10001\t10001\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
PROGRAMS = [name for name in READERS if shutil.which(name)]


def here(argv: Sequence[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False).stdout


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place to write to instead of `/`."""
    file = tmp_path / "written"
    monkeypatch.setattr(inside, "READERS", {name: [part.replace(inside.TRY, str(file)) for part in argv] for name, argv in READERS.items()})
    return file


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_tells_the_same(program: str, port: int, writable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "READERS", {program: inside.READERS[program]})
    closed = f"127.0.0.1:{unused()}"
    found = look("x/y", here, [f"127.0.0.1:{port}", closed])
    assert found.inside.reader == program
    assert found.inside.status["Uid"] == " ".join(Path("/proc/1/status").read_text().partition("Uid:")[2].splitlines()[0].split())
    assert found.inside.write == "written"
    assert not writable.exists()
    assert found.opened == ({} if program == "sh" else {f"127.0.0.1:{port}": True, closed: False})


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_tells_how_a_write_is_refused(program: str, writable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own refusal of a read-only file system: /proc is one that takes no file."""
    nowhere = [part.replace(str(writable), "/proc/sys/none") for part in inside.READERS[program]]
    monkeypatch.setattr(inside, "READERS", {program: nowhere})
    assert look("x/y", here).inside.write not in ("", "written")


def unused() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("write EROFS", "EROFS"),
        ("write sh: 1: cannot create /.audit-write: Read-only file system", "EROFS"),
        ("write bash: line 2: /.audit-write: Permission denied", "EACCES"),
        ("write written", "written"),
    ],
)
def test_a_refusal_is_known_by_its_words(printed: str, code: str) -> None:
    found = parse("x/y", "sh", f"{STATUS}{printed}\n")
    assert found
    assert found.inside.write == code
    assert found.inside.status["CapEff"] == "0000000000000000"


def test_the_first_program_that_is_there_tells() -> None:
    tried = []

    def execute(argv: Sequence[str]) -> str:
        tried.append(argv[0])
        return f"{STATUS}write EROFS\nconnect 10.0.0.1:80 open\n" if argv[0] == "bash" else "no such program"

    found = look("x/y", execute, ["10.0.0.1:80"])
    assert tried == ["python3", "node", "bash"]
    assert found.inside.reader == "bash"
    assert look("x/y", lambda _: "OCI runtime exec failed").inside.reader == ""


def test_connections_are_tried_from_one_pod_of_each_service_to_all_others() -> None:
    asked: dict[str, list[str]] = {}

    def container(service: str, name: str, address: str) -> live.Running:
        def execute(argv: Sequence[str]) -> str:
            asked[name] = list(argv[len(READERS["python3"]) :])
            return STATUS + "".join(f"connect {where} {'open' if service == 'frontend' else 'shut'}\n" for where in asked[name])

        return live.Running(service, name, execute, address)

    def ask(service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
        if service == "frontend" and path == "/ready":
            raise TaskError("silent")
        return Answer(200, "# HELP x\nx 1\n\n")

    running = [
        container("backend", "b-1/b", "10.0.0.1"),
        container("backend", "b-2/b", "10.0.0.2"),
        container("frontend", "f-1/f", "10.0.0.3"),
    ]
    seen = live.see(CLUSTER, running, live.Asking(load_settings(), ["/about"], ask), lambda each: each.name != "b-2/b")
    assert asked == {"b-1/b": ["10.0.0.3:3000"], "b-2/b": [], "f-1/f": ["10.0.0.1:8000"]}
    assert seen.attempts == [
        Attempt("backend", "frontend", allowed=False, opened=False),
        Attempt("frontend", "backend", allowed=True, opened=True),
    ]
    assert seen.logged == {"b-1/b": True, "b-2/b": False, "f-1/f": True}
    told = {(each.service, each.path): (each.status, each.samples) for each in seen.asked}
    assert told[("frontend", "/ready")] == (0, 0)
    assert told[("backend", "/metrics")] == (200, 1)
    assert told[("backend", "/health")] == (200, 0)
    assert told[("frontend", "/about")] == (200, 0)
