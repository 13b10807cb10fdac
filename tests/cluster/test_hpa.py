"""The autoscaler adds backends under load, and takes them away after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from scripts.kubernetes.objects import condition_of
from tests.checkout import RELEASE
from tests.cluster.app import App, Load

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1200)]

BACKEND = f"http://{RELEASE}-backend:8000/api/todos"
PER_SECOND = 150
UP_SECONDS = 240
DOWN_SECONDS = 420


def test_the_backend_scales_up_under_load_and_down_after_it(app: App) -> None:
    if not app.cluster.within("kube-system", "").get("deployments", "metrics-server"):
        pytest.skip("this cluster has no metrics-server")
    prefix = "services__backend__autoscaling__scaleDown"
    app.upgrade(**{f"{prefix}__stabilizationSeconds": "15", f"{prefix}__periodSeconds": "15"})
    least = autoscaler(app)["spec"]["minReplicas"]
    eventually(lambda: condition(app, "ScalingActive") == "True", UP_SECONDS, "the autoscaler gets no metrics")
    started = time.monotonic()
    with Load(app, [BACKEND], PER_SECOND):
        eventually(lambda: replicas(app) > least, UP_SECONDS, "it does not scale up")
        print(f"{replicas(app)} backends after {time.monotonic() - started:.0f} s of load")
    ended = time.monotonic()
    eventually(lambda: replicas(app) == least, DOWN_SECONDS, "it does not scale down")
    print(f"{least} backends again {time.monotonic() - ended:.0f} s after it")


def autoscaler(app: App) -> dict[str, Any]:
    (found,) = app.cluster.get("hpa", f"{RELEASE}-backend")
    return found


def replicas(app: App) -> int:
    """How many pods of the backend are available."""
    (deployment,) = app.cluster.get("deployment", f"{RELEASE}-backend")
    return int(deployment["status"].get("availableReplicas", 0))


def condition(app: App, kind: str) -> str:
    return str(condition_of(autoscaler(app), kind).get("status", ""))


def eventually(holds: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} within {seconds:g} s"
        time.sleep(3)
