"""Containers of the Docker engine: one is replaced only when its successor runs, and every refusal of Docker is told."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from scripts.config.settings import Settings, load_settings
from scripts.core.errors import TaskError
from scripts.core.waiting import until
from scripts.desired.labels import pairs
from scripts.engines.docker import containers
from scripts.engines.docker.containers import NEXT, OLD, Containers
from scripts.engines.docker.engine import DockerEngine
from scripts.engines.docker.pod_spec import ContainerPlan, PodPlan
from scripts.machine import docker_client as machine
from tests.doubles import Step

pytestmark = pytest.mark.engine


class App:
    """A release of one workload, in a network of its own."""

    def __init__(self, client: Any, image: str) -> None:
        self.client, self.image = client, image
        self.release = f"todo-containers-test-{secrets.token_hex(3)}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        loaded = load_settings()
        service = loaded.services["backend"].model_copy(update={"port": 8000, "local_port": self.port})
        self.settings: Settings = loaded.model_copy(update={"release": self.release, "services": {"web": service}})
        self.containers = Containers(self.settings)
        self.workload = f"{self.release}-web"
        client.networks.create(self.release, labels=self.containers.labels)

    def pod(self, **changes: Any) -> PodPlan:
        fields: dict[str, Any] = {
            "name": "web", "image": self.image, "command": ("sleep", "1000"), "args": (), "working_dir": "", "env": {},
            "user": "10001:10001",
            "read_only": True, "drop": ("ALL",), "new_privileges": False, "memory": 32 * 2**20, "cpus": 0.1, "tmpfs": {}, "volumes": {},
            "files": {}, "ports": (8000,), "startup": None, "readiness": None, "grace": 1,
        }  # fmt: skip
        return PodPlan(self.workload, "web", ContainerPlan(**{**fields, **changes}), (), ("web",), 10001)

    def replace(self, pod: PodPlan) -> None:
        self.containers.restore()
        self.containers.replace(pod, self.containers.by_workload().get(self.workload), {}, Step())

    def state(self) -> dict[str, str]:
        return {container.name.removeprefix(self.workload): container.status for container in self.containers.every()}

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return bool(connection.recv(1))
        return False

    def id(self) -> str:
        return str(self.client.containers.get(self.workload).id)

    def remove(self) -> None:
        for container in self.containers.every():
            container.remove(force=True)
        for volume in self.client.volumes.list(filters={"label": pairs(self.containers.labels)}):
            volume.remove()
        self.client.networks.get(self.release).remove()


@pytest.fixture
def app(docker_client: Any) -> Iterator[App]:
    image = next((tag for image in docker_client.images.list(name="todo-base-python") for tag in image.tags), None)
    if image is None:
        pytest.skip("no base with a program in it is here (invoke build)")
    made = App(docker_client, image)
    yield made
    made.remove()


def test_a_successor_takes_the_name_the_port_and_the_place_of_its_predecessor(app: App) -> None:
    app.replace(app.pod())
    first = app.id()
    app.replace(app.pod(env={"A": "changed"}))
    assert app.id() != first
    assert app.state() == {"": "running"}
    assert app.client.containers.get(app.workload).attrs["HostConfig"]["PortBindings"]["8000/tcp"][0]["HostPort"] == str(app.port)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"image": "todo-no-such-image:1"}, "cannot be made: No such image"),
        ({"memory": 1024}, "cannot be made: Minimum memory limit"),
        ({"volumes": {"/data": "not/a/name"}}, "cannot be made ready"),
        ({"command": ("no-such-program",)}, "cannot start: "),
    ],
)
def test_what_cannot_be_replaced_goes_on(changes: dict[str, Any], cause: str, app: App) -> None:
    app.replace(app.pod())
    first = app.id()
    with pytest.raises(TaskError) as caught:
        app.replace(app.pod(**changes))
    assert cause in caught.value.cause
    assert caught.value.action
    assert app.id() == first
    assert app.state()[""] == "running"
    app.replace(app.pod(env={"A": "works again"}))
    assert app.state() == {"": "running"}


def test_files_are_there_to_be_read_and_not_to_be_written(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MOUNTS", tmp_path / "mounts")
    for text in ("first", "second"):
        app.replace(app.pod(files={"/etc/trusted-ca": {"ca.pem": text}}))
        container = app.client.containers.get(app.workload)
        assert container.exec_run(["cat", "/etc/trusted-ca/ca.pem"]) == (0, text.encode())
        assert container.exec_run(["sh", "-c", "echo x > /etc/trusted-ca/ca.pem"]).exit_code != 0
    assert len(list((tmp_path / "mounts").iterdir())) == 2


def test_a_port_that_somebody_else_holds_is_named(app: App) -> None:
    with socket.create_server(("127.0.0.1", app.port)), pytest.raises(TaskError) as caught:
        app.replace(app.pod())
    assert str(app.port) in caught.value.cause
    assert "local_port" in caught.value.action
    assert app.state() == {}


def test_preflight_knows_the_ports_that_are_ours_and_those_that_are_not(app: App) -> None:
    app.replace(app.pod())
    assert DockerEngine(app.settings).preflight() == []
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        moved = app.settings.services["web"].model_copy(update={"local_port": port})
        (problem,) = DockerEngine(app.settings.model_copy(update={"services": {"web": moved}})).preflight()
    assert f"port {port} (services.web.local_port) is in use: end what listens there" in str(problem)


def test_a_container_in_which_nothing_answers_is_not_ready(app: App) -> None:
    app.replace(app.pod())
    (state,) = DockerEngine(app.settings).pods()
    assert (state.state, state.ready) == ("running", False)
    for status, ready in ((503, False), (200, True)):
        answer = f"lambda self: (self.send_response({status}), self.end_headers())"
        serve = f"import http.server as h\nh.test(type('H', (h.SimpleHTTPRequestHandler,), {{'do_GET': {answer}}}), port=8000)"
        app.replace(app.pod(command=("python3", "-c", serve)))
        until(app.answers, seconds=20, pause=0.1, what="the server")
        assert [each.ready for each in DockerEngine(app.settings).pods()] == [ready]


def test_a_port_that_a_container_of_somebody_elses_holds_is_named_with_it(app: App) -> None:
    app.replace(app.pod())
    (held,) = machine.docker_client().containers.list(filters={"publish": str(app.port)})
    another = DockerEngine(app.settings.model_copy(update={"release": "another"}))
    (problem,) = another.preflight()
    assert f"is in use by the container {held.name}: docker stop {held.name}, or choose another" in str(problem)


@pytest.mark.parametrize("moment", ["the successor is made", "the predecessor is put aside", "the successor has started"])
def test_a_run_that_is_killed_leaves_one_that_serves_for_the_next(moment: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.replace(app.pod())
    first = app.client.containers.get(app.workload)
    successor = app.containers._create(app.pod(), app.pod().container, f"{app.workload}{NEXT}", "main", {})
    if moment != "the successor is made":
        first.stop(timeout=1)
        first.rename(f"{app.workload}{OLD}")
    if moment == "the successor has started":
        successor.rename(app.workload)
        successor.start()
    app.containers.restore()
    assert app.state() == {"": "running"}
    assert app.id() == (successor.id if moment == "the successor has started" else first.id)


def test_a_container_of_somebody_else_is_refused_and_not_touched(app: App) -> None:
    stranger = app.client.containers.create(app.image, "true", name=app.workload)
    try:
        with pytest.raises(TaskError, match="does not belong to this project"):
            app.replace(app.pod())
        stranger.reload()
        assert app.state() == {}
    finally:
        stranger.remove()


def test_the_proxy_of_dockers_client_configuration_is_in_no_container(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = {
        "default": {"httpProxy": "http://u:marked-password@proxy.example:1", "httpsProxy": "http://u:marked-password@proxy.example:1"}
    }
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    machine._probe.cache_clear()
    try:
        app.replace(app.pod())
        assert "marked-password" not in json.dumps(app.client.containers.get(app.workload).attrs)
    finally:
        machine._probe.cache_clear()
