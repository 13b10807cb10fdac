"""Our policies let through what answers DNS in this cluster, whatever its labels or its address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.core.shell import CommandError, Result
from scripts.desired.helm_release import HelmRelease
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.cluster_dns import named

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Having(Cluster):
    """A cluster with or without the cache, whose DNS Service selects pods by these labels."""

    cache: bool = True
    selector: tuple[tuple[str, str], ...] = (("k8s-app", "kube-dns"),)

    def get(self, kind: str, name: str = "", **_: Any) -> list[dict[str, Any]]:
        assert self.namespace == "kube-system"
        if kind == "daemonset":
            assert name == "node-local-dns"
            return [{"metadata": {"name": name}}] if self.cache else []
        assert (kind, name) == ("service", "kube-dns")
        return [{"spec": {"clusterIPs": ["fd00::a", "10.96.0.10"], "selector": dict(self.selector)}}]


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


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        ({"k8s-app": "kube-dns"}, None),
        ({"k8s-app": "kube-dns", "tier": "system"}, None),
        ({}, None),
        ({"k8s-app": "coredns"}, {"k8s-app": "coredns"}),
        ({"app.kubernetes.io/name": "coredns"}, {"k8s-app": None, "app.kubernetes.io/name": "coredns"}),
    ],
)
def test_the_labels_that_the_dns_service_selects_are_named_where_they_are_not_the_charts(
    selector: dict[str, str], labels: dict[str, str | None] | None
) -> None:
    cluster = Having("any", "todo", "todo", cache=False, selector=tuple(selector.items()))
    release = named(cluster, HelmRelease("todo", "todo", Path(), {}))
    assert release.values == ({"networkPolicy": {"dns": {"podLabels": labels}}} if labels else {})
    said = {"networkPolicy": {"dns": {"podLabels": {"a": "b"}}}}
    assert named(cluster, HelmRelease("todo", "todo", Path(), said)).values == said


@pytest.mark.parametrize(
    ("said", "goes_on"), [("Error from server (Forbidden): services", True), ("Unable to connect to the server", False)]
)
def test_where_the_clusters_own_objects_may_not_be_seen_the_charts_policy_stays(said: str, goes_on: bool) -> None:
    @dataclass(frozen=True)
    class Closed(Cluster):
        def get(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
            raise CommandError("kubectl failed", [], Result(1, "", said, 0.1))

    release = HelmRelease("todo", "todo", Path(), {"services": {}})
    if goes_on:
        assert named(Closed("any", "todo", "todo"), release) == release
    else:
        with pytest.raises(CommandError):
            named(Closed("any", "todo", "todo"), release)
