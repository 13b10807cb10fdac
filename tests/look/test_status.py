"""`invoke status`: what is seen of a release, in words, at any width."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.core.decision import Change
from scripts.core.report import Report
from scripts.kubernetes.pods import PodState, pod_state
from scripts.kubernetes.usage import Amounts, QuotaUse, amounts, read_autoscaler
from scripts.look.overview import Overview
from scripts.look.status import age_of, show
from tests.core.test_screen import Terminal

pytestmark = pytest.mark.unit

POD = "todo-chatbot-backend-5f7c9d8b6-k8s2q"
IMAGE = "todo-backend:h0123456789ab"


def ago(**since: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**since):%Y-%m-%dT%H:%M:%SZ}"


def overview() -> Overview:
    pod = PodState("backend", POD, "Running", True, 3, IMAGE, ago(hours=5), Amounts(1, 256 * 2**20))
    return Overview([pod], {POD: Amounts(0.5, 64 * 2**20)}, quota=[QuotaUse("limits.memory", "9Gi", "10Gi"), QuotaUse("pods", "5", "19")])


def told(found: Overview, monkeypatch: pytest.MonkeyPatch, columns: int) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    show(found, Report(stdout=out, stderr=io.StringIO()))
    return re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())


def test_everything_is_shown_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    head, row, *rest = told(overview(), monkeypatch, 200).splitlines()
    assert head.split() == ["service", "pod", "state", "ready", "restarts", "age", "cpu", "memory", "image"]
    assert row.split() == ["backend", POD, "Running", "yes", "3", "5h", "0.50/1", "64/256", "MiB", IMAGE]
    assert "quota: limits.memory 9Gi of 10Gi, pods 5 of 19" in rest
    assert "it matches the sources" in rest


def test_columns_without_a_figure_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    found, without = overview(), "(cpu and memory: no figures; docker stats or the metrics API has none of these pods)"
    assert without not in told(found, monkeypatch, 100)
    found.usage = {POD: Amounts()}
    assert without in told(found, monkeypatch, 100)
    found.unknown = {"usage": "the daemon does not answer"}
    assert without not in told(found, monkeypatch, 100)


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120])
def test_columns_give_way_whole_the_least_important_first(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    head, row, *more = told(overview(), monkeypatch, columns).splitlines()
    note = " ".join(more[: more.index("")])
    assert max(len(head), len(row)) <= columns
    shown, left_out = head.split(), note.strip("()").partition(": ")[2].split(", ")
    assert sorted([*shown, *left_out]) == sorted(["service", "pod", "state", "ready", "restarts", "age", "cpu", "memory", "image"])
    order = ["service", "state", "ready", "restarts", "age", "memory", "cpu", "pod", "image"]
    assert set(shown) == set(order[: len(shown)])
    assert ("pod" in shown) == (POD in row)


def test_a_pod_that_is_not_ready_leads_to_diagnose(monkeypatch: pytest.MonkeyPatch) -> None:
    found, lead = overview(), "not every pod is ready: invoke diagnose says why"
    assert lead not in told(found, monkeypatch, 100)
    found.pods = [replace(found.pods[0], ready=False)]
    assert told(found, monkeypatch, 100).splitlines()[-1] == lead


def test_what_up_would_change_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = overview()
    found.differences = [Change("backend: build it", "its sources differ from what runs")]
    found.notes = ["backend is kept at 3 pods by hand"]
    said = told(found, monkeypatch, 100)
    assert "invoke up would change:\n  backend: build it (its sources differ from what runs)" in said
    assert "backend is kept at 3 pods by hand" in said
    assert "it matches the sources" not in said


def autoscaler(**status: Any) -> dict[str, Any]:
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    labels = {"app.kubernetes.io/component": "backend"}
    spec = {"minReplicas": 2, "maxReplicas": 4, "metrics": [cpu]}
    return {"metadata": {"name": "x", "labels": labels}, "spec": spec, "status": status}


def test_an_autoscaler_says_why_it_does_not_do_more() -> None:
    limited = {"type": "ScalingLimited", "status": "True", "message": "the desired replica count is more than the maximum replica count"}
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 120}}}]
    found = read_autoscaler(autoscaler(currentReplicas=4, desiredReplicas=4, currentMetrics=current, conditions=[limited]))
    assert (found.service, found.now, found.wanted, found.metrics) == ("backend", 4, 4, "cpu 120 of 80 %")
    assert "more than the maximum" in found.why
    blind = {"type": "ScalingActive", "status": "False", "message": "no metrics returned"}
    found = read_autoscaler(autoscaler(conditions=[blind, limited]))
    assert (found.metrics, found.why) == ("cpu ? of 80 %", "no metrics returned")


def test_a_pods_limits_are_the_sum_of_its_containers() -> None:
    containers = [
        {"image": "a", "name": "a", "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}}},
        {"image": "b", "name": "b", "resources": {"limits": {"cpu": 1}}},
    ]
    assert amounts(containers, "limits") == Amounts(1.5, 64 * 2**20)
    pod = pod_state({"metadata": {"name": "p"}, "spec": {"containers": containers}, "status": {"startTime": ago(minutes=3)}})
    assert (pod.limits.cpu, age_of(pod.started)) == (1.5, "3m")


@pytest.mark.parametrize(
    ("since", "age"), [({"seconds": 5}, "5s"), ({"minutes": 119}, "119m"), ({"hours": 47}, "47h"), ({"days": 9}, "9d")]
)
def test_an_age_is_one_number(since: dict[str, float], age: str) -> None:
    assert age_of(ago(**since)) == age


def test_what_has_not_started_has_no_age() -> None:
    assert age_of("") == ""
