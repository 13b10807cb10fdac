"""Which connections the rendered network policies allow, asked as Kubernetes would answer."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from tests.render.chart import ALL, NAMESPACE, SCENARIOS, Object, matches, of_kind, one, pods, render, render_text, scenario

pytestmark = pytest.mark.render


@dataclass(frozen=True)
class Peer:
    """One end of a connection: a pod with its labels and named ports, in a namespace; or an address outside."""

    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = NAMESPACE
    ports: Mapping[str, int] = field(default_factory=dict)
    address: str = ""


def pod_of(objects: Sequence[Object], component: str) -> Peer:
    for _, pod in pods(objects):
        labels = pod["metadata"]["labels"]
        if labels["app.kubernetes.io/component"] == component:
            ports = {p["name"]: p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports", [])}
            return Peer(labels=labels, ports=ports)
    raise AssertionError(f"no pod of {component}")


def sends(policies: Sequence[Object], source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Return whether the policies on the source let it reach the target."""
    return _side(policies, source, target, target, port, protocol, "Egress")


def takes(policies: Sequence[Object], source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Return whether the policies on the target let the source reach it."""
    return _side(policies, target, source, target, port, protocol, "Ingress")


def allows(policies: Sequence[Object], source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Return whether a connection comes about: both ends must let it."""
    return sends(policies, source, target, port, protocol) and takes(policies, source, target, port, protocol)


def _side(policies: Sequence[Object], subject: Peer, other: Peer, target: Peer, port: int, protocol: str, direction: str) -> bool:
    if subject.namespace != NAMESPACE or subject.address:
        return True  # our policies say nothing about it
    applying = [p for p in policies if direction in p["spec"]["policyTypes"] and matches(p["spec"]["podSelector"], subject.labels)]
    if not applying:
        return True
    key, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    return any(
        _peers_match(rule.get(peers), other) and _ports_match(rule.get("ports"), target, port, protocol)
        for policy in applying
        for rule in policy["spec"].get(key) or []
    )


def _peers_match(peers: Sequence[Mapping] | None, other: Peer) -> bool:
    if not peers:  # absent, null and empty all mean everybody
        return True
    return any(_peer_matches(peer, other) for peer in peers)


def _peer_matches(peer: Mapping, other: Peer) -> bool:
    if "ipBlock" in peer:
        if not other.address:
            return False
        address = ipaddress.ip_address(other.address)
        inside = address in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        return inside and not any(address in ipaddress.ip_network(c) for c in peer["ipBlock"].get("except", []))
    if other.address:
        return False
    namespaces = peer.get("namespaceSelector")
    if namespaces is None:
        if other.namespace != NAMESPACE:
            return False
    elif not matches(namespaces, {"kubernetes.io/metadata.name": other.namespace}):
        return False
    return matches(peer.get("podSelector", {}), other.labels)


def _ports_match(ports: Sequence[Mapping] | None, target: Peer, port: int, protocol: str) -> bool:
    if not ports:
        return True
    return any(rule.get("protocol", "TCP") == protocol and target.ports.get(rule["port"], rule["port"]) == port for rule in ports)


DNS = Peer(labels={"k8s-app": "kube-dns"}, namespace="kube-system")
PROMETHEUS = Peer(labels={"app.kubernetes.io/name": "prometheus"}, namespace="monitoring")
GRAFANA = Peer(labels={"app.kubernetes.io/name": "grafana"}, namespace="monitoring")
STRANGER = Peer(labels={"app": "stranger"})
INTERNET = Peer(address="93.184.216.34")
PRIVATE = [Peer(address=a) for a in ("10.0.0.1", "172.20.1.1", "192.168.1.1", "169.254.169.254", "100.64.0.1")]


@pytest.mark.parametrize(
    ("source", "target", "port", "allowed"),
    [
        ("frontend", "backend", 8000, True),
        ("backend", "postgres", 5432, True),
        ("test", "backend", 8000, True),
        ("test", "frontend", 3000, True),
        ("backend", "frontend", 3000, False),
        ("frontend", "postgres", 5432, False),
        ("test", "postgres", 5432, False),
        ("postgres", "backend", 8000, False),
        ("postgres", "frontend", 3000, False),
        ("frontend", "backend", 22, False),
        ("frontend", "frontend", 3000, False),
        ("backend", "test", 8000, False),
    ],
)
def test_between_pods_only_the_named_edges_are_open_and_both_ends_say_so(source: str, target: str, port: int, allowed: bool) -> None:
    objects = scenario("minimal")
    edge = of_kind(objects, "NetworkPolicy"), pod_of(objects, source), pod_of(objects, target), port
    assert sends(*edge) is allowed
    assert takes(*edge) is allowed


@pytest.mark.parametrize(
    ("source", "target", "port", "allowed"),
    [
        ("backend", INTERNET, 443, True),
        ("backend", INTERNET, 5432, True),
        ("backend", INTERNET, 80, False),
        ("frontend", INTERNET, 443, False),
        ("postgres", INTERNET, 443, False),
        ("test", INTERNET, 443, False),
        *[("backend", private, 443, False) for private in PRIVATE],
    ],
)
def test_only_the_backend_reaches_the_internet_and_never_a_private_address(source: str, target: Peer, port: int, allowed: bool) -> None:
    objects = scenario("minimal")
    assert allows(of_kind(objects, "NetworkPolicy"), pod_of(objects, source), target, port) is allowed


@pytest.mark.parametrize("component", ["backend", "frontend", "test"])
@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_our_pods_reach_the_dns_of_the_cluster(component: str, protocol: str) -> None:
    objects = scenario("minimal")
    policies = of_kind(objects, "NetworkPolicy")
    assert allows(policies, pod_of(objects, component), DNS, 53, protocol)
    assert not allows(policies, pod_of(objects, component), DNS, 9153, protocol)
    impostor = Peer(labels={"k8s-app": "kube-dns"}, namespace="elsewhere")
    assert not allows(policies, pod_of(objects, component), impostor, 53, protocol)
    on_the_node = Peer(address="169.254.20.10")
    assert allows(policies, pod_of(objects, component), on_the_node, 53, protocol)
    assert not allows(policies, pod_of(objects, component), on_the_node, 80, protocol)


def test_a_pod_that_is_not_ours_reaches_nothing_and_nobody_reaches_it() -> None:
    objects = scenario("minimal")
    policies = of_kind(objects, "NetworkPolicy")
    for component, port in (("backend", 8000), ("frontend", 3000), ("postgres", 5432)):
        assert not allows(policies, STRANGER, pod_of(objects, component), port)
        assert not allows(policies, pod_of(objects, component), STRANGER, 80)
    assert not allows(policies, STRANGER, INTERNET, 443)
    assert not allows(policies, STRANGER, DNS, 53)


def test_without_the_namespace_rules_other_pods_are_left_alone_and_ours_stay_closed() -> None:
    objects = scenario("shared namespace")
    policies = of_kind(objects, "NetworkPolicy")
    assert allows(policies, STRANGER, INTERNET, 443)
    assert not allows(policies, STRANGER, pod_of(objects, "postgres"), 5432)
    assert not allows(policies, pod_of(objects, "frontend"), INTERNET, 443)


def test_prometheus_alone_reads_metrics_and_only_when_monitored() -> None:
    monitored, plain = scenario("monitored"), scenario("minimal")
    for component, port in (("backend", 8000), ("frontend", 3000), ("postgres", 9187)):
        target = pod_of(monitored, component)
        policies = of_kind(monitored, "NetworkPolicy")
        assert allows(policies, PROMETHEUS, target, port)
        assert not allows(policies, GRAFANA, target, port)
        assert not allows(policies, Peer(PROMETHEUS.labels, "elsewhere"), target, port)
    assert not allows(of_kind(monitored, "NetworkPolicy"), PROMETHEUS, pod_of(monitored, "postgres"), 5432)
    assert not allows(of_kind(plain, "NetworkPolicy"), PROMETHEUS, pod_of(plain, "backend"), 8000)


def test_the_ingress_controller_reaches_the_one_service_that_it_serves() -> None:
    objects = scenario("behind an ingress")
    policies = of_kind(objects, "NetworkPolicy")
    controller = Peer(labels={"app.kubernetes.io/name": "ingress-nginx"}, namespace="ingress-nginx")
    assert allows(policies, controller, pod_of(objects, "frontend"), 3000)
    assert not allows(policies, controller, pod_of(objects, "backend"), 8000)


def test_a_service_that_nobody_may_call_is_closed_and_not_open_to_all() -> None:
    objects = render({"test": {"enabled": False}})
    assert not allows(of_kind(objects, "NetworkPolicy"), STRANGER, pod_of(objects, "frontend"), 3000)
    assert not allows(of_kind(objects, "NetworkPolicy"), INTERNET, pod_of(objects, "frontend"), 3000)


def test_single_addresses_open_a_private_database_or_a_proxy() -> None:
    address = {"cidr": "10.9.8.7/32", "ports": [6432]}
    objects = render({"services": {"backend": {"addresses": [address]}}})
    policies = of_kind(objects, "NetworkPolicy")
    backend = pod_of(objects, "backend")
    assert allows(policies, backend, Peer(address="10.9.8.7"), 6432)
    assert not allows(policies, backend, Peer(address="10.9.8.6"), 6432)
    assert not allows(policies, pod_of(objects, "frontend"), Peer(address="10.9.8.7"), 6432)


def test_every_policy_selects_a_pod_and_no_rule_is_open_to_all(objects: list[Object]) -> None:
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        assert any(matches(spec["podSelector"], pod["metadata"]["labels"]) for _, pod in pods(objects))
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in spec.get(direction) or []:
                assert rule.get(peers), f"{policy['metadata']['name']}: {direction} rule without {peers}"
                assert rule.get("ports"), f"{policy['metadata']['name']}: {direction} rule without ports"


def test_an_empty_list_of_exceptions_replaces_the_default_one() -> None:
    objects = render(base=ALL)
    policies = of_kind(objects, "NetworkPolicy")
    assert allows(policies, pod_of(objects, "backend"), Peer(address="10.0.0.1"), 443)
    assert not allows(policies, pod_of(objects, "worker"), Peer(address="10.0.0.1"), 443)


@pytest.mark.parametrize(
    ("source", "target", "port", "allowed"),
    [
        ("api", "cache", 6379, True),
        ("worker", "cache", 6379, True),
        ("worker", "api", 5000, True),
        ("page", "api", 5000, False),
        ("page", "cache", 6379, False),
        ("api", "worker", 5000, False),
        ("mailer", "api", 5000, False),
    ],
)
def test_the_calls_of_any_application_open_both_ends(source: str, target: str, port: int, allowed: bool) -> None:
    objects = scenario("another application")
    edge = of_kind(objects, "NetworkPolicy"), pod_of(objects, source), pod_of(objects, target), port
    assert sends(*edge) is allowed
    assert takes(*edge) is allowed


def test_a_call_of_a_database_outside_needs_no_rule_of_ours() -> None:
    objects = render({"postgres": {"enabled": False}, "services": {"frontend": {"calls": ["backend", "postgres"]}}})
    assert "postgres" not in str(of_kind(objects, "NetworkPolicy"))


def test_a_service_without_a_port_is_closed_to_all() -> None:
    objects = scenario("another application, everything switched on")
    policies = of_kind(objects, "NetworkPolicy")
    for component in ("worker", "mailer"):
        for source in (PROMETHEUS, STRANGER, pod_of(objects, "test"), pod_of(objects, "api")):
            assert not takes(policies, source, pod_of(objects, component), 8000)
        assert one(objects, "NetworkPolicy", f"todo-chatbot-{component}")["spec"]["ingress"] == []


def test_prometheus_has_no_way_in_where_there_are_no_metrics() -> None:
    objects = scenario("another application, everything switched on")
    assert not takes(of_kind(objects, "NetworkPolicy"), PROMETHEUS, pod_of(objects, "cache"), 6379)


def test_switched_off_there_is_no_policy_at_all() -> None:
    assert of_kind(render({"networkPolicy": {"enabled": False}}), "NetworkPolicy") == []


def test_every_edge_says_above_it_what_it_is_for() -> None:
    """A person who reads the rendered policies sees who calls whom."""
    base, values = SCENARIOS["everything switched on"]
    lines = render_text(values, base=base).splitlines()
    edges = [above.strip() for above, line in itertools.pairwise(lines) if line.strip() in ("- from:", "- to:")]
    assert [edge for edge in edges if " --> " not in edge or not edge.startswith("# ")] == []
    assert {"# frontend --> backend", "# backend --> postgres", "# Prometheus --> frontend", "# test --> backend"} < set(edges)
