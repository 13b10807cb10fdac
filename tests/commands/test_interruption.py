"""A run that is killed, interrupted or doubled loses nothing: the next one converges."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.checkout import Checkout

pytestmark = [pytest.mark.engine, pytest.mark.long, pytest.mark.timeout(1200)]

UP = ("up", "--json", "--engine", "docker")
STEPS = ("preflight", "build", "start", "load", "secrets", "chart", "rollout", "smoke")


@pytest.fixture
def torn_down(installed: Checkout) -> Checkout:
    """The project with its images built and nothing running."""
    assert installed.invoke("down", "--data", "--yes", "--engine", "docker").code == 0
    return installed


def kill_at(checkout: Checkout, event: str, step: str, delay: float) -> bool:
    """Start `up` and kill it `delay` seconds after an event of a step; return whether that point was reached."""
    process = checkout.start(*UP)
    try:
        assert process.stdout
        for line in process.stdout:
            told = json.loads(line)
            if (told["event"], told.get("step")) == (event, step):
                time.sleep(delay)
                process.send_signal(signal.SIGKILL)
                return True
        return False
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def assert_converges(checkout: Checkout) -> None:
    run = checkout.invoke(*UP)
    assert run.code == 0, run.stdout + run.stderr
    assert "failed" not in run.results().values()
    again = checkout.invoke(*UP)
    assert set(again.results().values()) == {"unchanged", "passed"}, again.results()


@pytest.mark.parametrize(
    ("event", "delay"),
    [("step_started", 0.0), ("step_started", 0.25), ("step_finished", 0.0)],
    ids=["as it starts", "within it", "as it ends"],
)
def test_up_killed_at_each_step_converges(event: str, delay: float, torn_down: Checkout) -> None:
    for step in STEPS:
        assert kill_at(torn_down, event, step, delay), f"{step} was not reached"
    assert_converges(torn_down)


def test_up_killed_within_a_build_converges(installed: Checkout) -> None:
    source = next((installed.path / "app/backend/src/todo_backend").glob("*.py"))
    source.write_text(source.read_text() + f"\n# {time.time()}\n")
    process = installed.start(*UP)
    assert process.stdout
    for line in process.stdout:
        if "backend: " in json.loads(line).get("text", ""):
            process.kill()
            break
    process.communicate()
    assert_converges(installed)


def test_two_at_once_take_turns(installed: Checkout) -> None:
    first, second = installed.start("up", "--engine", "docker"), installed.start("up", "--engine", "docker")
    ended = [process.communicate(timeout=300) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], ended
    said = [stderr for _, stderr in ended if "waiting: `invoke up` (process" in stderr]
    assert len(said) == 1


def test_an_interrupt_ends_the_run_and_its_children(torn_down: Checkout) -> None:
    process = torn_down.start(*UP)
    assert process.stdout
    for line in process.stdout:
        told = json.loads(line)
        if (told["event"], told.get("step")) == ("step_started", "chart"):
            break
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(rest.splitlines()[-1]) == {"v": 1, "event": "finished", "exit_code": 130}
    assert [pid for pid in children if os.path.exists(f"/proc/{pid}")] == []  # noqa: PTH110
    assert_converges(torn_down)


def descendants(pid: int) -> list[int]:
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [found for child in children for found in (int(child), *descendants(int(child)))]


def test_a_strangers_container_with_our_name_is_left_alone(docker_client: Any, torn_down: Checkout) -> None:
    image = next(i for i in docker_client.images.list() if any(t.startswith("todo-frontend:") for t in i.tags))
    stranger = docker_client.containers.create(image.id, name="todo-chatbot-test-frontend")
    try:
        run = torn_down.invoke("up", "--engine", "docker")
        assert run.code == 1
        assert "a container named todo-chatbot-test-frontend exists and does not belong to this project" in run.stderr
        stranger.reload()
    finally:
        stranger.remove(force=True)
    assert_converges(torn_down)
