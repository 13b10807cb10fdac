"""`invoke dev` in a real cluster: an edit in the running pod, a pod that is made again, and the way back."""

from __future__ import annotations

import time

import pytest

from scripts.kubernetes import helm, remembered
from tests.cluster.app import App
from tests.dev_run import DevRun

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]

SOURCE = "app/backend/src/todo_backend/__init__.py"


def backend_pods(app: App) -> set[str]:
    pods = app.cluster.get("pods", selector=f"app.kubernetes.io/component=backend,app.kubernetes.io/instance={app.cluster.release}")
    return {pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("deletionTimestamp")}


def served(app: App) -> str:
    """What the pods' own Service answers, through the API server."""
    place = f"/api/v1/namespaces/{app.cluster.namespace}/services/http:{app.cluster.release}-backend:8000/proxy/metrics"
    return app.cluster.kubectl("get", "--raw", place, ok=None).stdout


def comes(app: App, text: str, seconds: float = 90) -> bool:
    deadline = time.monotonic() + seconds
    while text not in served(app):
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


def test_an_edit_is_served_by_the_pod_that_runs_and_by_the_next_and_production_comes_back(app: App) -> None:
    source = app.checkout.path / SOURCE
    text = source.read_text()
    dev = DevRun(app.checkout.start("dev", "--json", "--engine", "kube_context"))
    try:
        dev.watches()
        in_dev = helm.history(app.cluster)[-1]
        before = backend_pods(app)
        assert len(before) == 1
        source.write_text(text.replace("__version__ = ", '__version__ = "of-the-edit" or '))
        dev.serves("backend")
        assert 'version="of-the-edit"' in served(app)
        assert backend_pods(app) == before
        app.cluster.kubectl("delete", "pod", *before, "--wait=false")
        assert comes(app, 'version="of-the-edit"')
        assert not backend_pods(app) & before
    finally:
        source.write_text(text)
        code = dev.end()
    assert code == 0, dev.events
    assert app.checkout.invoke("plan", "--engine", "kube_context").code == 0
    revisions = helm.history(app.cluster)
    target = helm.rollback_target(revisions, remembered.healthy(app.cluster))
    assert target is None or target.number != in_dev.number
