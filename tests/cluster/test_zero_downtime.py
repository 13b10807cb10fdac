"""Nothing that a user asks fails while the app rolls: to a new backend, a new frontend, and a changed Secret."""

from __future__ import annotations

import time

import pytest

from tests.checkout import RELEASE
from tests.cluster.app import App, Load

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

LEAST_REQUESTS = 2000
PER_SECOND = 20
BACKEND = f"http://{RELEASE}-backend:8000/api/todos"
THROUGH_THE_FRONTEND = f"http://{RELEASE}-frontend:3000/api/todos"


def test_no_request_fails_while_backend_frontend_and_a_secret_roll(app: App) -> None:
    backend, frontend, secret = app.derived_image("backend"), app.derived_image("frontend"), app.copied_secret("backend")
    changes = {
        "services__backend__image__tag": backend,
        "services__frontend__image__tag": frontend,
        "services__backend__secret__name": secret,
    }
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


def test_the_load_counts_what_fails(app: App) -> None:
    """The control of the test above: a path that is not there is counted as failed."""
    with Load(app, [f"{BACKEND}/no-such-todo"], PER_SECOND) as load:
        tally = load.tally()
    assert sum(tally.failed.values()) == tally.total
