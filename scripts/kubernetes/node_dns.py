"""A DNS cache on each node (NodeLocal DNSCache) answers at the DNS Service's address, and is no pod that a network policy can name."""

from __future__ import annotations

import dataclasses

from scripts.desired.helm_release import HelmRelease
from scripts.kubernetes.cluster import Cluster

CACHE, SERVICE, NAMESPACE = "node-local-dns", "kube-dns", "kube-system"
LOCAL = "169.254.20.10/32"
"""Where the cache listens by its documentation; the chart lets it through by itself."""


def named(cluster: Cluster, release: HelmRelease) -> HelmRelease:
    """Return the release with the DNS Service's address open to it where the cluster has such a cache, and its values name none."""
    policy = release.values.get("networkPolicy") or {}
    dns = policy.get("dns") or {}
    if "addresses" in dns or not (address := _address(cluster.within(NAMESPACE, cluster.release))):
        return release
    opened = {**policy, "dns": {**dns, "addresses": [LOCAL, f"{address}/32"]}}
    return dataclasses.replace(release, values={**release.values, "networkPolicy": opened})


def _address(system: Cluster) -> str:
    """Return the IPv4 address of the DNS Service, or an empty string where no cache stands before it."""
    if not system.get("daemonset", CACHE):
        return ""
    addresses = [ip for service in system.get("service", SERVICE) for ip in service["spec"].get("clusterIPs", ())]
    return next((ip for ip in addresses if ":" not in ip), "")
