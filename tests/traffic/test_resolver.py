"""Whether pods ask the address that the cluster's DNS has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scripts.core.errors import TaskError
from scripts.core.shell import Result
from scripts.kubernetes.pods import PodState
from scripts.traffic import resolver

pytestmark = pytest.mark.unit

SETTINGS = "search todo.svc.cluster.local\nnameserver 10.215.0.10\noptions ndots:5\n"


def engine(settings: str = SETTINGS, *, dns: str = "10.215.0.10", seen: bool = True, running: bool = True) -> Any:
    def services(kind: str) -> list[dict[str, Any]]:
        assert kind == "services"
        if not seen:
            raise TaskError("services is forbidden", "")
        other = {"metadata": {"name": "metrics-server"}, "spec": {"clusterIPs": ["10.215.0.77"]}}
        return [other, *([{"metadata": {"name": "kube-dns"}, "spec": {"clusterIPs": [dns]}}] if dns else [])]

    system = SimpleNamespace(get=services)
    cluster = SimpleNamespace(within=lambda namespace, _: system if namespace == "kube-system" else None)
    pods = [PodState("frontend", "frontend-1", "Running" if running else "Pending", False, 0, "frontend:1")]
    return SimpleNamespace(deployment=SimpleNamespace(cluster=cluster), pods=lambda: pods, execute=lambda *_: Result(0, settings, "", 0.1))


@pytest.mark.parametrize(
    ("dns", "told"), [("10.215.7.7", "and the Service kube-dns has 10.215.7.7"), ("", "and there is no Service kube-dns")]
)
def test_pods_that_ask_an_address_which_no_service_has_are_told(dns: str, told: str) -> None:
    (cause,) = resolver.strange(engine(dns=dns))
    assert cause.code == "dns-strange"
    assert cause.cause.startswith(f"kube-dns: pods ask 10.215.0.10 for names, {told}")
    assert "again with spec.clusterIP 10.215.0.10" in cause.action


@pytest.mark.parametrize(
    "seen",
    [
        engine(),
        engine("", dns="10.215.7.7"),
        engine("nameserver 169.254.20.10\n", dns="10.215.7.7"),
        engine(dns="10.215.7.7", seen=False),
        engine(dns="10.215.7.7", running=False),
        SimpleNamespace(deployment=None),
    ],
    ids=["the Service's", "no file", "a cache on the node", "Services may not be seen", "no pod runs", "the docker engine"],
)
def test_where_pods_ask_right_or_nobody_knows_nothing_is_told(seen: Any) -> None:
    assert resolver.strange(seen) == []
