"""`invoke plan` says what `up` would change in a real cluster, object by object, and changes nothing."""

from __future__ import annotations

import pytest

from scripts.kubernetes import helm
from tests.checkout import Run
from tests.cluster.app import App

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

PLAN = ("plan", "--json", "--engine", "kube_context")


def changes(run: Run) -> dict[str, str]:
    rows: list[dict[str, str]] = [row for event in run.events() if event["event"] == "plan" for row in event["rows"]]  # type: ignore[attr-defined]
    return {f"{row['step']}: {row['change']}": row["why"] for row in rows}


def test_after_up_there_is_nothing_to_do(app: App) -> None:
    assert app.checkout.invoke("up", "--engine", "kube_context").code == 0
    plan = app.checkout.invoke(*PLAN)
    assert (plan.code, changes(plan)) == (0, {}), plan.stdout


def test_each_object_that_an_edit_would_change_is_named_and_none_is_changed(app: App) -> None:
    assert app.checkout.invoke("up", "--engine", "kube_context").code == 0
    before = helm.history(app.cluster)
    edit = {"LOG_LEVEL: info": "LOG_LEVEL: debug"}
    app.checkout.edit("invoke.yaml", edit)
    app.cluster.kubectl("scale", "deployment", f"{app.cluster.release}-frontend", "--replicas=0")
    try:
        plan = app.checkout.invoke(*PLAN)
    finally:
        app.checkout.edit("invoke.yaml", {new: old for old, new in edit.items()})
        again = app.checkout.invoke("up", "--engine", "kube_context")
    found = changes(plan)
    assert plan.code == 4, plan.stdout + plan.stderr
    changed = f"chart: change Deployment {app.cluster.release}"
    assert "is debug, not info" not in found[f"{changed}-backend"]
    assert "is info, not debug" in found[f"{changed}-backend"]
    assert "spec.replicas is 0" in found[f"{changed}-frontend"]
    assert not [line for line in found if not line.startswith("chart: change ")]
    assert again.code == 0, again.stderr
    assert [each.number for each in helm.history(app.cluster)] == [*(each.number for each in before), before[-1].number + 1]


def test_for_an_empty_cluster_every_object_is_added(app: App) -> None:
    app.checkout.edit("invoke.yaml", {f"namespace: {app.cluster.namespace}": "namespace: todo-chatbot-plan"})
    try:
        plan = app.checkout.invoke(*PLAN)
    finally:
        app.checkout.edit("invoke.yaml", {"namespace: todo-chatbot-plan": f"namespace: {app.cluster.namespace}"})
    found = changes(plan)
    assert plan.code == 4, plan.stdout + plan.stderr
    assert found["secrets: make the namespace todo-chatbot-plan"] == "it is not there"
    assert f"chart: add Deployment {app.cluster.release}-backend" in found
    assert not app.cluster.kubectl("get", "namespace", "todo-chatbot-plan", "--ignore-not-found").stdout
