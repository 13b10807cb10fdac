"""By hand, on the app in the Docker engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.checkout import Checkout
from tests.engines.test_docker_engine import DOCKER, get, ids, post

pytestmark = pytest.mark.engine


def test_a_restart_leaves_the_same_container_ready(installed: Checkout, docker_client: Any) -> None:
    before = ids(docker_client)["backend"]
    started = before.attrs["State"]["StartedAt"]
    assert installed.invoke("restart", "backend", *DOCKER).code == 0
    after = ids(docker_client)["backend"]
    assert after.id == before.id
    assert after.attrs["State"]["StartedAt"] != started
    unknown = installed.invoke("restart", "bakend", *DOCKER)
    assert unknown.code == 2
    assert "one of: backend, frontend, postgres" in unknown.stderr


def test_a_shell_is_in_the_container_or_beside_it(installed: Checkout, docker_client: Any) -> None:
    inside = installed.invoke("shell", "backend", "--command", "id -u; ls /app", *DOCKER)
    assert inside.stdout.split() == ["10001", "todo_backend"]
    image = ids(docker_client)["postgres"].attrs["Config"]["Image"]
    beside = installed.invoke("shell", "backend", "--image", image, "--command", "ls /proc/1/root/app; postgres --version", *DOCKER)
    assert beside.stdout.startswith("todo_backend\npostgres (PostgreSQL)")
    assert installed.invoke("shell", "backend", "--command", "exit 3", *DOCKER).code == 1


def test_a_restore_brings_back_exactly_what_was_backed_up(installed: Checkout, tmp_path: Path) -> None:
    kept, later = post("/api/todos", {"title": "kept"}), None
    file = tmp_path / "b.sql.gz"
    assert installed.invoke("backup", str(file), *DOCKER).code == 0
    later = post("/api/todos", {"title": "later"})
    unanswered = installed.invoke("restore", str(file), *DOCKER)
    assert (unanswered.code, "answer with --yes" in unanswered.stderr) == (2, True)
    restored = installed.invoke("restore", str(file), "--yes", *DOCKER)
    assert restored.code == 0, restored.stderr
    there = {todo["id"] for todo in get("/api/todos?limit=200")["items"]}
    assert kept["id"] in there
    assert later["id"] not in there
    said = installed.invoke("psql", "--command", f"delete from todos where id = '{kept['id']}'", *DOCKER)
    assert said.stdout.strip() == "DELETE 1"


def test_a_setting_that_somebody_made_in_the_database_is_named_with_what_ends_it(installed: Checkout) -> None:
    assert installed.invoke("psql", "--command", "ALTER ROLE todo SET statement_timeout = '1min'", *DOCKER).code == 0
    told = installed.invoke("diagnose", *DOCKER)
    assert installed.invoke("psql", "--command", "ALTER ROLE todo RESET statement_timeout", *DOCKER).code == 0
    assert told.code == 1
    assert "the role todo has a setting that was made by hand: statement_timeout=1min" in told.stdout
    assert "-> invoke psql --command 'ALTER ROLE todo RESET statement_timeout'" in told.stdout
    assert "database-setting" not in installed.invoke("diagnose", *DOCKER).stdout


def test_logs_of_all_services_are_one_and_those_of_the_run_before_are_told_apart(installed: Checkout) -> None:
    get("/api/todos")
    lines = installed.invoke("logs", "--since", "10m", *DOCKER).stdout.splitlines()
    assert {"backend", "frontend"} <= {line.split()[1] for line in lines}
    assert [line[:8] for line in lines] == sorted(line[:8] for line in lines)
    assert not any("handler=/ready" in line for line in lines)
    assert installed.invoke("restart", "frontend", *DOCKER).code == 0
    before = installed.invoke("logs", "frontend", "--previous", "--json", *DOCKER).events()
    now = installed.invoke("logs", "frontend", "--previous", "--grep", "^no such line$", *DOCKER)
    assert "log" in {event["event"] for event in before}
    assert (now.code, now.stdout) == (0, "")
    assert installed.invoke("logs", "frontend", "--since", "soon", *DOCKER).code == 2
