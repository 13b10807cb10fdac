"""From the release before this one: what it installed and noted is upgraded while it serves, and keeps what people wrote."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.kubernetes import service_forward
from tests.checkout import RELEASE, ROOT, Checkout
from tests.cluster.app import App, Load, aim_at
from tests.cluster.context import ClusterContext

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1800)]

PER_SECOND = 20
RELEASES = Path(__file__).with_name("releases")
THROUGH_THE_FRONTEND = f"http://{RELEASE}-frontend:3000/api/todos"
TITLE = "was here before the upgrade"


@pytest.fixture
def before(cluster_context: ClusterContext, tmp_path: Path) -> Iterator[App]:
    """The app as the last release's chart installs it, in a checkout of its own, with a todo in it."""
    if not shutil.which("docker"):
        pytest.skip("no Docker engine to build the images with")
    checkout = Checkout.make(tmp_path / "todo")
    aim_at(checkout, cluster_context)
    shutil.rmtree(checkout.path / "helm")
    (kept,) = RELEASES.glob("todo-chatbot-*.tgz")
    with tarfile.open(kept) as archive:
        archive.extractall(checkout.path / "helm", filter="data")
    run = checkout.invoke("up", "--engine", "kube_context", timeout=1500)
    assert run.code == 0, run.stdout + run.stderr
    yield App(checkout, cluster_context, cluster_context.within(RELEASE, RELEASE))
    checkout.invoke("down", "--data", "--yes", "--engine", "kube_context")


def test_an_upgrade_from_the_last_release_keeps_the_data_and_serves_on(before: App) -> None:
    with service_forward.open_client(before.cluster) as ask:
        assert ask("frontend", "POST", "/api/todos", json.dumps({"title": TITLE})).status == 201
    shutil.rmtree(before.checkout.path / "helm")
    shutil.copytree(ROOT / "helm", before.checkout.path / "helm")
    with Load(before, [THROUGH_THE_FRONTEND], PER_SECOND) as load:
        first = load.tally()
        run = before.checkout.invoke("up", "--engine", "kube_context", "--json")
        assert run.code == 0, run.stderr
        last = load.tally()
    print(f"{last.total - first.total} requests in {run.seconds:.0f} s, the slowest {last.slowest} s, failed: {dict(last.failed)}")
    assert run.results()["chart"] == "changed"
    assert last.total - first.total > PER_SECOND
    assert not last.failed
    with service_forward.open_client(before.cluster) as ask:
        assert TITLE in [todo["title"] for todo in json.loads(ask("frontend", "GET", "/api/todos").body)["items"]]
    again = before.checkout.invoke("up", "--engine", "kube_context", "--json")
    assert again.results()["chart"] == "unchanged"
