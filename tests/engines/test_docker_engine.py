"""The app in the Docker engine: what runs is what the chart says, and `up` brings only what differs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import urllib.request
from typing import Any

import pytest

from tests.checkout import RELEASE, Checkout

pytestmark = pytest.mark.engine

DOCKER = ("--engine", "docker")
LABEL = f"app.kubernetes.io/part-of={RELEASE}"


@pytest.fixture
def containers(docker_client: Any, installed: Checkout) -> dict[str, Any]:
    return ids(docker_client)


def ids(client: Any) -> dict[str, Any]:
    return {c.labels["todo.service"]: c for c in client.containers.list(filters={"label": [LABEL, "todo.kind=main"]})}


def changes(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before | after if before.get(name) is None or after.get(name) is None or before[name].id != after[name].id}


def image_of_another_checkout(client: Any, container: Any) -> str:
    """Make an image that has our repository and another release's label; return its name."""
    dockerfile = f"FROM {container.image.id}\nLABEL app.kubernetes.io/part-of=another\n"
    tag = "todo-backend:of-another-checkout"
    client.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=tag, rm=True)
    return tag


def post(path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:13000{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        return json.load(answer)


def get(path: str) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:13000{path}", timeout=20) as answer:
        return json.load(answer)


def test_a_second_up_changes_nothing(installed: Checkout, docker_client: Any, containers: dict[str, Any]) -> None:
    run = installed.invoke("up", "--json", *DOCKER)
    assert run.code == 0, run.stdout
    assert set(run.results().values()) == {"unchanged", "passed"}
    assert changes(containers, ids(docker_client)) == set()


@pytest.mark.parametrize("service", ["backend", "frontend", "postgres"])
def test_a_container_has_what_its_pod_says(service: str, containers: dict[str, Any]) -> None:
    attributes = containers[service].attrs
    host = attributes["HostConfig"]
    assert attributes["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] >= 256 * 2**20
    assert host["NanoCpus"] > 0
    assert "/tmp" in host["Tmpfs"]
    assert {bind["HostIp"] for binds in (host["PortBindings"] or {}).values() for bind in binds} <= {"127.0.0.1"}


def test_the_process_is_what_the_container_says(containers: dict[str, Any]) -> None:
    for container in containers.values():
        code, output = container.exec_run(["cat", "/proc/1/status"])
        assert code == 0
        status = dict(line.split(":\t", 1) for line in output.decode().splitlines() if ":\t" in line)
        assert status["Uid"].split() == ["10001"] * 4
        assert int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"


def test_the_root_file_system_cannot_be_written(containers: dict[str, Any]) -> None:
    python = containers["backend"].exec_run(["python", "-c", "open('/app/x', 'w')"])
    assert python.exit_code != 0
    assert b"Read-only file system" in python.output
    assert containers["backend"].exec_run(["python", "-c", "open('/tmp/x', 'w')"]).exit_code == 0


def test_the_smoke_test_passes_and_leaves_nothing(installed: Checkout) -> None:
    before = get("/api/todos")["total"]
    run = installed.invoke("smoke", *DOCKER)
    assert run.code == 0, run.stderr
    assert "a todo added by chat is listed and shown, changed and deleted" in run.stderr
    assert get("/api/todos")["total"] == before


def test_the_smoke_test_fails_when_a_service_is_gone(installed: Checkout, containers: dict[str, Any]) -> None:
    containers["backend"].stop(timeout=5)
    try:
        run = installed.invoke("smoke", *DOCKER)
    finally:
        containers["backend"].start()
        assert installed.invoke("up", *DOCKER).code == 0
    assert run.code == 1
    assert "error: backend does not answer at /health" in run.stderr


def test_status_shows_every_service_and_the_address(installed: Checkout) -> None:
    run = installed.invoke("status", "--json", *DOCKER)
    events = {event["event"]: event for event in run.events()}
    assert {row["service"]: row["state"] for row in events["pods"]["rows"]} == dict.fromkeys(("backend", "frontend", "postgres"), "running")
    assert events["addresses"]["addresses"] == {"frontend": "http://localhost:13000"}


def test_logs_shows_what_a_service_says(installed: Checkout) -> None:
    assert "database system is ready to accept connections" in installed.invoke("logs", "postgres", *DOCKER).stdout
    unknown = installed.invoke("logs", "nothing", *DOCKER)
    assert unknown.code == 2
    assert "no container of `nothing`" in unknown.stderr


def test_a_changed_secret_rolls_exactly_the_services_that_use_it(
    installed: Checkout, docker_client: Any, containers: dict[str, Any]
) -> None:
    installed.edit(".env", {"GEMINI_API_KEY=": "GEMINI_API_KEY=AIzaSyInventedByTheTests"})
    run = installed.invoke("up", "--json", *DOCKER)
    installed.edit(".env", {"GEMINI_API_KEY=AIzaSyInventedByTheTests": "GEMINI_API_KEY="})
    after = ids(docker_client)
    back = installed.invoke("up", "--json", *DOCKER)
    assert changes(containers, after) == {"backend"}
    assert run.results()["secrets"] == "unchanged"  # only containers keep them
    assert run.results()["build"] == "unchanged"
    assert back.code == 0


def test_an_edit_brings_only_the_service_that_it_is_in(installed: Checkout, docker_client: Any, containers: dict[str, Any]) -> None:
    source = next((installed.path / "app/backend/src/todo_backend").glob("*.py"))
    text = source.read_text()
    anothers = image_of_another_checkout(docker_client, containers["backend"])
    source.write_text(text + "\n# an edit\n")
    run = installed.invoke("up", "--json", *DOCKER)
    after = ids(docker_client)
    source.write_text(text)
    back = installed.invoke("up", "--json", *DOCKER)
    assert run.code == 0, run.stdout
    docker_client.images.remove(anothers)  # raises where `up` has removed it
    assert changes(containers, after) == {"backend"}
    assert back.results()["chart"] == "changed"
    edited = after["backend"].attrs["Config"]["Image"]
    assert edited != containers["backend"].attrs["Config"]["Image"]
    assert back.results()["build"] == "unchanged", "the image of the sources before is still there"
    docker_client.images.remove(edited)  # raises where going back and forth would have to build it again


def alone(checkout: Checkout, step: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", f"scripts.{step}", *DOCKER]
    return subprocess.run(argv, cwd=checkout.path, capture_output=True, text=True, timeout=120, check=False)


def test_the_rollout_alone_tells_the_truth(installed: Checkout, containers: dict[str, Any]) -> None:
    run = alone(installed, "wait_for_rollout")
    assert run.returncode == 0, run.stderr
    assert "3 ready" in run.stderr
    containers["frontend"].stop(timeout=1)
    try:
        stopped = alone(installed, "wait_for_rollout")
        containers["frontend"].rename("aside")
        gone = alone(installed, "wait_for_rollout")
    finally:
        containers["frontend"].rename(f"{RELEASE}-frontend")
        containers["frontend"].start()
    assert stopped.returncode == gone.returncode == 1
    assert "ends with exit code" in stopped.stderr
    assert f"{RELEASE}-frontend has no container" in gone.stderr
    installed.edit(".env", {"GEMINI_API_KEY=": "GEMINI_API_KEY=AIzaSyInventedByTheTests"})
    other = alone(installed, "wait_for_rollout")
    installed.edit(".env", {"GEMINI_API_KEY=AIzaSyInventedByTheTests": "GEMINI_API_KEY="})
    assert other.returncode == 1
    assert f"{RELEASE}-backend is of other sources or settings than these" in other.stderr


def test_a_network_that_somebody_prunes_while_images_build_is_made_again(
    installed: Checkout, docker_client: Any, containers: dict[str, Any]
) -> None:
    for container in containers.values():
        container.remove(force=True)
    for network in docker_client.networks.list(filters={"label": LABEL}):
        network.remove()
    brought, ready = alone(installed, "install_chart"), alone(installed, "wait_for_rollout")
    assert (brought.returncode, ready.returncode) == (0, 0), brought.stderr + ready.stderr


def test_todos_survive_down_and_up(installed: Checkout, docker_client: Any) -> None:
    made = post("/api/todos", {"title": "outlives the containers"})
    down = installed.invoke("down", *DOCKER)
    assert down.code == 0
    assert "kept the data" in down.stderr
    assert not (installed.path / ".state" / "mounts").exists()
    assert ids(docker_client) == {}
    assert not docker_client.networks.list(filters={"label": LABEL})
    again = installed.invoke("down", *DOCKER)
    assert again.code == 0
    assert "unchanged" in again.stderr
    assert installed.invoke("up", *DOCKER).code == 0
    assert get(f"/api/todos/{made['id']}")["title"] == "outlives the containers"


def test_down_asks_before_it_removes_data(installed: Checkout, docker_client: Any) -> None:
    run = installed.invoke("down", "--data", *DOCKER)
    assert run.code == 2
    assert "answer with --yes" in run.stderr
    assert len(ids(docker_client)) == 3
