"""The program of a container whose sources change: the real one, under a real interpreter."""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.core.paths import ROOT

pytestmark = pytest.mark.runner

PROGRAM = ROOT / "helm/todo-chatbot/files/dev.py"
TAKE = (
    "import importlib.util, sys\nsys.dont_write_bytecode = True\n"
    f"spec = importlib.util.spec_from_file_location('dev', {str(PROGRAM)!r})\n"
    "dev = importlib.util.module_from_spec(spec); spec.loader.exec_module(dev)\n"
    "dev.RUNNER = int(sys.argv[1]); dev.take(int(sys.argv[2]))"
)
SERVER = """
import http.server, sys
from answer import TEXT
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(TEXT.encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Container:
    """What a container is to the program: its process, a folder of sources, a port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "run", sys.executable, str(folder / "server.py"), str(self.port)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def take(self, files: dict[str, str], gone: tuple[str, ...] = (), *, restart: bool = False) -> tuple[int, dict[str, Any]]:
        sent = {str(self.folder / name): base64.b64encode(text.encode()).decode() for name, text in files.items()}
        given = json.dumps({"files": sent, "gone": [str(self.folder / name) for name in gone], "restart": restart})
        argv = [sys.executable, "-c", TAKE, str(self.process.pid), str(self.port)]
        run = subprocess.run(argv, input=given, capture_output=True, text=True, timeout=30, check=False)
        assert run.stdout, run.stderr
        return run.returncode, json.loads(run.stdout)

    def answer(self) -> str:
        deadline = time.monotonic() + 10
        while True:
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{self.port}") as answer:
                    return str(answer.read().decode())
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    sources = tmp_path / "sources"
    (sources / "left").mkdir(parents=True)
    image(tmp_path / "image")
    for _ in range(2):  # a volume may be filled again
        subprocess.run([sys.executable, str(PROGRAM), "copy", str(tmp_path / "image"), str(sources)], check=True)
    assert not (sources / "left").exists()
    made = Container(sources)
    assert made.answer() == "old"
    yield made
    made.process.send_signal(signal.SIGTERM)
    made.process.communicate(timeout=10)


def image(folder: Path) -> Path:
    """Sources as an image has them: with bytecode that Python does not compare with the source."""
    folder.mkdir()
    (folder / "server.py").write_text(SERVER)
    (folder / "answer.py").write_text("TEXT = 'old'")
    compile_all = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(compile_all, check=True)
    return folder


def test_a_changed_source_is_served_once_it_has_answered(container: Container) -> None:
    code, answer = container.take({"answer.py": "TEXT = 'new'"})
    assert (code, answer) == (0, {"changed": [str(container.folder / "answer.py")]})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{container.port}") as served:
        assert served.read() == b"new"


def test_what_says_the_same_starts_nothing_again(container: Container) -> None:
    before = child_of(container)
    assert container.take({"answer.py": "TEXT = 'old'"}) == (0, {"changed": []})
    assert child_of(container) == before
    assert container.take({}, restart=True) == (0, {"changed": []})
    assert child_of(container) != before


def test_what_is_no_python_is_refused_and_the_old_serves_on(container: Container) -> None:
    before = child_of(container)
    code, answer = container.take({"other.py": "X = 1", "answer.py": "def broken(:\n"})
    assert code == 3
    assert answer["refused"][0].startswith(f"{container.folder / 'answer.py'}:1: ")
    assert answer["refused"][1] == "def broken(:"
    assert (child_of(container), (container.folder / "answer.py").read_text()) == (before, "TEXT = 'old'")
    assert not (container.folder / "other.py").exists()


def test_a_program_that_ends_waits_for_the_next_change(container: Container) -> None:
    assert container.take({"answer.py": "raise SystemExit(7)"}) == (4, {"ended": True})
    assert container.process.poll() is None
    assert container.take({"answer.py": "TEXT = 'healed'"})[0] == 0
    assert container.answer() == "healed"
    container.process.send_signal(signal.SIGINT)
    said, _ = container.process.communicate(timeout=10)
    assert "the program ended with code 7" in said


def test_a_file_that_is_gone_goes(container: Container) -> None:
    container.take({"extra.py": "X = 1"})
    code, answer = container.take({}, ("extra.py",))
    assert (code, answer["changed"]) == (0, [str(container.folder / "extra.py")])
    assert not (container.folder / "extra.py").exists()


def test_the_end_is_passed_on(container: Container) -> None:
    container.process.send_signal(signal.SIGTERM)
    assert container.process.wait(timeout=10) == 128 + signal.SIGTERM


def child_of(container: Container) -> str:
    return Path(f"/proc/{container.process.pid}/task/{container.process.pid}/children").read_text()
