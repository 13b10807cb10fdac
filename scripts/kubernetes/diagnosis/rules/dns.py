"""Causes in the cluster's DNS: it has no pod, or NetworkPolicies where it runs or around our pods shut it off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scripts.kubernetes.cluster_dns import CACHE, USUAL
from scripts.kubernetes.cluster_dns import NAMESPACE as SYSTEM
from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from scripts.kubernetes.objects import isolates, labels_of, name_of, selects, status_of
from scripts.logs.fields import telling

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
        yield _down(snapshot.dns[0], snapshot.dns_log)
        return
    for server in snapshot.dns:
        yield from _blocked(snapshot, server)
    yield from _not_let_through(snapshot)


def _down(server: Object, log: Sequence[str]) -> Diagnosis:
    wanted, place = server["spec"].get("replicas", 1), server["metadata"].get("namespace", SYSTEM)
    scale = f"kubectl --namespace {place} scale deployment/{name_of(server)} --replicas=1"
    says = f": {telling(log)}" if log else ""
    labels = server["spec"].get("selector", {}).get("matchLabels") or USUAL
    look = f"kubectl --namespace {place} describe pods --selector {','.join(f'{key}={value}' for key, value in labels.items())}"
    fix = (
        f"fix what it says: its settings (kubectl --namespace {place} edit configmap {name_of(server)}), or its rights "
        f"(kubectl describe clusterrolebinding system:{name_of(server)}); then delete its pods"
    )
    return diagnosed(
        server,
        "dns-down",
        f"no pod of the cluster's DNS is ready, so no name resolves{says}",
        [f"deployment {name_of(server)} in {place}: 0 of {wanted} available", *(f"log: {line}" for line in log)],
        (fix if log else look) if wanted else scale,
    )


def _blocked(snapshot: Snapshot, server: Object) -> Iterator[Diagnosis]:
    """A direction in which NetworkPolicies select the DNS' pods, and none of them lets other namespaces' DNS through."""
    labels, place = labels_of(server["spec"].get("template", {"metadata": {}})), server["metadata"].get("namespace", SYSTEM)
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


def _not_let_through(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """The release's own policies shut its pods in, and let no question through to the pods that are the cluster's DNS."""
    server = next((each for each in snapshot.dns if "template" in each["spec"]), None)
    if server is None or any(name_of(agent) == CACHE for agent in snapshot.agents):  # a cache answers, at its own address
        return
    asking = [labels_of(pod) for pod in snapshot.pods if labels_of(pod)]
    ours = [policy for policy in snapshot.policies if any(isolates(policy, labels, "Egress") for labels in asking)]
    if not ours or any(_leads_to(rule, server) for policy in ours for rule in policy["spec"].get("egress") or ()):
        return
    labels = ", ".join(f"{key}={value}" for key, value in sorted(labels_of(server["spec"]["template"]).items()))
    yield diagnosed(
        server,
        "dns-blocked",
        "the NetworkPolicies around the release's pods let no question through to the cluster's DNS, so no name resolves",
        [f"the DNS Service leads to pods with {labels}: none of {', '.join(map(name_of, ours))} names those"],
        "invoke up names the pods that the DNS Service selects; or set networkPolicy.dns in the chart's values",
    )


def _leads_to(rule: Object, server: Object) -> bool:
    """Whether a rule for what pods may call lets them ask these pods; of addresses, whether it may."""
    labels, place = labels_of(server["spec"]["template"]), server["metadata"].get("namespace", SYSTEM)
    if rule.get("ports") and not any(_is_dns(port) for port in rule["ports"]):
        return False
    return not rule.get("to") or any(_is_of(peer, labels, place) for peer in rule["to"])


def _is_of(peer: Object, labels: Mapping[str, str], place: str) -> bool:
    if "ipBlock" in peer:
        return not peer["ipBlock"]["cidr"].endswith(("/32", "/128"))
    where = peer.get("namespaceSelector")
    here = where is not None and selects(where, {"kubernetes.io/metadata.name": place})
    return here and selects(peer.get("podSelector", {}), labels)


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
