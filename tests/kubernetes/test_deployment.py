"""What both kinds of cluster share, as far as no cluster is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from scripts.core.shell import Result
from scripts.kubernetes import service_forward, service_proxy
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import Deployment, explained, scaled_by_others
from scripts.kubernetes.diagnosis.cause import Diagnosis

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Nodes(Cluster):
    """A cluster that knows nothing but its nodes."""

    nodes: str = ""

    def kubectl(self, *argv: str, **_: Any) -> Result:
        assert argv == ("get", "nodes", "--output", "name")
        return Result(0, self.nodes, "", 0.0)


@pytest.mark.parametrize(
    ("nodes", "way"),
    [("node/one\n", service_proxy), ("node/one\nnode/two\n", service_forward), ("", service_proxy)],
    ids=["one node", "several nodes", "nodes that may not be listed"],
)
def test_services_are_asked_where_no_network_policy_is_in_the_way(nodes: str, way: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (service_proxy, service_forward):
        monkeypatch.setattr(each, "open_client", lambda _, each=each: each)
    cluster = Nodes("any", "todo", "todo", nodes=nodes)
    assert Deployment(cluster, "todo").open_client() is way


def test_of_a_drifted_workload_it_is_not_said_that_nothing_says_why_it_is_not_rolled_out() -> None:
    def of(code: str, workload: str) -> Diagnosis:
        return Diagnosis(code, workload, "", (), "")

    found = [of("not-rolled-out", "a"), of("stalled", "a"), of("crash-on-start", "a"), of("not-rolled-out", "b")]
    assert explained(found, [of("drifted", "a")]) == found[2:]


def test_a_number_of_pods_that_somebodys_autoscaler_sets_follows_from_that() -> None:
    replicas = Diagnosis("drifted", "a", "a: Deployment is not as the release says: spec.replicas is 1, not 2", (), "invoke up")
    image = Diagnosis("drifted", "a", "a: Deployment is not as the release says: spec.template is another", (), "invoke up")
    strange = Diagnosis("autoscaler-strange", "a", "a: somebody else's", (), "delete it")
    assert [each.follows_from for each in scaled_by_others([replicas, image], [strange])] == ["a", ""]
    assert [each.follows_from for each in scaled_by_others([replicas], [])] == [""]
