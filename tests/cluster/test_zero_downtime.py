"""Nothing that a user asks fails while the app rolls: to a new backend, a new frontend, and to shared values that change."""

from __future__ import annotations

import time
import uuid

import pytest

from scripts.kubernetes import running
from tests.checkout import RELEASE
from tests.cluster.app import App, Load

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

LEAST_REQUESTS = 1200
PER_SECOND = 20
BACKEND = f"http://{RELEASE}-backend:8000/api/todos"
THROUGH_THE_FRONTEND = f"http://{RELEASE}-frontend:3000/api/todos"


def test_no_request_fails_while_backend_and_frontend_roll(app: App) -> None:
    backend, frontend = app.derived_image("backend"), app.derived_image("frontend")
    changes = {"services__backend__image__tag": backend, "services__frontend__image__tag": frontend}
    with Load(app, [BACKEND, THROUGH_THE_FRONTEND], PER_SECOND) as load:
        for name, value in changes.items():
            before, started = load.tally(), time.monotonic()
            app.upgrade(**{name: value})
            after = load.tally()
            print(f"{name}: {after.total - before.total} requests in {time.monotonic() - started:.0f} s, failed: {dict(after.failed)}")
            assert after.total - before.total > PER_SECOND, "the load stood still while it rolled"
            assert not after.failed
        while load.tally().total < LEAST_REQUESTS:
            time.sleep(1)
        assert not load.tally().failed
    images = {c["image"] for pod in app.cluster.get("pods") for c in pod["spec"]["containers"]}
    assert any(image.endswith(backend) for image in images)
    assert any(image.endswith(frontend) for image in images)


@pytest.mark.long
def test_no_request_fails_while_the_token_and_the_databases_password_change(app: App) -> None:
    """The frontend sends the one, the backend logs in with the other, Postgres starts again to take it."""
    env = app.checkout.path / ".env"
    lines = env.read_text().splitlines()
    changed = [
        f"{key}={uuid.uuid4().hex}" if (key := line.partition("=")[0]) in ("API_TOKEN", "POSTGRES_PASSWORD") else line for line in lines
    ]
    env.write_text("\n".join([*changed, ""]))
    with Load(app, [THROUGH_THE_FRONTEND], PER_SECOND) as load:
        before = load.tally()
        run = app.checkout.invoke("up", "--engine", "kube_context", "--json")
        assert run.code == 0, run.stderr
        after = load.tally()
    print(f"{after.total - before.total} requests in {run.seconds:.0f} s, the slowest {after.slowest} s, failed: {dict(after.failed)}")
    assert after.total - before.total > PER_SECOND
    assert not after.failed
    told = [str(event["text"]) for event in run.events() if event["event"] == "message" and ": the " in str(event["text"])]
    assert [line.removeprefix("rollout: ") for line in told if "API_TOKEN" in line] == [
        "API_TOKEN: the old value is sent, and both are taken",
        "API_TOKEN: the new value is sent, and both are taken",
        "API_TOKEN: the new value alone is taken",
    ]
    keys = {key for service in app.values()["services"].values() for key in service["secret"]["keys"]}
    assert not [key for key in keys if key.endswith("_ALSO")]
    names = {service["secret"]["name"] for service in [*app.values()["services"].values(), app.values()["postgres"]]}
    assert not [line for line in running.holders(app.cluster, "app.kubernetes.io/none=none", names) if line.startswith("pod")]


def test_the_load_counts_what_fails(app: App) -> None:
    """The control of the test above: a path that is not there is counted as failed."""
    with Load(app, [f"{BACKEND}/no-such-todo"], PER_SECOND) as load:
        tally = load.tally()
    assert sum(tally.failed.values()) == tally.total
