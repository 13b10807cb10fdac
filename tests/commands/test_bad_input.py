"""Bad input gets one clear error with the right exit code, before anything is changed."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from tests.checkout import RELEASE, Checkout, Run

pytestmark = pytest.mark.engine

UP = ("up", "--engine", "docker")


def error(run: Run) -> str:
    """Return the message; there is exactly one, and no traceback anywhere."""
    assert "Traceback" not in run.stdout + run.stderr
    assert len(re.findall(r"^error: ", run.stderr, re.MULTILINE)) == 1, run.stderr
    return run.stderr[run.stderr.index("error: ") :]


def test_an_unknown_key_in_the_settings(checkout: Checkout) -> None:
    checkout.edit("invoke.yaml", {"engine: auto": "engin: auto"})
    run = checkout.invoke(*UP)
    assert run.code == 2
    assert "engin: unknown key (did you mean `engine`?)" in error(run)
    assert not (checkout.path / ".env").exists()


def test_a_wrong_type_in_the_settings(checkout: Checkout) -> None:
    checkout.edit("invoke.yaml", {"    port: 3000": "    port: three thousand"})
    run = checkout.invoke(*UP)
    assert run.code == 2
    assert "services.frontend.port: input should be a valid integer, not 'three thousand'" in error(run)


def test_settings_that_are_no_yaml(checkout: Checkout) -> None:
    (checkout.path / "invoke.yaml").write_text("services: [\n")
    run = checkout.invoke(*UP)
    assert run.code == 2
    assert "invoke.yaml is not YAML on line 2" in error(run)


def test_all_that_is_wrong_with_env_is_told_before_a_password_is_generated(checkout: Checkout) -> None:
    env = checkout.path / ".env"
    env.write_text("API_TOKEN=something\nOTHER=1\n")
    run = checkout.invoke(*UP)
    assert run.code == 2
    assert "POSTGRES_PASSWORD is missing: the password of the bundled Postgres" in error(run)
    assert "OTHER is not a key of this project" in error(run)
    assert env.read_text() == "API_TOKEN=something\nOTHER=1\n"


def test_an_env_that_cannot_be_read(checkout: Checkout) -> None:
    (checkout.path / ".env").mkdir()
    run = checkout.invoke(*UP)
    assert run.code == 2
    assert ".env cannot be read: Is a directory" in error(run)


def test_docker_that_does_not_run(checkout: Checkout) -> None:
    run = checkout.invoke(*UP, DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert run.code == 3
    assert "Docker is not running" in error(run)


def test_a_port_in_use(docker_client: Any, checkout: Checkout) -> None:
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        checkout.edit("invoke.yaml", {"local_port: 18000": f"local_port: {port}"})
        run = checkout.invoke(*UP)
    assert run.code in (1, 2)
    assert f"port {port} (services.backend.local_port) is in use" in error(run)


def test_a_base_image_that_nobody_has(docker_client: Any, checkout: Checkout) -> None:
    checkout.edit(
        "invoke.yaml", {"  base_source: auto": "  base_source: registry", "image: python:3.13-slim-trixie": "image: no-such-image:0"}
    )
    run = checkout.invoke("build")
    assert run.code == 1
    assert "no-such-image:0" in error(run)


def test_a_failing_dockerfile_shows_the_builds_last_lines(docker_client: Any, checkout: Checkout) -> None:
    dockerfile = checkout.path / "docker/backend.Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + '\nRUN echo "what went wrong" && exit 7\n')
    run = checkout.invoke("build")
    assert run.code == 1
    message = error(run)
    assert "building backend failed" in message
    assert "what went wrong" in message
    assert "docker/backend.Dockerfile" in message


def test_an_image_that_runs_as_root_is_refused(docker_client: Any, checkout: Checkout) -> None:
    dockerfile = checkout.path / "docker/backend.Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "\nUSER 0\n")
    run = checkout.invoke("build")
    assert run.code == 1
    assert re.search(r"todo-backend:h[0-9a-f]{12} runs as root", error(run))


def test_an_extra_ca_that_is_none(docker_client: Any, checkout: Checkout) -> None:
    (checkout.path / "not-a-ca.pem").write_text("nothing")
    checkout.edit("invoke.yaml", {'extra_ca: ""': "extra_ca: not-a-ca.pem"})
    dockerfile = checkout.path / "docker/backend.Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "\nLABEL new=image\n")
    run = checkout.invoke("build")
    assert run.code == 2
    assert "the extra CA not-a-ca.pem holds no PEM certificate" in error(run)


@pytest.mark.long
def test_a_service_that_never_gets_ready_shows_its_last_lines(docker_client: Any, checkout: Checkout) -> None:
    dockerfile = checkout.path / "docker/frontend.Dockerfile"
    dockerfile.write_text(
        dockerfile.read_text() + '\nCMD ["node", "-e", "console.log(`I wait for a thing that never comes`); setInterval(() => {}, 1000)"]\n'
    )
    checkout.edit("invoke.yaml", {"timeout_seconds: 300": "timeout_seconds: 15"})
    try:
        run = checkout.invoke(*UP)
        assert run.code == 1
        message = error(run)
        assert f"{RELEASE}-frontend does not become ready: /health says connection refused" in message
        assert "I wait for a thing that never comes" in message
    finally:
        checkout.invoke("down", "--data", "--yes", "--engine", "docker")


@pytest.mark.long
def test_a_service_that_crashes_shows_its_last_lines(docker_client: Any, checkout: Checkout) -> None:
    dockerfile = checkout.path / "docker/frontend.Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + '\nCMD ["node", "-e", "console.error(`no such thing`); process.exit(4)"]\n')
    try:
        run = checkout.invoke(*UP)
        assert run.code == 1
        message = error(run)
        assert f"{RELEASE}-frontend ends with exit code 4 soon after its start" in message
        assert "no such thing" in message
    finally:
        checkout.invoke("down", "--data", "--yes", "--engine", "docker")
