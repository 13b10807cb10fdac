"""`invoke audit` of the docker engine's containers: what it sees from inside, and a value of `.env` that was left in a file."""

from __future__ import annotations

import pytest

from tests.checkout import Checkout

pytestmark = pytest.mark.engine

FROM_INSIDE = ("security-1", "security-2", "security-3", "monitoring-1", "monitoring-2", "monitoring-3")


def test_containers_are_looked_into_and_a_leak_is_found(installed: Checkout) -> None:
    token = next(line.partition("=")[2] for line in (installed.path / ".env").read_text().splitlines() if line.startswith("API_TOKEN="))
    left = installed.path / ".state" / "left.log"
    left.write_text(f"Authorization: Bearer {token}\n")
    try:
        run = installed.invoke("audit", "--engine", "docker", "--json", timeout=120)
    finally:
        left.unlink()
    found = {event["clause"]: event for event in run.events() if event["event"] == "clause"}
    assert {name: (found[name]["on"], found[name]["verdict"]) for name in FROM_INSIDE} == dict.fromkeys(
        FROM_INSIDE, ("docker engine", "kept")
    )
    assert found["architectural-2"]["verdict"] == "kept", found["architectural-2"]["evidence"]
    assert (found["security-4"]["verdict"], found["security-4"]["evidence"]) == ("broken", ["API_TOKEN is in .state/left.log"])
    assert found["deployment-4"]["verdict"] == "not checkable here"
    assert run.code == 1
    assert token not in run.stdout + run.stderr
