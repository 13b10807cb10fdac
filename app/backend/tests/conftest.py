"""What the tests share: a real PostgreSQL, a database for each test, and the app in this process or its own."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import pool

from todo_backend.app import create_app
from todo_backend.database import parse_database_url
from todo_backend.migrate import migrate
from todo_backend.settings import Settings

from .postgres import PgBouncer, Postgres, find_postgres, free_port

SOURCE = Path(__file__).parent.parent / "src"
WITHOUT_DEV_PACKAGES = Path(__file__).parent / "without_dev_packages"
SHARED_DATABASE = "shared"
SCORERS = 2  # processes that score tables of requests beside the tests
START_TIMEOUT = 60  # seconds; other work may be keeping this machine busy


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server that all tests share; each has its own database in it."""
    with _postgres() as server:
        asyncio.run(_make_template(server))
        yield server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--some-tables", action="store_true", help="score every third table of requests, not all")


@pytest.fixture(scope="session", autouse=True)
def scoring(request: pytest.FixtureRequest) -> Iterator[list[tuple[subprocess.Popen[str], Path]]]:
    """The tables of requests, scored in processes of their own while other tests run: that is a minute of work.

    They start with the first test of the session, if it has the tests that wait for them.
    """
    is_asked_for = any("test_requests" in item.nodeid for item in request.session.items)
    if not is_asked_for or find_postgres() is None:
        yield []
        return
    server: Postgres = request.getfixturevalue("postgres")
    with tempfile.TemporaryDirectory(prefix="todo-scores-") as folder:
        tables = sorted((Path(__file__).parent / "requests").glob("*.yaml"))
        if request.config.getoption("some_tables"):
            tables = tables[::3]
        started = [
            _score(server, f"scores_{number}", tables[number::SCORERS], Path(folder)) for number in range(SCORERS)
        ]
        try:
            yield started
        finally:
            for process, _ in started:
                process.kill()
                process.wait()


def _score(server: Postgres, database: str, tables: list[Path], folder: Path) -> tuple[subprocess.Popen[str], Path]:
    output = folder / f"{database}.txt"
    asyncio.run(run_sql(server, f"CREATE DATABASE {database} TEMPLATE template_todo"))
    command = [sys.executable, "-m", "todo_backend.evaluate", *map(str, tables)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "DATABASE_URL": server.url(database), "GEMINI_API_KEY": ""}
    with output.open("w") as file:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    return process, output


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server of one test's own, to be stopped and started."""
    with _postgres() as server:
        yield server


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for a server that runs as another user.

    Not one of pytest's: each run of pytest on the machine closes those to all other users.
    """
    with tempfile.TemporaryDirectory(prefix="todo-backend-") as folder:
        yield Path(folder)


@contextmanager
def _postgres() -> Iterator[Postgres]:
    programs = find_postgres()
    if programs is None:
        pytest.skip("PostgreSQL IS NOT INSTALLED: nothing that touches the database is tested (Debian: postgresql)")
    with _folder() as directory:
        server = Postgres(programs, directory)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


async def _make_template(server: Postgres) -> None:
    await run_sql(server, "CREATE DATABASE template_todo")
    await migrate_database(server.url("template_todo"))


async def migrate_database(url: str) -> None:
    engine = parse_database_url(url).engine(poolclass=pool.NullPool)
    try:
        await migrate(engine, 30)
    finally:
        await engine.dispose()


async def run_sql(
    server: Postgres, statement: str, *arguments: object, database: str = "postgres"
) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(server.url(database))
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[str]:
    """The name of a migrated, empty database."""
    name = f"test_{uuid.uuid4().hex}"
    await run_sql(postgres, f"CREATE DATABASE {name} TEMPLATE template_todo")
    yield name
    await run_sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres: Postgres, database: str) -> str:
    return postgres.url(database)


@pytest.fixture
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PGBOUNCER IS NOT INSTALLED: the pooled URL is not tested (Debian: pgbouncer)")
    with _folder() as directory:
        bouncer = PgBouncer(program, postgres, directory)
        yield bouncer
        bouncer.stop()


def make_settings(url: str, **environment: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": url, **environment})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what waits for the scores come last."""
    items.sort(key=lambda item: "tables_say" in item.nodeid)


@asynccontextmanager
async def running_app(url: str, **environment: str) -> AsyncIterator[httpx2.AsyncClient]:
    """The app in this process, found by the readiness loop's first answer; requests need no socket."""
    app = create_app(make_settings(url, **environment))
    async with _lifespan(app), client_of(app) as client:
        await wait_ready(client)
        yield client


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run the app's lifespan in a task of its own, as a server does: a fixture's two halves are different tasks."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.router.lifespan_context(app):
            started.set()
            await stop.wait()

    living = asyncio.create_task(live())
    await asyncio.wait([living, asyncio.create_task(started.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        stop.set()
        await living


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test", timeout=60)


async def wait_ready(client: httpx2.AsyncClient, status: int = 200) -> None:
    async with asyncio.timeout(START_TIMEOUT):
        while (await client.get("/ready")).status_code != status:
            await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
async def _shared_client(postgres: Postgres) -> AsyncIterator[httpx2.AsyncClient]:
    await run_sql(postgres, f"CREATE DATABASE {SHARED_DATABASE} TEMPLATE template_todo")
    async with running_app(postgres.url(SHARED_DATABASE)) as running:
        yield running


@pytest.fixture
async def client(_shared_client: httpx2.AsyncClient, postgres: Postgres) -> httpx2.AsyncClient:
    """A client of a running app with an empty list; the app is the same for all tests, the todos are not."""
    await run_sql(postgres, "TRUNCATE todos, deleted_todos, conversations CASCADE", database=SHARED_DATABASE)
    return _shared_client


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve the app over real HTTP from a thread; yield its URL."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + START_TIMEOUT
    url = f"http://127.0.0.1:{port}"
    try:
        while not _is_ready(url):
            assert time.monotonic() < deadline, "the server did not get ready"
            time.sleep(0.05)
        yield url
    finally:
        server.should_exit = True
        thread.join(30)


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/ready").status_code == 200
    except httpx2.TransportError:
        return False


class Process:
    """The backend as a process of its own, as the image starts it."""

    def __init__(self, module: str, environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.started = time.monotonic()
        path = os.pathsep.join((str(SOURCE), str(WITHOUT_DEV_PACKAGES)))
        with log.open("w") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", module],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "PORT": str(self.port), **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self, status: int = 200) -> float:
        """Wait until /ready answers `status`; return the seconds since the start."""
        while True:
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() - self.started < START_TIMEOUT, self.log.read_text()
            try:
                if httpx2.get(f"{self.url}/ready").status_code == status:
                    return time.monotonic() - self.started
            except httpx2.TransportError:
                pass
            time.sleep(0.02)

    def wait(self) -> tuple[int, str]:
        """Wait for its end; return exit code and output."""
        return self.popen.wait(timeout=START_TIMEOUT), self.log.read_text()


@pytest.fixture
def start_process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start `todo_backend` or another module of it with an environment."""
    started: list[Process] = []

    def start(module: str = "todo_backend", **environment: str) -> Process:
        process = Process(module, environment, tmp_path / f"log{len(started)}")
        started.append(process)
        return process

    yield start
    for process in started:
        process.popen.kill()
        process.popen.wait()
