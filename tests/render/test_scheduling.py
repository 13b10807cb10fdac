"""Where pods run: the nodes, the spread, and what a service may say of both."""

from __future__ import annotations

import pytest

from tests.render.chart import Object, matches, of_kind, one, pods, render

pytestmark = pytest.mark.render


def test_pods_are_spread_by_wish_so_that_one_node_is_enough(minimal: list[Object]) -> None:
    for deployment in of_kind(minimal, "Deployment"):
        template = deployment["spec"]["template"]
        spread = template["spec"]["topologySpreadConstraints"]
        assert {constraint["topologyKey"] for constraint in spread} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }
        for constraint in spread:
            assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
            assert matches(constraint["labelSelector"], template["metadata"]["labels"])
        assert "affinity" not in template["spec"]


POOL = {
    "nodeSelector": {"pool": "apps"},
    "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "apps", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "priorityClassName": "apps",
    "imagePullSecrets": [{"name": "registry"}],
}
"""Settings that stand in a pod's specification under the same names."""


def test_a_service_says_where_its_pods_run_and_the_others_stay_where_they_are() -> None:
    frontend = {**POOL, "podAnnotations": {"team": "web"}, "topologySpreadConstraints": []}
    objects = render({"services": {"frontend": frontend}, "postgres": {"priority": 0}})
    for name, pod in pods(objects):
        given = {key: pod["spec"][key] for key in POOL if key in pod["spec"]}
        assert given == (POOL if name == "Deployment/todo-chatbot-frontend" else {}), name
        assert ("annotations" in pod["metadata"]) == (name in ("Deployment/todo-chatbot-frontend", "Pod/todo-chatbot-test"))
    template = one(objects, "Deployment", "todo-chatbot-frontend")["spec"]["template"]
    assert template["metadata"]["annotations"] == {"team": "web"}
    assert "topologySpreadConstraints" not in template["spec"]


def test_the_whole_release_can_be_put_into_one_pool_its_test_too() -> None:
    objects = render({"serviceDefaults": POOL, "postgres": POOL})
    assert [name for name, pod in pods(objects) if not POOL.items() <= pod["spec"].items()] == []
    assert len(list(pods(objects))) == 4


def test_a_spread_selects_the_pods_of_its_own_service() -> None:
    spread = {"topologyKey": "example.com/rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}
    for deployment in of_kind(render({"serviceDefaults": {"topologySpreadConstraints": [spread]}}), "Deployment"):
        (constraint,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert constraint == {**spread, "labelSelector": deployment["spec"]["selector"]}


def test_the_database_is_placed_first_and_takes_no_running_pods_place(minimal: list[Object]) -> None:
    (made,) = of_kind(minimal, "PriorityClass")
    assert made["metadata"]["name"] == "todo-chatbot-todo-chatbot-postgres-1000"
    assert (made["value"], made["globalDefault"], made["preemptionPolicy"]) == (1000, False, "Never")
    using = [name for name, pod in pods(minimal) if pod["spec"].get("priorityClassName") == made["metadata"]["name"]]
    assert using == ["StatefulSet/todo-chatbot-postgres"]


def test_another_priority_is_another_class_since_the_value_of_one_cannot_be_changed(minimal: list[Object]) -> None:
    (before,), (after,) = of_kind(minimal, "PriorityClass"), of_kind(render({"postgres": {"priority": 2000}}), "PriorityClass")
    assert (after["value"], after["metadata"]["name"] == before["metadata"]["name"]) == (2000, False)


@pytest.mark.parametrize("postgres", [{"priority": 0}, {"priorityClassName": "data"}, {"enabled": False}], ids=str)
def test_nothing_of_the_whole_cluster_is_made_where_no_priority_is_wanted_or_one_is_there(postgres: Object) -> None:
    objects = render({"postgres": postgres})
    assert of_kind(objects, "PriorityClass") == []
    named = {pod["spec"].get("priorityClassName") for _, pod in pods(objects)}
    assert named == {None, *([postgres["priorityClassName"]] if "priorityClassName" in postgres else [])}
