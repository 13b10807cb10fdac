"""An app that is nothing like ours runs in a real cluster: described in invoke.yaml, and not changed for it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from scripts.machine.docker_client import docker_client
from tests.apps.test_notes import notes_in, page, stand_in, up
from tests.checkout import Checkout
from tests.cluster.app import aim_at
from tests.cluster.context import ClusterContext

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]

RELEASE = "notes-test"


@pytest.fixture(scope="module")
def notes(cluster_context: ClusterContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    if not shutil.which("docker"):
        pytest.skip("no Docker engine to build the images with")
    stand_in(docker_client())
    checkout = notes_in(tmp_path_factory.mktemp("apps"))
    aim_at(checkout, cluster_context)
    for place in ("namespace", "release"):
        checkout.set(place, RELEASE)
    with up(checkout, "kube_context"):
        yield checkout


def test_it_comes_up_with_its_own_smoke_test_and_the_second_time_there_is_nothing_to_do(notes: Checkout) -> None:
    run = notes.invoke("up", "--engine", "kube_context", "--json")
    assert run.code == 0, run.stdout
    assert set(run.results().values()) <= {"passed", "unchanged", "skipped"}, run.results()  # skipped: the monitoring, which is off


def test_a_browser_reaches_every_public_service_at_the_address_that_the_page_has(notes: Checkout) -> None:
    process = notes.start("open", "--engine", "kube_context", "--no-browser")
    assert process.stdout
    try:
        urls = [process.stdout.readline().strip() for _ in range(2)]
        assert urls == ["http://localhost:18100", "http://localhost:18101"]
        assert 'fetch("http://localhost:18100/notes")' in page(urls[1])
        assert json.loads(page(f"{urls[0]}/notes")), "the smoke test's note"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_what_values_prints_is_all_that_helm_needs(notes: Checkout, cluster_context: ClusterContext) -> None:
    printed = notes.invoke("values", "--engine", "kube_context")
    assert printed.code == 0, printed.stderr
    cluster = cluster_context.within(RELEASE, RELEASE)
    rendered = cluster.helm("template", RELEASE, str(notes.path / "helm/todo-chatbot"), "--values", "-", "--no-hooks", input=printed.stdout)
    installed = cluster.helm("get", "manifest", RELEASE)
    assert objects(rendered) == objects(installed)


def objects(manifest: subprocess.CompletedProcess[str] | object) -> dict[str, object]:
    found = [each for each in yaml.safe_load_all(manifest.stdout) if each]  # type: ignore[attr-defined]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}
