"""One Docker daemon, found as the command line finds it; each reason why it cannot be used has its own words."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.core.errors import MissingError, TaskError
from scripts.machine import docker_client, docker_endpoint
from scripts.machine.docker_client import build_platform, docker_answers
from scripts.machine.docker_endpoint import find_endpoint
from tests.programs import Reply, on_path

pytestmark = pytest.mark.runner

VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "MINIKUBE_ACTIVE_DOCKERD")


@pytest.fixture(autouse=True)
def _own_probe() -> Iterator[None]:
    docker_client._probe.cache_clear()
    docker_client._daemon_platform.cache_clear()
    yield
    docker_client._probe.cache_clear()
    docker_client._daemon_platform.cache_clear()


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for Docker's client configuration, and a shell that says nothing about Docker."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "docker-config"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.setattr(docker_endpoint, "DEFAULT_HOST", f"unix://{tmp_path}/docker.sock")
    return folder


def make_context(config: Path, name: str, host: str) -> None:
    meta = config / "contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}))


def refusal() -> MissingError:
    with pytest.raises(MissingError) as caught:
        docker_client.docker_client()
    return caught.value


class Daemon:
    """What listens where Docker should: it answers with what it is told, or with nothing."""

    def __init__(self, answer: Callable[[bytes], bytes] | None, family: int, address: object) -> None:
        self.socket = socket.socket(family)
        self.socket.bind(address)  # type: ignore[arg-type]
        self.socket.listen()
        self.answer = answer
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        with ExitStack() as connections:
            while True:
                try:
                    connection, _ = self.socket.accept()
                except OSError:
                    return
                connections.enter_context(connection)
                if self.answer:
                    body = self.answer(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                    connection.close()

    def stop(self) -> None:
        """Close the socket and every connection. A close alone would leave the thread waiting on the closed socket."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def a_daemon(architecture: str = "amd64", system: str = "linux") -> Callable[[bytes], bytes]:
    version = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24", "Os": system, "Arch": architecture}
    return lambda request: b"OK" if b"/_ping" in request else json.dumps(version).encode()


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    made: list[Daemon] = []

    def start(answer: Callable[[bytes], bytes] | None, path: str = "docker.sock") -> Daemon:
        made.append(Daemon(answer, socket.AF_UNIX, str(tmp_path / path)))
        return made[-1]

    yield start
    for daemon in made:
        daemon.stop()


def test_without_a_word_it_is_the_usual_socket(listen: Callable[..., Daemon]) -> None:
    listen(a_daemon())
    assert docker_answers()
    assert build_platform() == "linux/amd64"


def test_a_socket_is_asked_without_a_look_at_proxies(listen: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch) -> None:
    listen(a_daemon())
    assert docker_client.docker_client().api.trust_env is False
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    monkeypatch.setattr(docker_client, "_Client", lambda **_: SimpleNamespace(api=SimpleNamespace(), ping=bool, close=bool))
    assert docker_client._connect().api.trust_env is True  # a proxy may be the way to another machine


def test_a_daemon_that_does_not_run_is_said_to_be_so() -> None:
    error = refusal()
    assert error.cause == "Docker is not running"
    assert "invoke setup" in error.action


def test_in_wsl_the_integration_of_docker_desktop_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "osrelease").write_text("5.15.90.1-microsoft-standard-WSL2\n")
    monkeypatch.setattr(docker_client, "KERNEL", tmp_path / "osrelease")
    assert "WSL integration" in refusal().action


def test_with_rancher_desktop_its_other_container_engine_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch).tell(("rdctl",), Reply())
    assert "choose dockerd (moby)" in refusal().action


@pytest.mark.parametrize("by", ["DOCKER_CONTEXT", "config.json"])
def test_a_context_that_does_not_exist_is_named_and_no_other_daemon_taken(
    by: str, config: Path, listen: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(a_daemon())
    if by == "DOCKER_CONTEXT":
        monkeypatch.setenv(by, "gone")
    else:
        (config / by).write_text('{"currentContext": "gone"}')
    error = refusal()
    assert "the Docker context `gone`, which " in error.cause
    assert by in error.cause
    assert "does not exist" in error.cause


def test_a_context_counts_without_a_config_file_and_docker_host_counts_before_it(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_context(config, "other", f"unix://{tmp_path}/other.sock")
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    assert (find_endpoint().host, find_endpoint().context) == (f"unix://{tmp_path}/other.sock", "other")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert (find_endpoint().host, find_endpoint().context) == ("tcp://127.0.0.1:1", "default")


@pytest.mark.parametrize(
    ("host", "cause", "action"),
    [
        ("ssh://me@build.example", "DOCKER_HOST names a Docker daemon behind ssh, which is not supported", "forward its socket"),
        ("tcp://127.0.0.1:1", "Docker is not running at tcp://127.0.0.1:1, which DOCKER_HOST names", "start it, or fix what names it"),
        ("unix:///nowhere.sock", "Docker is not running at unix:///nowhere.sock, which DOCKER_HOST names", "start it, or fix"),
        ("tcp://nowhere.invalid:2375", "Docker cannot be used at tcp://nowhere.invalid:2375, which DOCKER_HOST names", "docker version"),
        ("foo://bar", "DOCKER_HOST names no address of a Docker daemon: foo://bar", "write it as unix:///var/run/docker.sock"),
        ("tcp://", "DOCKER_HOST names no address", "tcp://HOST:PORT"),
        ("tcp://u:marked@127.0.0.1:1", "DOCKER_HOST names no address of a Docker daemon: tcp://127.0.0.1:1", "tcp://HOST:PORT"),
        ("tcp://127.0.0.1:port", "DOCKER_HOST names no address", "tcp://HOST:PORT"),
        ("tcp://[::1", "DOCKER_HOST names no address", "tcp://HOST:PORT"),
        ("tcp://a b:1", "DOCKER_HOST names no address", "tcp://HOST:PORT"),
        ("/var/run/docker.sock", "DOCKER_HOST names no address", "unix:///var/run/docker.sock"),
        ("127.0.0.1:2375", "DOCKER_HOST names no address", "tcp://HOST:PORT"),
        (" ", "DOCKER_HOST names no address", "tcp://HOST:PORT"),
    ],
)
def test_what_docker_host_names_is_told_with_its_own_cause(host: str, cause: str, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    error = refusal()
    assert error.cause.startswith(cause)
    assert action in error.action


def test_tls_without_certificates_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    assert refusal().cause == f"Docker needs TLS, but {tmp_path}/.docker/ca.pem does not exist"


def test_a_daemon_that_hangs_is_given_up_and_not_asked_again(listen: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_client, "PROBE_SECONDS", 0.3)
    listen(None)
    assert refusal().cause == "Docker does not answer within 0.3 s"
    monkeypatch.setattr(docker_client, "_connect", lambda: pytest.fail("asked again"))
    assert refusal().cause == "Docker does not answer within 0.3 s"


def test_a_daemon_that_stops_working_later_is_told_and_is_no_defect(listen: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = listen(a_daemon())
    client = docker_client.docker_client()
    daemon.answer = None
    client.api.timeout = 0.3
    with pytest.raises(TaskError, match="Docker has stopped working"):
        client.images.get("x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every socket")
def test_a_socket_that_is_not_ours_to_use_needs_the_group(listen: Callable[..., Daemon], tmp_path: Path) -> None:
    listen(a_daemon())
    (tmp_path / "docker.sock").chmod(0)
    assert "usermod" in refusal().action


def test_a_refusal_is_forgotten_when_the_daemon_answers(listen: Callable[..., Daemon]) -> None:
    refusal()
    listen(a_daemon())
    assert docker_answers()
    assert docker_client.docker_client()


def test_a_shell_that_minikube_has_pointed_into_a_node_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIKUBE_ACTIVE_DOCKERD", "other")
    error = refusal()
    assert "inside the Minikube node `other`" in error.cause
    assert error.action == "eval $(minikube docker-env --unset)"


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"currentContext": ""}', '{"currentContext": null}'])
def test_a_broken_client_configuration_is_no_configuration(text: str, config: Path) -> None:
    (config / "config.json").write_text(text)
    assert find_endpoint().context == "default"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("unix:///var/run/docker.sock", True),
        ("tcp://127.0.0.1:2375", True),
        ("tcp://localhost:2375", True),
        ("tcp://[::1]:2375", True),
        ("tcp://10.0.0.7:2376", False),
        ("tcp://build.example:2376", False),
    ],
)
def test_a_daemon_on_another_machine_is_known_as_such(host: str, local: bool) -> None:
    assert docker_endpoint.Endpoint(host).local is local


@pytest.mark.parametrize(
    ("architecture", "system", "cause"),
    [("riscv64", "linux", "Docker runs linux/riscv64"), ("amd64", "windows", "Docker runs windows/amd64")],
)
def test_a_platform_that_nothing_is_made_for_is_refused(architecture: str, system: str, cause: str, listen: Callable[..., Daemon]) -> None:
    listen(a_daemon(architecture, system))
    with pytest.raises(MissingError) as caught:
        build_platform()
    assert cause in caught.value.cause


def test_the_platform_is_the_targets_before_the_daemons_and_the_daemons_before_this_machines(listen: Callable[..., Daemon]) -> None:
    listen(a_daemon("arm64"))
    assert build_platform() == "linux/arm64"
    assert build_platform("linux/amd64") == "linux/amd64"
