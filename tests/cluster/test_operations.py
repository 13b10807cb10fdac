"""By hand, on the real app in a cluster."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.checkout import RELEASE, Run
from tests.cluster.app import App

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]


def invoke(app: App, *argv: str) -> Run:
    run = app.checkout.invoke(*argv, "--engine", "kube_context")
    assert run.code == 0, run.stdout + run.stderr
    return run


def autoscaler(app: App) -> Any:
    (found,) = app.cluster.get("hpa", f"{RELEASE}-backend") or [None]
    return found


def test_what_is_scaled_stays_so_until_it_is_auto_again(app: App) -> None:
    before = autoscaler(app)["spec"]
    invoke(app, "scale", "backend", "3")
    assert (autoscaler(app)["spec"]["minReplicas"], autoscaler(app)["spec"]["maxReplicas"]) == (3, 3)
    again = invoke(app, "up")
    assert "backend is kept at 3 pods by hand" in again.stderr
    assert "nothing changed" in again.stderr
    assert app.cluster.get("deployment", f"{RELEASE}-backend")[0]["spec"]["replicas"] == 3
    invoke(app, "scale", "backend", "auto")
    assert autoscaler(app)["spec"] == before
    assert "by hand" not in invoke(app, "up").stderr


def test_nothing_of_a_service_is_kept_as_well(app: App) -> None:
    invoke(app, "scale", "frontend", "0")
    assert not app.cluster.get("hpa", f"{RELEASE}-frontend")
    assert app.cluster.get("deployment", f"{RELEASE}-frontend")[0]["spec"]["replicas"] == 0
    invoke(app, "scale", "frontend", "auto")
    assert app.cluster.get("hpa", f"{RELEASE}-frontend")


def test_a_restart_is_no_drift_and_its_new_pods_are_followed(app: App) -> None:
    heard: list[str] = []
    following = app.checkout.start("logs", "backend", "--follow", "--lines", "1", "--json", "--engine", "kube_context")
    assert following.stdout
    reader = threading.Thread(target=lambda: heard.extend(following.stdout or ()), daemon=True)
    reader.start()
    before = {pod["metadata"]["name"] for pod in pods(app)}
    invoke(app, "restart", "backend")
    time.sleep(4)
    following.terminate()
    assert following.wait(30) == 0
    reader.join(10)
    after = {pod["metadata"]["name"] for pod in pods(app)}
    assert not before & after
    assert any(name in line for name in after for line in heard)
    assert "nothing changed" in invoke(app, "up").stderr


def pods(app: App) -> list[Any]:
    return app.cluster.get("pods", selector=f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component=backend")


def test_a_shell_is_in_a_pod_or_beside_it(app: App) -> None:
    assert invoke(app, "shell", "backend", "--command", "id -u; ls /app").stdout.split() == ["10001", "todo_backend"]
    image = app.values()["postgres"]["image"]
    beside = ("--image", f"{image['repository']}:{image['tag']}", "--command", "ls /proc/1/root/app")
    assert invoke(app, "shell", "backend", *beside).stdout.strip() == "todo_backend"


def test_a_restore_brings_back_what_was_backed_up(app: App, tmp_path: Path) -> None:
    file = tmp_path / "b.sql.gz"
    invoke(app, "psql", "--command", "create table kept (a int); insert into kept values (7)")
    invoke(app, "backup", str(file))
    invoke(app, "psql", "--command", "drop table kept; create table later (a int)")
    invoke(app, "restore", str(file), "--yes")
    assert "7" in invoke(app, "psql", "--command", "table kept").stdout
    assert app.checkout.invoke("psql", "--command", "table later", "--engine", "kube_context").code == 1
    invoke(app, "psql", "--command", "drop table kept")


def test_status_tells_autoscalers_quota_and_what_differs(app: App) -> None:
    events = {event["event"]: event for event in invoke(app, "status", "--json").events()}
    assert {row["autoscaler"] for row in events["autoscalers"]["rows"]} == {"backend", "frontend"}
    assert {"pods", "limits.cpu", "limits.memory"} <= {row["resource"] for row in events["quota"]["rows"]}
    assert events["differences"]["rows"] == []
