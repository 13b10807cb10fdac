"""The bases made from Debian packages, and our Postgres on the one that this engine has, as real containers."""

from __future__ import annotations

import base64
import io
import os
import secrets
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts.config.settings import Settings, load_settings
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.desired import images
from scripts.images import base_recipes, bases
from scripts.machine import docker_client as machine
from tests.doubles import Step

UID = 10001
pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]

LABEL = "todo-test-postgres"
PROXY_PASSWORD = "not-a-real-password"
DATA = "/var/lib/postgresql/data"
PASSWORD = "marked pass'word\"$x"


@pytest.fixture(scope="module")
def settings(docker_client: object) -> Settings:
    """The settings, with bases from packages: these are what is ours."""
    loaded = load_settings()
    return loaded.model_copy(update={"build": loaded.build.model_copy(update={"base_source": "packages"})})


@pytest.fixture(scope="module")
def made(settings: Settings) -> Callable[[str], images.BaseImage]:
    """Make a base, or skip where it cannot be made."""

    def make(name: str) -> images.BaseImage:
        try:
            return bases.ensure(settings, name, Step())
        except TaskError as error:
            pytest.skip(f"{error.cause} (invoke setup)")

    return make


def run(reference: str, command: str) -> str:
    result = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--entrypoint=/bin/sh", reference, "-c", command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return result.stdout


@pytest.mark.parametrize("name", ["python", "node", "postgres", pytest.param("postgres-exporter", marks=pytest.mark.long)])
def test_a_runtime_base_has_no_package_manager_compiler_or_trace_of_this_machine(
    name: str, made: Callable[[str], images.BaseImage]
) -> None:
    reference = made(name).runtime
    tools = "apt apt-get pip pip3 npm npx gcc cc make curl wget git ssh"
    assert run(reference, f"command -v {tools}; echo end") == "end\n"
    content = exported(reference)
    assert len(content) > 1000
    assert [name for name in content if name.startswith(("usr/share/man/", "usr/share/locale/")) and content[name]] == []
    assert [name for name in content if name.startswith(("var/lib/apt/lists/", "var/cache/apt/", "var/log/")) and content[name]] == []
    assert content.get("etc/hostname", 0) == content.get("etc/resolv.conf", 0) == 0, "the machine that made it shows"


def exported(reference: str) -> dict[str, int]:
    """Return the size of every file in the image, by path."""
    container = subprocess.run(["docker", "create", reference, "true"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        tar = subprocess.run(["docker", "export", container], capture_output=True, check=True).stdout
    finally:
        subprocess.run(["docker", "rm", container], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {member.name: member.size for member in archive if member.isfile()}


def test_the_node_base_runs_node_as_our_user(made: Callable[[str], images.BaseImage]) -> None:
    result = subprocess.run(
        [
            "docker",
            "run",
            "--rm",
            "--read-only",
            "--cap-drop=ALL",
            f"--user={UID}:{UID}",
            made("node").runtime,
            "node",
            "-p",
            "process.version",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert int(result.stdout.lstrip("v").split(".")[0]) >= 20


def test_what_runs_node_is_smaller_than_what_builds_with_it(made: Callable[[str], images.BaseImage]) -> None:
    base, known = made("node"), machine.docker_client().images
    assert known.get(base.runtime).attrs["Size"] < known.get(base.build).attrs["Size"]


def test_a_base_that_is_there_is_not_made_again(settings: Settings, made: Callable[[str], images.BaseImage], monkeypatch: Any) -> None:
    first = made("postgres")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was made again")

    monkeypatch.setattr(shell, "run", refuse)
    assert bases.ensure(settings, "postgres", Step()) == first


def test_when_neither_way_leads_to_a_base_both_reasons_are_told(settings: Settings, monkeypatch: Any) -> None:
    nobody = settings.base_images["python"].model_copy(update={"image": "127.0.0.1:1/nobody:1", "packages": ("no-such-package",)})
    build = settings.build.model_copy(update={"base_source": "auto"})
    changed = settings.model_copy(update={"build": build, "base_images": {**settings.base_images, "python": nobody}})
    monkeypatch.setattr(base_recipes, "obstacle", lambda: "mmdebstrap is not installed")
    monkeypatch.setattr(base_recipes, "remedy", lambda: "invoke setup")
    with pytest.raises(TaskError) as caught:
        bases.ensure(changed, "python", Step())
    assert "127.0.0.1:1/nobody:1: " in caught.value.evidence[0]
    assert "connection refused" in caught.value.evidence[0].lower()
    assert caught.value.evidence[1] == "from packages: mmdebstrap is not installed"
    assert "invoke setup" in caught.value.action


def test_a_credential_helper_that_is_missing_is_told_as_that(
    docker_client: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text('{"credsStore": "nowhere.exe"}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    reason = bases.registry_error("registry.invalid/image:1")
    assert "credsStore" in reason
    assert "docker-credential-nowhere.exe" in reason


class AskingProxy:
    """A proxy that asks for a user and a password, and goes nowhere."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://us%40er:{PROXY_PASSWORD}@127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                proxy.told.append(self.headers.get("Proxy-Authorization", ""))
                self.send_response(407 if not proxy.told[-1] else 502)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def test_npm_of_the_node_base_tells_a_proxy_who_it_is(made: Callable[[str], images.BaseImage]) -> None:
    proxy = AskingProxy()
    argv = ["docker", "run", "--rm", "--network=host", "--env=HTTPS_PROXY", "--env=npm_config_fetch_retries=0", made("node").build]
    argv += ["npm", "view", "left-pad", "version"]
    subprocess.run(argv, capture_output=True, timeout=120, check=False, env={**os.environ, "HTTPS_PROXY": proxy.url})
    proxy.server.shutdown()
    proxy.server.server_close()
    assert proxy.told
    assert set(proxy.told) == {"Basic " + base64.b64encode(f"us@er:{PROXY_PASSWORD}".encode()).decode()}


class Server:
    """Our Postgres in one container on one volume, run as the chart runs it."""

    def __init__(self, image: str) -> None:
        self.image = image
        self.name = f"{LABEL}-{secrets.token_hex(4)}"
        self.docker("volume", "create", "--label", LABEL, self.name)

    def docker(self, *arguments: str, check: bool = True, **environment: str) -> str:
        result = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
        )
        assert not check or result.returncode == 0, result.stderr
        return result.stdout + result.stderr

    def start(self, *, password: str = PASSWORD, command: tuple[str, ...] = ()) -> None:
        self.docker("rm", "--force", self.name, check=False)
        self.docker(
            *("run", "--detach", "--name", self.name, "--label", LABEL, "--read-only", "--cap-drop=ALL"),
            *(
                "--security-opt=no-new-privileges",
                f"--user={UID}:{UID}",
                "--tmpfs=/tmp",
                f"--tmpfs=/var/run/postgresql:uid={UID},gid={UID}",
            ),
            *("--volume", f"{self.name}:{DATA}", "--env=POSTGRES_USER=todo", "--env=POSTGRES_DB=todo", "--env=POSTGRES_PASSWORD"),
            *(self.image, *command),
            POSTGRES_PASSWORD=password,
        )

    def ready(self) -> bool:
        return "accepting" in self.docker(*self.inside("pg_isready", "--host=127.0.0.1", "--username=todo", "--dbname=todo"), check=False)

    def inside(self, *command: str) -> tuple[str, ...]:
        return ("exec", "--env=PGPASSWORD", self.name, *command)

    def wait(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not self.ready():
            assert time.monotonic() < deadline, self.docker("logs", self.name)
            time.sleep(0.2)

    def query(self, sql: str, *, password: str = PASSWORD, check: bool = True) -> str:
        command = self.inside(
            "psql", "--host=127.0.0.1", "--username=todo", "--dbname=todo", "--no-password", "--tuples-only", "--command", sql
        )
        return self.docker(*command, check=check, PGPASSWORD=password).strip()

    def files(self) -> str:
        return self.docker("run", "--rm", f"--volume={self.name}:{DATA}", "--entrypoint=ls", self.image, "-A", DATA)

    def remove(self) -> None:
        self.docker("rm", "--force", self.name, check=False)
        self.docker("volume", "rm", "--force", self.name)


def built(name: str, base: images.BaseImage, root: Path = ROOT) -> Iterator[str]:
    """The image `name` on this base, under a tag of its own for as long as the tests run."""
    reference = f"{LABEL}:{secrets.token_hex(4)}"
    argv = ["docker", "build", "--quiet", "--file", str(root / f"docker/{name}.Dockerfile"), "--tag", reference]
    argv += ["--build-arg", f"BASE_IMAGE={base.build}", str(root / f"docker/{name}")]
    shell.run(argv, timeout=300, env={"DOCKER_BUILDKIT": "0"})
    yield reference
    subprocess.run(["docker", "rmi", reference], capture_output=True, check=False)


@pytest.fixture(scope="module")
def postgres_image(made: Callable[[str], images.BaseImage]) -> Iterator[str]:
    yield from built("postgres", made("postgres"))


@pytest.fixture(scope="module")
def exporter_image(made: Callable[[str], images.BaseImage]) -> Iterator[str]:
    yield from built("postgres-exporter", made("postgres-exporter"))


@pytest.fixture
def server(postgres_image: str) -> Iterator[Server]:
    server = Server(postgres_image)
    yield server
    server.remove()


def test_a_checkout_with_windows_line_ends_and_no_executable_bits_makes_the_same_postgres(
    made: Callable[[str], images.BaseImage], tmp_path: Path
) -> None:
    for name in ("docker/postgres.Dockerfile", "docker/postgres/entrypoint.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes().replace(b"\n", b"\r\n"))
        (tmp_path / name).chmod(0o644)
    for reference in built("postgres", made("postgres"), tmp_path):
        argv = ["docker", "run", "--rm", "--network=none", reference, "echo", "it runs"]
        assert subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout == "it runs\n"


def test_postgres_serves_the_named_user_and_database_with_that_password_only(server: Server) -> None:
    server.start()
    server.wait()
    assert server.query("SELECT current_user || ' ' || current_database()") == "todo todo"
    assert server.query("SHOW password_encryption") == "scram-sha-256"
    assert "no password supplied" in server.query("SELECT 1", password="", check=False)
    assert "password authentication failed" in server.query("SELECT 1", password="wrong", check=False)
    assert PASSWORD not in server.docker("logs", server.name)
    assert PASSWORD not in server.docker("exec", server.name, "sh", "-c", "cat /proc/1/cmdline /proc/1/environ")


def test_data_outlives_a_restart_and_a_kill(server: Server) -> None:
    server.start()
    server.wait()
    server.query("CREATE TABLE kept (n int)")
    server.query("INSERT INTO kept VALUES (1)")
    server.docker("stop", "--time=30", server.name)
    assert "database system is shut down" in server.docker("logs", server.name)
    server.start(password="")  # is not needed any more
    server.wait()
    server.query("INSERT INTO kept VALUES (2)")
    server.docker("kill", "--signal=KILL", server.name)
    server.docker("start", server.name)
    server.wait()
    assert server.query("SELECT sum(n) FROM kept") == "3"


def test_a_changed_password_counts_from_the_next_start_on(server: Server) -> None:
    server.start()
    server.wait()
    server.docker("kill", "--signal=KILL", server.name)
    changed = "another 'one' \\ of $many"
    server.start(password=changed)
    server.wait()
    assert server.query("SELECT 1", password=changed) == "1"
    assert "password authentication failed" in server.query("SELECT 1", check=False)
    assert changed not in server.docker("logs", server.name)


@pytest.mark.parametrize("moment", [0.3, 1.0, 2.0, 3.5])
def test_a_first_start_that_is_killed_converges_on_the_next(moment: float, server: Server) -> None:
    server.start()
    deadline = time.monotonic() + 60
    while "pgdata" not in server.files() and time.monotonic() < deadline:
        pass
    time.sleep(moment - 0.3)
    server.docker("kill", "--signal=KILL", server.name, check=False)
    server.start()
    server.wait()
    assert server.query("SELECT current_database()") == "todo"
    assert server.files().split() == ["pgdata"]


def test_the_server_listens_for_the_first_time_when_the_database_is_whole(server: Server) -> None:
    server.start()
    server.wait()
    log = server.docker("logs", server.name)
    first = log.index("listening on")
    assert log.index("Success.") < log.index("checkpoint complete") < first
    listeners = [line for line in log.splitlines() if "listening on" in line]
    assert all(" [1] LOG: " in line for line in listeners), "a server beside the container's first process listened"


@pytest.mark.parametrize(
    ("password", "message"),
    [("", "POSTGRES_PASSWORD is empty"), ("two\nlines", "POSTGRES_PASSWORD has more than one line")],
)
def test_a_password_that_cannot_be_used_is_refused_before_anything_is_made(password: str, message: str, server: Server) -> None:
    server.start(password=password)
    assert server.docker("wait", server.name).strip() == "1"
    assert message in server.docker("logs", server.name)
    assert server.files() == ""


def test_files_that_are_no_database_are_never_overwritten(server: Server) -> None:
    server.docker(
        "run",
        "--rm",
        f"--volume={server.name}:{DATA}",
        "--entrypoint=sh",
        server.image,
        "-c",
        f"mkdir {DATA}/pgdata; echo mine > {DATA}/pgdata/file",
    )
    server.start()
    assert server.docker("wait", server.name).strip() == "1"
    assert "holds files but no database" in server.docker("logs", server.name)
    kept = server.docker("run", "--rm", f"--volume={server.name}:{DATA}", "--entrypoint=cat", server.image, f"{DATA}/pgdata/file")
    assert kept == "mine\n"


@pytest.fixture
def exporter(server: Server, exporter_image: str) -> Iterator[str]:
    """The exporter in the network of our Postgres, as the pod has it, with the chart's limit of memory; gives the container's name."""
    server.start()
    server.wait()
    name = f"{server.name}-exporter"
    server.docker(
        *("run", "--detach", "--name", name, "--label", LABEL, f"--network=container:{server.name}", "--read-only", "--cap-drop=ALL"),
        *(
            "--security-opt=no-new-privileges",
            "--memory=64m",
            "--env=DATA_SOURCE_NAME=postgresql://todo@127.0.0.1:5432/todo?sslmode=disable",
        ),
        *("--env=PGPASSWORD", exporter_image),
        PGPASSWORD=PASSWORD,
    )
    yield name
    server.docker("rm", "--force", name, check=False)


def exposition(server: Server, exporter: str) -> str:
    """What the exporter answers, asked from within its network."""
    get = "exec 3<>/dev/tcp/127.0.0.1/9187; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    deadline = time.monotonic() + 60
    while "\npg_up " not in (answer := server.docker("exec", server.name, "bash", "-c", get, check=False)):
        assert time.monotonic() < deadline, server.docker("logs", exporter)
        time.sleep(0.2)
    return answer


def test_the_exporter_shows_the_database_and_logs_neither_password_nor_complaint(server: Server, exporter: str) -> None:
    answer = exposition(server, exporter)
    assert "\npg_up 1\n" in answer
    assert "\npg_settings_max_connections{" in answer
    assert "pg_stat_activity_count{" in answer
    assert 'pg_scrape_collector_success{collector="stat_database"} 1' in answer
    assert " 0\n" not in "".join(line for line in answer.splitlines(keepends=True) if line.startswith("pg_scrape_collector_success"))
    log = server.docker("logs", exporter)
    assert "level=INFO" in log
    assert "level=WARN" not in log
    assert "level=ERROR" not in log
    assert PASSWORD not in log
