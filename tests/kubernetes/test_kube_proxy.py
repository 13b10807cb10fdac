"""Whether kube-proxy of each node answers its health check."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from scripts.core.errors import MissingError
from scripts.core.shell import CommandError, Result
from scripts.kubernetes import kube_proxy
from scripts.kubernetes.cluster import Cluster

pytestmark = pytest.mark.unit

REFUSED = "Error from server (ServiceUnavailable): error trying to reach service: dial tcp 10.0.0.1:10256: connect: connection refused"
BEHIND = "Error from server (ServiceUnavailable): the server is currently unable to handle the request"


def answer(stderr: str, code: int = 1) -> Result:
    return Result(code, "", stderr, 0.1)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (answer("", 0), ""),
        (answer(REFUSED), ""),
        (answer("Error from server (Forbidden): nodes is forbidden"), ""),
        (answer(BEHIND), "its health check says that it is behind"),
        (CommandError("`kubectl` did not end", [], answer(""), code="command-timed-out"), "its health check does not answer within"),
        (MissingError("kubectl is not installed", "", code="tool-missing"), ""),
    ],
    ids=["healthy", "another program's work", "not seen", "behind", "still", "nobody to ask"],
)
def test_a_kube_proxy_that_stands_still_is_told(said: Result | Exception, told: str) -> None:
    def kubectl(*argv: str, **_: object) -> Result:
        assert argv == ("get", "--raw", "/api/v1/nodes/one:10256/proxy/healthz")
        if isinstance(said, Exception):
            raise said
        return said

    cluster = cast("Cluster", SimpleNamespace(get=lambda _: [{"metadata": {"name": "one"}}], kubectl=kubectl))
    found = kube_proxy.silent(cluster)
    assert [(each.code, each.workload) for each in found] == ([("network-down", "one")] if told else [])
    assert all(told in each.cause for each in found)


@pytest.mark.parametrize(("at_most", "asked"), [(None, 2), (2, 2), (1, 0)])
def test_a_cluster_of_many_nodes_is_asked_only_for_a_reason(at_most: int | None, asked: int) -> None:
    calls: list[str] = []

    def kubectl(*argv: str, **_: object) -> Result:
        calls.append(argv[-1])
        return answer("", 0)

    nodes = [{"metadata": {"name": name}} for name in ("one", "two")]
    assert kube_proxy.silent(cast("Cluster", SimpleNamespace(get=lambda _: nodes, kubectl=kubectl)), at_most=at_most) == []
    assert len(calls) == asked
