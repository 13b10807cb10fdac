"""The sum: what the release can grow to fits its quota, and the nodes that it is sized for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import yaml

from scripts.engines.docker.pod_spec import cpus, quantity
from tests.render.chart import CHART, Object, containers, of_kind, one, render, scenario

pytestmark = pytest.mark.render

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
GUEST = {side: VALUES["namespaceRules"]["containerLimits"][key] for side, key in (("requests", "defaultRequest"), ("limits", "default"))}
"""What a pod of a person's own gets; the quota has room for two."""
AMOUNTS = [f"{side}.{amount}" for side in ("requests", "limits") for amount in ("cpu", "memory", "ephemeral-storage")]

# Requests of Kubernetes itself on one node: API server, scheduler, controllers, etcd, DNS, network plugin and metrics-server, as
# Minikube and kubeadm set them.
SYSTEM = Counter(cpu=0.95, memory=quantity("450Mi"))
MONITORING = Counter(cpu=0.5, memory=quantity("1Gi"))  # the ceiling that specs/monitoring.md sets
NODES = {
    "4 CPUs, 6 GiB, monitored": Counter(cpu=4, memory=quantity("6Gi")) - SYSTEM - MONITORING,
    "2 CPUs, 24 GiB": Counter(cpu=2, memory=quantity("24Gi")) - SYSTEM,
}


def pod_amounts(pod: Object) -> Counter[str]:
    """Return what a pod counts for: the sum of its containers, or its largest init container if that is more."""
    total: Counter[str] = Counter()
    for key in AMOUNTS:
        side, amount = key.split(".", 1)

        def value(container: Object, side: str = side, amount: str = amount) -> float:
            return (cpus if amount == "cpu" else quantity)(container["resources"][side][amount])

        running = sum(value(c) for c in pod["spec"]["containers"])
        total[key] = max([running, *[value(c) for c in pod["spec"].get("initContainers", [])]])
    total["pods"] = 1
    return total


def release_amounts(objects: list[Object], pods_of: Callable[[int], int]) -> Counter[str]:
    """Return what the release counts for, with pods_of(maximum) pods of each service, every other pod once."""
    total: Counter[str] = Counter()
    maximum = {o["spec"]["scaleTargetRef"]["name"]: o["spec"]["maxReplicas"] for o in of_kind(objects, "HorizontalPodAutoscaler")}
    for thing in of_kind(objects, "Deployment", "StatefulSet", "Pod"):
        name = thing["metadata"]["name"]
        count = 1
        if thing["kind"] == "Deployment":
            count = pods_of(maximum.get(name) or thing["spec"]["replicas"])
        amounts = pod_amounts(thing["spec"]["template"] if thing["kind"] != "Pod" else thing)
        total.update({key: value * count for key, value in amounts.items()})
    return total


def surge(maximum: int) -> int:
    return maximum + 1


def twice(maximum: int) -> int:
    return 2 * maximum


@pytest.mark.parametrize("name", ["minimal", "every value", "monitored", "another application"])
def test_the_quota_holds_an_update_of_every_service_at_full_scale(name: str) -> None:
    """While new pods start, old ones may still be terminating, and those count until they are gone."""
    objects = scenario(name)
    (quota,) = of_kind(objects, "ResourceQuota")
    needed = release_amounts(objects, twice)
    assert needed["pods"] > 10
    if name != "every value":  # its quota is its own
        guests = Counter(
            {f"{side}.{key}": 2 * number_of(key, amount) for side, amounts in GUEST.items() for key, amount in amounts.items()}
        )
        expected = needed + guests + Counter(pods=2)
        for key, value in expected.items():
            assert number_of(key, quota["spec"]["hard"][key]) == pytest.approx(value, abs=0.001 if key.endswith("cpu") else 2**20), key


def number_of(key: str, amount: str) -> float:
    return cpus(amount) if key.endswith("cpu") else quantity(amount)


def test_the_quota_counts_claims_and_services(objects: list[Object]) -> None:
    for quota in of_kind(objects, "ResourceQuota"):
        hard = quota["spec"]["hard"]
        claims = [c for s in of_kind(objects, "StatefulSet") for c in s["spec"]["volumeClaimTemplates"]]
        assert int(hard["persistentvolumeclaims"]) >= len(claims)
        assert quantity(hard["requests.storage"]) >= sum(quantity(claim["spec"]["resources"]["requests"]["storage"]) for claim in claims)
        assert int(hard["services"]) >= len(of_kind(objects, "Service"))
        assert hard["services.nodeports"] == hard["services.loadbalancers"] == "0"


@pytest.mark.parametrize("node", list(NODES))
@pytest.mark.parametrize("name", ["minimal", "monitored"])
def test_the_requests_fit_a_node_while_every_service_updates_at_full_scale(name: str, node: str) -> None:
    needed = release_amounts(scenario(name), surge)
    for amount, room in NODES[node].items():
        assert needed[f"requests.{amount}"] <= room, f"{amount}: {needed[f'requests.{amount}']} of {room}"


def test_the_memory_limits_fit_the_smaller_node_in_normal_work() -> None:
    """At minimum scale every container may use its whole limit of memory without the node running out."""
    needed = release_amounts(scenario("minimal"), lambda _: 2)
    assert needed["limits.memory"] <= NODES["4 CPUs, 6 GiB, monitored"]["memory"]


def test_every_container_is_within_the_limit_range(objects: list[Object]) -> None:
    for limit_range in of_kind(objects, "LimitRange"):
        (rule,) = limit_range["spec"]["limits"]
        assert {"type", "min", "max", "default", "defaultRequest"} == set(rule)
        found = list(containers(objects))
        assert found
        for name, container in found:
            for amount, most in rule["max"].items():
                number = cpus if amount == "cpu" else quantity
                assert number(container["resources"]["limits"][amount]) <= number(most), f"{name}: {amount}"
            for amount, least in rule["min"].items():
                number = cpus if amount == "cpu" else quantity
                assert number(container["resources"]["requests"][amount]) >= number(least), f"{name}: {amount}"


def test_figures_of_ones_own_go_over_those_that_follow() -> None:
    rules = {"quota": {"pods": "99", "limits.cpu": 7}, "containerLimits": {"max": {"cpu": 3}, "min": {"memory": "1Mi"}}}
    plain, own = scenario("minimal"), render({"namespaceRules": rules})
    before, after = ({o["kind"]: o["spec"] for o in of_kind(objects, "ResourceQuota", "LimitRange")} for objects in (plain, own))
    assert after["ResourceQuota"]["hard"] == before["ResourceQuota"]["hard"] | {"pods": "99", "limits.cpu": "7"}
    (was,), (now,) = before["LimitRange"]["limits"], after["LimitRange"]["limits"]
    assert now == was | {"max": was["max"] | {"cpu": "3"}, "min": was["min"] | {"memory": "1Mi"}}


@pytest.mark.parametrize("cpu", ["250m", "2", 2, 0.5, "0.125", 1.001])
@pytest.mark.parametrize("memory", ["1536Ki", "300Mi", "3Gi", "1Ti"])
def test_every_way_to_write_an_amount_is_counted(cpu: str | float, memory: str) -> None:
    resources = {"requests": {"cpu": "1m", "memory": "1Ki"}, "limits": {"cpu": cpu, "memory": memory}}
    fixed = {"autoscaling": {"enabled": False}, "replicas": 1, "resources": resources}
    without, with_one = (
        one(render({"services": {"frontend": fixed | {"replicas": count}}}), "ResourceQuota", "todo-chatbot")["spec"]["hard"]
        for count in (1, 2)
    )
    more = {key: number_of(key, with_one[key]) - number_of(key, without[key]) for key in ("limits.cpu", "limits.memory", "pods")}
    assert more == {"limits.cpu": pytest.approx(2 * cpus(cpu)), "limits.memory": pytest.approx(2 * quantity(memory), abs=2**20), "pods": 2}


def test_a_container_that_says_nothing_gets_defaults_within_the_bounds(objects: list[Object]) -> None:
    for limit_range in of_kind(objects, "LimitRange"):
        (rule,) = limit_range["spec"]["limits"]
        for amount, number in (("cpu", cpus), ("memory", quantity)):
            steps = [number(rule[key][amount]) for key in ("min", "defaultRequest", "default", "max")]
            assert steps == sorted(steps), amount


def test_postgres_and_its_exporter_are_counted_together() -> None:
    pod = one(scenario("monitored"), "StatefulSet", "todo-chatbot-postgres")["spec"]["template"]
    assert pod_amounts(pod)["requests.cpu"] == pytest.approx(0.11)
