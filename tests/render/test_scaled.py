"""`scaled`: a number of pods over replicas and autoscaling."""

from __future__ import annotations

import pytest

from tests.render.chart import Object, of_kind, render

pytestmark = pytest.mark.render


def scaled(**pods: int) -> list[Object]:
    return render({"scaled": pods})


def of(objects: list[Object], kind: str, service: str) -> Object | None:
    return next((each for each in of_kind(objects, kind) if each["metadata"]["name"].endswith(f"-{service}")), None)


def test_an_autoscaler_keeps_the_number() -> None:
    objects = scaled(backend=3)
    spec = of(objects, "HorizontalPodAutoscaler", "backend")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 3)
    assert "replicas" not in of(objects, "Deployment", "backend")["spec"]
    other = of(objects, "HorizontalPodAutoscaler", "frontend")["spec"]
    assert other["minReplicas"] < other["maxReplicas"]


def test_no_pods_need_no_autoscaler() -> None:
    objects = scaled(backend=0)
    assert of(objects, "HorizontalPodAutoscaler", "backend") is None
    assert of(objects, "Deployment", "backend")["spec"]["replicas"] == 0


def test_a_fixed_number_is_replaced() -> None:
    values = {"services": {"backend": {"replicas": 1, "autoscaling": {"enabled": False}}}, "scaled": {"backend": 5, "gone": 2}}
    assert of(render(values), "Deployment", "backend")["spec"]["replicas"] == 5


def test_the_quota_has_room_for_it() -> None:
    def pods(objects: list[Object]) -> int:
        return int(of_kind(objects, "ResourceQuota")[0]["spec"]["hard"]["pods"])

    assert pods(scaled(backend=9)) - pods(scaled(backend=4)) == 10
