"""What differs between a release and the cluster, who set it, and what brings it back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from scripts.core.errors import TaskError
from scripts.core.shell import CommandError, Result
from scripts.kubernetes import drift
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.drift import Drift, compare
from scripts.kubernetes.managed_fields import owner
from tests.doubles import Step

pytestmark = pytest.mark.unit

Object = dict[str, Any]
AT = "2026-11-26T14:02:00Z"

CONTAINER = {"name": "app", "image": "todo:h1", "env": [{"name": "PORT", "value": "8000"}], "args": ["--one"]}
HELM_OWNS = {
    "f:spec": {
        "f:selector": {},
        "f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {
            ".": {}, "f:name": {}, "f:image": {}, "f:args": {}, "f:env": {'k:{"name":"PORT"}': {".": {}, "f:name": {}, "f:value": {}}},
        }}}},
    }
}  # fmt: skip


def wanted(**spec: Any) -> Object:
    return {
        "kind": "Deployment",
        "metadata": {"name": "todo-backend", "labels": {"app": "todo"}},
        "spec": {"selector": {"app": "todo"}, "template": {"spec": {"containers": [copy.deepcopy(CONTAINER)]}}, **spec},
    }


def live(**spec: Any) -> Object:
    thing = wanted(**spec)
    thing["metadata"] |= {
        "annotations": {drift.RELEASE: "todo"},
        "resourceVersion": "7",
        "managedFields": [{"manager": "helm", "operation": "Apply", "time": AT, "fieldsV1": HELM_OWNS}],
    }
    thing["status"] = {"readyReplicas": 0}
    return thing


def as_release(thing: Object) -> Object:
    """The object as a dry run returns it: helm's own annotations are there, as they are when it runs."""
    thing["metadata"]["annotations"] = {drift.RELEASE: "todo"}
    return thing


def set_by(thing: Object, manager: str, fields: Object, **more: str) -> Object:
    thing["metadata"]["managedFields"].append({"manager": manager, "operation": "Update", "time": AT, "fieldsV1": fields, **more})
    return thing


def drifts(now: Object | None, should: Object | None = None, *others: Object) -> list[Drift]:
    release = [as_release(should or wanted()), *others]
    return compare([each for each in (now, *others) if each], release, "todo")


def container_of(thing: Object) -> Object:
    return thing["spec"]["template"]["spec"]["containers"][0]


AUTOSCALER = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "todo-backend", "annotations": {drift.RELEASE: "todo"}},
    "spec": {"minReplicas": 2, "scaleTargetRef": {"name": "todo-backend"}},
}


def test_what_runs_as_the_release_says_has_no_drift_whatever_its_status() -> None:
    assert drifts(live()) == []


def test_a_changed_field_names_itself_both_values_and_who_set_it() -> None:
    now = live()
    container_of(now)["image"] = "todo:other"
    tree = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:image": {}}}}}}}
    (found,) = drifts(set_by(now, "kubectl-set", tree))
    told = found.differences[0]
    assert told.startswith("spec.template.spec.containers[app].image is todo:other, not todo:h1, was set by kubectl-set at ")
    assert found.line == f"Deployment todo-backend: {told}"
    assert found.patch == ()  # helm's upgrade sets it
    diagnosis = found.diagnosis()
    assert (diagnosis.code, diagnosis.workload, diagnosis.evidence) == ("drifted", "todo-backend", (told,))


def test_replicas_that_were_set_by_hand_are_told() -> None:
    now = set_by(live(replicas=0), "kubectl", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    (found,) = drifts(now, wanted(replicas=2))
    assert "spec.replicas is 0, not 2, was set by kubectl at " in found.line


@pytest.mark.parametrize(("manager", "told"), [("kube-downscaler", True), ("kubectl-edit", False), ("helm", False)])
def test_a_program_that_may_change_it_again_is_to_be_stopped_first(manager: str, told: bool) -> None:
    (found,) = drifts(set_by(live(replicas=0), manager, {"f:spec": {"f:replicas": {}}}), wanted(replicas=2))
    again = f"; {manager} may change it again: have it leave this namespace alone, first"
    assert found.diagnosis().action == f"invoke up brings it back{again if told else ''}"


def test_an_object_that_is_gone_is_told() -> None:
    assert [found.line for found in drifts(None)] == ["Deployment todo-backend: is gone"]


def test_somebody_elses_object_of_that_name_is_told_and_replaced() -> None:
    now = live()
    del now["metadata"]["annotations"]
    now["metadata"]["managedFields"] = [{"manager": "kubectl-create", "operation": "Update", "time": AT, "fieldsV1": {"f:metadata": {}}}]
    (found,) = drifts(now)
    assert found.replace
    assert "is somebody else's, made by kubectl-create at " in found.line


def test_an_object_that_cannot_end_names_what_holds_it() -> None:
    now = live()
    now["metadata"] |= {"deletionTimestamp": AT, "finalizers": ["example.com/hold"]}
    (found,) = drifts(now)
    assert found.line == "Deployment todo-backend: is being deleted, held by example.com/hold"
    assert found.diagnosis().action.startswith(
        "bring back what takes example.com/hold off, or where that is gone: kubectl patch deployment"
    )


def test_what_does_not_go_ends_up_with_what_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def times_out(*_: Any, **__: Any) -> None:
        raise CommandError("kubectl failed", ["timed out waiting for the condition"], Result(1, "", "", 0.0))

    monkeypatch.setattr(Cluster, "kubectl", times_out)
    now = live()
    now["metadata"] |= {"deletionTimestamp": AT, "finalizers": ["example.com/hold"]}
    with pytest.raises(TaskError, match=r"held by .*, and does not end") as error:
        drift.clear(Cluster("any", "todo", "todo"), drifts(now), Step())
    assert error.value.code == "drift-held"


def test_a_field_that_was_added_is_taken_away_by_a_patch() -> None:
    now = live()
    container_of(now)["env"].append({"name": "EXTRA", "value": "1"})
    item = {'k:{"name":"EXTRA"}': {".": {}, "f:name": {}, "f:value": {}}}
    tree = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:env": item}}}}}}
    (found,) = drifts(set_by(now, "kubectl-edit", tree), copy.deepcopy(strip(now)))
    assert "spec.template.spec.containers[app].env[EXTRA] was added by kubectl-edit at " in found.line
    assert found.patch == ({"op": "remove", "path": "/spec/template/spec/containers/0/env/1"},)


@pytest.mark.parametrize(("value", "told"), [("ClusterIP", False), ("NodePort", True)])
def test_what_the_api_server_would_fill_in_itself_adds_nothing(*, value: str, told: bool) -> None:
    metadata = {"name": "todo", "annotations": {drift.RELEASE: "todo"}}
    entries = [
        {"manager": "helm", "operation": "Apply", "time": AT, "fieldsV1": {"f:spec": {"f:ports": {}}}},
        {"manager": "kubectl-patch", "operation": "Update", "time": AT, "fieldsV1": {"f:spec": {"f:type": {}}}},
    ]
    now = {"kind": "Service", "metadata": {**metadata, "managedFields": entries}, "spec": {"type": value, "ports": []}}
    assert bool(compare([now], [{**now, "metadata": metadata}], "todo")) is told


def test_a_value_that_what_is_ours_cannot_stand_beside_is_taken_away_first() -> None:
    """`kubectl set env` puts a value where the release has a reference: the API server refuses both, and so any dry run of the release."""
    now = live()
    container_of(now)["env"] = [{"name": "PORT", "value": "8000"}, {"name": "TOKEN", "value": "x"}]
    item = {'k:{"name":"TOKEN"}': {"f:value": {}}}
    tree = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:env": item}}}}}}
    now = set_by(now, "kubectl-set", tree)
    (found,) = compare([now], [now], "todo")
    assert found.refused
    assert found.patch == ({"op": "remove", "path": "/spec/template/spec/containers/0/env/1/value"},)
    assert "was added by kubectl-set at " in found.line
    assert not any(each.refused for each in drifts(live(replicas=1), wanted(replicas=2)))


def strip(thing: Object) -> Object:
    """What a dry run returns where somebody has added a field: it leaves what the manifest does not speak of."""
    kept = copy.deepcopy(thing)
    kept["metadata"] = {"name": thing["metadata"]["name"], "labels": thing["metadata"]["labels"]}
    return kept


def test_two_added_items_of_a_list_are_removed_from_its_end() -> None:
    now = live()
    container_of(now)["env"] += [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    items = {f'k:{{"name":"{name}"}}': {".": {}} for name in ("A", "B")}
    tree = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:env": items}}}}}}
    (found,) = drifts(set_by(now, "kubectl-edit", tree), strip(now))
    assert [step["path"][-1] for step in found.patch] == ["2", "1"]


def test_a_whole_that_helm_sets_again_is_not_removed() -> None:
    now = live(selector={"app": "nothing"})
    owned = copy.deepcopy(HELM_OWNS)
    del owned["f:spec"]["f:selector"]  # it went over to who changed it
    now["metadata"]["managedFields"][0]["fieldsV1"] = owned
    (found,) = drifts(set_by(now, "kubectl-patch", {"f:spec": {"f:selector": {}}}))
    assert found.patch == ()
    assert "spec.selector.app is nothing, not todo, was set by kubectl-patch" in found.line


def test_a_value_that_should_not_be_there_is_told_as_that() -> None:
    (found,) = drifts(set_by(live(selector={"app": "todo", "x": "y"}), "kubectl-patch", {"f:spec": {"f:selector": {"f:x": {}}}}))
    assert any(each.startswith("spec.selector.x is y, and should not be set") for each in found.differences)


@pytest.mark.parametrize(
    ("manager", "tree"),
    [
        ("kube-controller-manager", {"f:spec": {"f:paused": {}}}),
        ("an-operator", {"f:spec": {"f:paused": {}}}),
        ("kubectl-label", {"f:metadata": {"f:labels": {"f:team": {}}}}),
    ],
)
def test_what_controllers_own_and_marks_on_the_outside_are_no_drift(manager: str, tree: Object) -> None:
    now = set_by(live(paused=True), manager, tree)
    assert drifts(now, strip(now)) == []


@pytest.mark.parametrize("first", [{}, {".": {}}], ids=["beside other annotations", "the first annotation"])
def test_a_restart_that_somebody_asked_for_is_no_drift(first: Object) -> None:
    now = live()
    now["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": AT}}
    tree = {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {**first, "f:kubectl.kubernetes.io/restartedAt": {}}}}}}
    assert drifts(set_by(now, "kubectl-rollout", tree), strip(now)) == []


@pytest.mark.parametrize(("replicas", "found"), [(0, True), (1, False), (4, False)])
def test_the_replicas_of_an_autoscaler_are_its_own_unless_it_is_off(replicas: int, found: bool) -> None:
    now = set_by(live(replicas=replicas), "kubectl", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    seen = drifts(now, wanted(replicas=replicas), AUTOSCALER)
    assert bool(seen) is found
    if found:
        assert "spec.replicas is 0, and its autoscaler is off for that, was set by kubectl" in seen[0].line
        assert seen[0].patch == ({"op": "replace", "path": "/spec/replicas", "value": 2},)


def test_a_secrets_value_is_never_told() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"KEY": "c2VjcmV0"}}
    now = {**copy.deepcopy(secret), "data": {"KEY": "b3RoZXI="}}
    now["metadata"]["annotations"] = {drift.RELEASE: "todo"}
    (found,) = drifts(now, secret)
    assert found.line == "Secret s: data.KEY has another value"
    assert "b3RoZXI" not in json.dumps(found.differences)


def test_nobody_is_named_where_managed_fields_do_not_tell() -> None:
    assert owner(live(), ("spec", "paused")) == ""
    assert owner(live(), ("spec", "selector", "app")) == ""  # helm's own
