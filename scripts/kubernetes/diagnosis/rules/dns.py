"""Causes in the cluster's DNS: it has no pod, or NetworkPolicies where it runs shut it off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import isolates, labels_of, name_of, status_of

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object

DNS_PORTS = (53, "dns", "dns-tcp")
"""Its port, and the names that the DNS add-ons give it."""
WAYS = (
    ("Ingress", "from", "keep the pods' questions from the cluster's DNS, so no name resolves"),
    ("Egress", "to", "keep the cluster's DNS from asking others, so no name outside the cluster resolves"),
)


def dns(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Yield why nobody is answered by the cluster's DNS, where it can be seen."""
    if not snapshot.dns:
        return
    if not any(status_of(server).get("availableReplicas", 0) for server in snapshot.dns):
        yield _down(snapshot.dns[0])
        return
    for server in snapshot.dns:
        yield from _blocked(snapshot, server)


def _down(server: Object) -> Diagnosis:
    wanted, place = server["spec"].get("replicas", 1), server["metadata"].get("namespace", "kube-system")
    scale = f"kubectl --namespace {place} scale deployment/{name_of(server)} --replicas=1"
    return diagnosed(
        server,
        "dns-down",
        "no pod of the cluster's DNS is ready, so no name resolves",
        [f"deployment {name_of(server)} in {place}: 0 of {wanted} available"],
        f"kubectl --namespace {place} describe pods --selector k8s-app=kube-dns" if wanted else scale,
    )


def _blocked(snapshot: Snapshot, server: Object) -> Iterator[Diagnosis]:
    """A direction in which NetworkPolicies select the DNS' pods, and none of them lets other namespaces' DNS through."""
    labels, place = labels_of(server["spec"].get("template", {"metadata": {}})), server["metadata"].get("namespace", "kube-system")
    for direction, peers, harm in WAYS:
        shut = [policy for policy in snapshot.dns_policies if isolates(policy, labels, direction)]
        rules = [rule for policy in shut for rule in policy["spec"].get(direction.lower()) or ()]
        if not shut or any(_admits(rule, peers) for rule in rules):
            continue
        names = " ".join(name_of(policy) for policy in shut)
        yield diagnosed(
            server,
            "dns-blocked",
            f"NetworkPolicies in {place} {harm}: {names}",
            [f"networkpolicy {name_of(policy)} in {place}: {direction}, selects the pods of {name_of(server)}" for policy in shut],
            f"kubectl --namespace {place} delete networkpolicy {names}; or let port 53 pass, UDP and TCP",
        )


def _admits(rule: Object, peers: str) -> bool:
    """Whether a rule lets port 53 pass to or from somewhere outside its own namespace; of whom it names there, nothing is known here."""
    ports, others = rule.get("ports"), rule.get(peers)
    outside = not others or any("namespaceSelector" in each or "ipBlock" in each for each in others)
    return outside and (not ports or any(_is_dns(port) for port in ports))


def _is_dns(port: dict[str, Any]) -> bool:
    first, last = port.get("port"), port.get("endPort")
    if isinstance(first, int) and isinstance(last, int):
        return first <= 53 <= last
    return first is None or first in DNS_PORTS
