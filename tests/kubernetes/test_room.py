"""Whether nodes have room for a pod that waits, and for the one more that an update starts."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.kubernetes.diagnosis.diagnose import diagnose
from tests.cluster.recordings import read_recording
from tests.kubernetes.changes import Change, crowded_node, found

pytestmark = pytest.mark.unit

Object = dict[str, Any]


def test_unschedulable_shows_the_request_against_what_the_nodes_have() -> None:
    (diagnosis,) = diagnose(read_recording("cpu"))
    snapshot = read_recording("cpu")
    offers = snapshot.nodes[0]["status"]["allocatable"]["cpu"]
    assert f"offers {offers}" in diagnosis.cause
    assert "of it taken" in diagnosis.cause
    assert diagnosis.action.startswith("lower the CPU request")


def test_who_takes_the_room_is_told_and_who_goes_before() -> None:
    def crowded(value: Object) -> None:
        node = value["nodes"][0]["metadata"]["name"]

        def placed(name: str, cpu: str, namespace: str = "default", **spec: Any) -> Object:
            containers = [{"name": "a", "resources": {"requests": {"cpu": cpu}}}]
            spec = {"nodeName": node, "containers": containers, **spec}
            return {"metadata": {"name": name, "namespace": namespace}, "spec": spec, "status": {"phase": "Running"}}

        ours = placed("ours", "9999", value["namespace"])
        value["placed_pods"] = [placed("small", "1m"), placed("trainer", "9000", priority=1000), placed("batch", "9500"), ours]
        value["placed_pods"][2]["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "batch-65f64c766c"}]
        del value["placed_pods"][2]["spec"]["nodeName"]
        value["placed_pods"][2]["status"] = {"phase": "Pending", "nominatedNodeName": node}

    (diagnosis,) = found(crowded, "cpu")
    told = [line for line in diagnosis.evidence if "asks for" in line]
    assert told == [
        "pod batch in default asks for 9500",
        "pod trainer in default asks for 9000, and goes before ours by its priority",
    ]


@pytest.mark.parametrize(
    ("owner", "way"),
    [
        ({"kind": "ReplicaSet", "name": "batch-65f64c766c"}, "scale deployment batch --replicas=0"),
        ({"kind": "StatefulSet", "name": "db"}, "scale statefulset db --replicas=0"),
        ({"kind": "Job", "name": "night"}, "delete job night"),
        ({}, "delete pod eater"),
    ],
)
def test_how_others_make_room_is_told_by_what_made_their_pod(owner: dict[str, str], way: str) -> None:
    def crowded(value: Object) -> None:
        crowded_node(memory="1Mi")(value)
        other = value["placed_pods"][0]
        other["metadata"] = {"name": "eater", "namespace": "ml", "ownerReferences": [owner] if owner else []}

    (diagnosis,) = found(crowded)
    assert f"kubectl --namespace ml {way}" in diagnosis.action


@pytest.mark.parametrize(
    "change",
    [crowded_node("995m", "1Mi"), crowded_node(surge=0), crowded_node(surge="0%")],
    ids=["it fits to the last", "the old pod ends first", "the old pod ends first, in percent"],
)
def test_an_update_that_has_room_is_well(change: Change) -> None:
    assert found(change) == []


def test_of_a_closed_node_the_room_is_not_told() -> None:
    assert [each.code for each in found(crowded_node(closed=True))] == ["nodes-cordoned"]
