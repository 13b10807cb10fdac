"""Where each node has a DNS cache, our policies let its address through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.desired.helm_release import HelmRelease
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.node_dns import named

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Having(Cluster):
    """A cluster with or without the cache."""

    cache: bool = True

    def get(self, kind: str, name: str = "", **_: Any) -> list[dict[str, Any]]:
        assert self.namespace == "kube-system"
        if kind == "daemonset":
            assert name == "node-local-dns"
            return [{"metadata": {"name": name}}] if self.cache else []
        assert (kind, name) == ("service", "kube-dns")
        return [{"spec": {"clusterIPs": ["fd00::a", "10.96.0.10"]}}]


def addresses(values: dict[str, Any], *, cache: bool = True) -> Any:
    release = named(Having("any", "todo", "todo", cache=cache), HelmRelease("todo", "todo", Path(), values))
    return release.values.get("networkPolicy", {}).get("dns", {}).get("addresses")


def test_the_address_that_the_cache_answers_for_is_opened() -> None:
    assert addresses({"services": {}}) == ["169.254.20.10/32", "10.96.0.10/32"]
    assert addresses({"networkPolicy": {"enabled": True, "dns": {"namespace": "x"}}}) == ["169.254.20.10/32", "10.96.0.10/32"]


def test_what_the_values_name_stays() -> None:
    assert addresses({"networkPolicy": {"dns": {"addresses": ["10.0.0.1/32"]}}}) == ["10.0.0.1/32"]


def test_a_cluster_without_a_cache_is_left_alone() -> None:
    assert addresses({}, cache=False) is None
