"""What answers this cluster's names, where that is not what the chart's policies name: other pods, or a cache on each node."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.core.shell import CommandError
from scripts.desired.helm_release import HelmRelease
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.objects import labels_of

CACHE, SERVICE, NAMESPACE = "node-local-dns", "kube-dns", "kube-system"
LOCAL = "169.254.20.10/32"
"""Where the cache (NodeLocal DNSCache) listens by its documentation; the chart lets it through by itself."""
USUAL = {"k8s-app": "kube-dns"}
"""The labels that the chart's policy names by itself."""


def named(cluster: Cluster, release: HelmRelease) -> HelmRelease:
    """Return the release with its way to DNS as this cluster has it; what its values say of that themselves stays."""
    policy: Mapping[str, Any] = release.values.get("networkPolicy") or {}
    said: Mapping[str, Any] = policy.get("dns") or {}
    system = cluster.within(NAMESPACE, cluster.release)
    service = _seen(system, "service", SERVICE)
    found = {**_labels(service), **_addresses(system, service)} if service else {}
    if not (added := {key: value for key, value in found.items() if key not in said}):
        return release
    return dataclasses.replace(release, values={**release.values, "networkPolicy": {**policy, "dns": {**said, **added}}})


def led_to(deployments: Sequence[Object], services: Sequence[Object]) -> list[Object]:
    """Return the Deployments whose pods the DNS Service leads to. services: those of its namespace, or it alone."""
    selectors = [each["spec"].get("selector") for each in services if each["metadata"]["name"] == SERVICE]
    return [each for each in deployments for want in selectors if want and want.items() <= labels_of(each["spec"]["template"]).items()]


def _labels(service: Object) -> dict[str, Any]:
    """The labels of the pods that the DNS Service leads to, where they are others; a null takes one of the chart's away."""
    selector = service["spec"].get("selector") or {}
    if not selector or selector.items() >= USUAL.items():
        return {}
    return {"podLabels": {**{key: None for key in USUAL if key not in selector}, **selector}}


def _addresses(system: Cluster, service: Object) -> dict[str, Any]:
    """The DNS Service's IPv4 address, where a cache on each node answers there, which is no pod that a policy can name."""
    address = next((ip for ip in service["spec"].get("clusterIPs", ()) if ":" not in ip), "")
    return {"addresses": [LOCAL, f"{address}/32"]} if address and _seen(system, "daemonset", CACHE) else {}


def _seen(system: Cluster, kind: str, name: str) -> Object | None:
    """An object of the cluster itself; None also where we may not see those: the chart's own policy has to do then."""
    try:
        return next(iter(system.get(kind, name)), None)
    except CommandError as error:
        if "(Forbidden)" not in error.result.stderr:
            raise
        return None
