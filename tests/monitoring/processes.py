"""Real processes for the tests, each a context manager that ends what it started: Postgres, our services, Prometheus."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.machine import ROOT, program

START_SECONDS = 60
BACKEND = ROOT / "app" / "backend"
FRONTEND = ROOT / "app" / "frontend"
NEEDED_BY_BACKEND = ("fastapi", "uvicorn", "sqlalchemy", "asyncpg", "alembic", "mcp", "google.genai")


def free_port() -> int:
    """A TCP port of this machine that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def http(method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Send a request and return status and body; a status of 400 and above is an answer too."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def until(done: Callable[[], bool]) -> None:
    """Wait until `done()`; fail the test when it is not in time."""
    until_none(lambda: [] if done() else ["not in time"])


def until_none(problems: Callable[[], Collection[object]]) -> None:
    """Wait until there are no problems; fail the test with those that are left when it is not in time."""
    deadline = time.monotonic() + START_SECONDS
    while found := problems():
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


@contextlib.contextmanager
def process(argv: list[str | Path], log: Path, ready: str, **options: Any) -> Iterator[None]:
    """Run a program until the block ends; enter once `ready` (a URL) answers 200. Raises with the log's end when it does not."""
    with log.open("wb") as output:
        child = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(ready):
                if child.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{argv[0]} is not ready; its log ends:\n{log.read_text()[-2000:]}")
                time.sleep(0.2)
            yield
        finally:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _answers(url: str) -> bool:
    try:
        return http("GET", url)[0] == 200
    except OSError:
        return False


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A new Postgres on a free port; gives its URL. Postgres refuses to run as root, so root runs it as the user postgres.

    Its folder is not below pytest's own: another pytest that starts meanwhile closes that one to every other user.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("no Postgres server in /usr/lib/postgresql (Debian's package `postgresql`)")
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = [program("setpriv", "Debian's package `util-linux`"), "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    with tempfile.TemporaryDirectory(prefix="todo-postgres-") as folder:
        if as_user:
            shutil.chown(folder, "postgres")
        with _running_postgres(found[-1].parent, Path(folder), as_user) as url:
            yield url


@contextlib.contextmanager
def _running_postgres(binaries: Path, folder: Path, as_user: list[str]) -> Iterator[str]:
    data, port = folder / "data", free_port()

    def run(*argv: str | Path, **options: Any) -> None:
        subprocess.run(argv, check=True, timeout=120, cwd="/", stdin=subprocess.DEVNULL, **options)

    quietly = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run(*as_user, binaries / "initdb", "-D", data, "-U", "todo", "--auth=trust", "--no-sync", **quietly)
    pg_ctl = [*as_user, binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    run(*pg_ctl, "-o", f"-F -c listen_addresses=127.0.0.1 -p {port} -k {folder}", "start", **quietly)
    try:
        run(binaries / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "todo", "todo")
        yield f"postgresql://todo@127.0.0.1:{port}/todo"
    finally:
        run(*pg_ctl, "-m", "immediate", "stop", **quietly)


@contextlib.contextmanager
def backend(folder: Path, database_url: str) -> Iterator[str]:
    """The real backend on a free port, its database migrated; gives its URL."""
    missing = [name for name in NEEDED_BY_BACKEND if importlib.util.find_spec(name.split(".")[0]) is None]
    if missing:
        pytest.skip(f"the backend's libraries are not installed ({', '.join(missing)}): app/backend/requirements.txt")
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND / "src"), "DATABASE_URL": database_url, "PORT": str(port)}
    migrate = [sys.executable, "-m", "todo_backend.migrate"]
    done = subprocess.run(migrate, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    url = f"http://127.0.0.1:{port}"
    argv: list[str | Path] = [sys.executable, "-m", "todo_backend"]
    with process(argv, folder / "backend.log", f"{url}/health", env=environment, cwd=folder):
        yield url


@contextlib.contextmanager
def frontend(folder: Path, backend_url: str) -> Iterator[str]:
    """The real frontend, as `next build` left it, on a free port; gives its URL."""
    server = FRONTEND / ".next" / "standalone" / "server.js"
    if not server.exists():
        pytest.skip("the frontend is not built: `npm ci && npm run build` in app/frontend")
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "BACKEND_URL": backend_url, "PORT": str(port), "HOSTNAME": "127.0.0.1"}
    url = f"http://127.0.0.1:{port}"
    node: list[str | Path] = [program("node", "Node.js"), server]
    with process(node, folder / "frontend.log", f"{url}/health", env=environment, cwd=server.parent):
        yield url


@contextlib.contextmanager
def expositions(pages: Mapping[str, str]) -> Iterator[str]:
    """A server that answers each page at /<its name>, as an exporter would; gives host and port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = pages.get(self.path.strip("/"))
            self.send_response(404 if text is None else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        server.server_close()


class Prometheus:
    """The HTTP API of a running Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer of the API; fails the test when Prometheus reports an error."""
        query = urllib.parse.urlencode(parameters)
        status, body = http("GET", f"{self.url}/api/v1/{path}?{query}")
        assert status == 200, body
        return json.loads(body)["data"]

    def values(self, expr: str) -> list[float]:
        """The values of an instant query, those left out that are not a number."""
        values = [float(series["value"][1]) for series in self.get("query", query=expr)["result"]]
        return [value for value in values if value == value]  # noqa: PLR0124 - NaN differs from itself


@contextlib.contextmanager
def prometheus(folder: Path, scrape_configs: list[dict[str, Any]], rules: Path) -> Iterator[Prometheus]:
    """A real Prometheus that scrapes itself and the others every second."""
    address = f"127.0.0.1:{free_port()}"
    itself = {"job_name": "monitoring-prometheus", "static_configs": [{"targets": [address]}]}
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [*scrape_configs, itself],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    argv: list[str | Path] = [
        program("prometheus", "Debian's package `prometheus`"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--storage.tsdb.retention.size=512MB",
        f"--web.listen-address={address}",
    ]
    with process(argv, folder / "prometheus.log", f"http://{address}/-/ready"):
        yield Prometheus(f"http://{address}")
