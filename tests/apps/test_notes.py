"""An app that is nothing like ours runs on the docker engine: described in invoke.yaml, and not changed for it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.config.settings import load_settings
from scripts.core import shell
from scripts.images import bases
from scripts.machine.docker_client import CLI_ENVIRONMENT
from tests.checkout import RELEASE, Checkout
from tests.doubles import Step

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

NOTES = Path(__file__).parent / "notes"


def stand_in(client: Any) -> None:
    """Make the images that the app's Dockerfiles name, of a base of ours: no registry has them."""
    base = bases.ensure(load_settings(), "python", Step())
    client.images.get(base.build).tag("notes-python", "1")
    argv = ["docker", "build", "--quiet", "--tag", "notes-queue:1", str(NOTES / "queue")]
    shell.run(argv, timeout=120, env={**CLI_ENVIRONMENT, "DOCKER_BUILDKIT": "0"})


def notes_in(folder: Path) -> Checkout:
    """A checkout that runs the app, whose folder lies beside it."""
    checkout = Checkout.make(folder / "todo")
    checkout.adopt(NOTES)
    return checkout


def page(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20) as answer:
        return str(answer.read().decode())


@contextmanager
def up(checkout: Checkout, engine: str) -> Iterator[Checkout]:
    """The app runs in this engine while the block does, and nothing of it is left; what went wrong is told after that."""
    run = checkout.invoke("up", "--engine", engine, timeout=800)
    yield checkout
    down = checkout.invoke("down", "--data", "--yes", "--engine", engine)
    assert run.code == 0, run.stdout + run.stderr
    assert down.code == 0, down.stderr


@pytest.fixture(scope="module")
def notes(docker_client: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    stand_in(docker_client)
    with up(notes_in(tmp_path_factory.mktemp("apps")), "docker") as checkout:
        yield checkout


def test_it_comes_up_and_its_own_smoke_test_passes(notes: Checkout) -> None:
    run = notes.invoke("up", "--engine", "docker", "--json")
    assert run.code == 0, run.stderr
    assert set(run.results().values()) <= {"passed", "unchanged"}, "the second time there is nothing to do"
    (smoke,) = [event for event in run.events() if event["event"] == "step_finished" and event["step"] == "smoke"]
    assert "4 services are healthy and ready; a note has gone through the queue" in str(smoke["detail"])


def test_a_browser_finds_the_page_and_the_page_finds_the_api(notes: Checkout) -> None:
    opened = notes.invoke("open", "--engine", "docker")
    assert opened.stdout.split() == ["http://localhost:18100", "http://localhost:18101"]
    assert 'fetch("http://localhost:18100/notes")' in page("http://localhost:18101")
    assert json.loads(page("http://localhost:18100/notes")), "the smoke test's note"


def containers(client: Any) -> dict[str, Any]:
    return {c.labels["todo.service"]: c.attrs for c in client.containers.list(filters={"network": RELEASE})}


def test_each_container_runs_as_its_images_own_user(notes: Checkout, docker_client: Any) -> None:
    users = {service: found["Config"]["User"] for service, found in containers(docker_client).items()}
    assert users == {"api": "1234:2345", "worker": "1234:2345", "page": "1001:1001", "queue": "999:999", "postgres": "10001:10001"}


def test_a_worker_publishes_no_port_and_a_service_that_is_not_public_any(notes: Checkout, docker_client: Any) -> None:
    ports = {service: found["NetworkSettings"]["Ports"].values() for service, found in containers(docker_client).items()}
    bound = {service: [int(bind["HostPort"]) for each in binds for bind in each or ()] for service, binds in ports.items()}
    assert (bound["api"], bound["page"], bound["worker"]) == ([18100], [18101], [])
    (queue,) = bound["queue"]
    assert queue not in (6379, 18100, 18101)


def test_a_changed_build_argument_builds_that_image_again_and_no_other(notes: Checkout) -> None:
    notes.edit("invoke.yaml", {"API_URL: '{api.local_url}'": "API_URL: '{api.local_url}/v2'"})
    run = notes.invoke("plan", "--engine", "docker", "--json")
    notes.edit("invoke.yaml", {"API_URL: '{api.local_url}/v2'": "API_URL: '{api.local_url}'"})
    rows = next(event["rows"] for event in run.events() if event["event"] == "plan")
    (built,) = [row["change"] for row in rows if row["step"] == "build"]  # type: ignore[attr-defined]
    assert built.startswith("build todo-page:h")


def test_an_image_that_nobody_has_is_named_with_the_line_that_names_it(notes: Checkout) -> None:
    dockerfile = notes.path.parent / "notes/page/Dockerfile"
    text = dockerfile.read_text()
    dockerfile.write_text(text.replace("FROM notes-python:1\n", "FROM notes-nowhere.invalid/python:1\n"))
    run = notes.invoke("build", "--engine", "docker")
    dockerfile.write_text(text)
    assert run.code == 1
    assert "the image notes-nowhere.invalid/python:1 cannot be pulled; line 6 of" in run.stderr
