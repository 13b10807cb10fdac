"""What the Ingress lets people reach: the pages, and neither metrics nor the readiness that asks the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.render.chart import OTHER, Object, matches, of_kind, pods, render
from tests.render.test_network import Peer, allows, pod_of

pytestmark = pytest.mark.render

HOST = "todo.example.com"
CONTROLLER = Peer(labels={"app.kubernetes.io/name": "ingress-nginx"}, namespace="ingress-nginx")
REFUSED = "refused"


def behind_an_ingress(**ingress: Any) -> list[Object]:
    return render({"ingress": {"enabled": True, "host": HOST, **ingress}})


def elements(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def backends(objects: Sequence[Object], path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the backends whose path matches, each with the length of its path, as Kubernetes defines `Prefix`: element by element."""
    for ingress in of_kind(objects, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            assert rule["host"] == HOST
            for entry in rule["http"]["paths"]:
                assert entry["pathType"] == "Prefix"
                prefix = elements(entry["path"])
                if elements(path)[: len(prefix)] == prefix:
                    yield len(prefix), entry["backend"]["service"]


def reached(objects: Sequence[Object], path: str) -> str:
    """Return the component that answers a request for the path from outside, or REFUSED where no process listens."""
    _, backend = max(backends(objects, path), key=lambda found: found[0])
    (service,) = [o for o in of_kind(objects, "Service") if o["metadata"]["name"] == backend["name"]]
    (port,) = [port for port in service["spec"]["ports"] if port["name"] == backend["port"]["name"]]
    (pod,) = [pod for _, pod in pods(objects) if matches({"matchLabels": service["spec"]["selector"]}, pod["metadata"]["labels"])]
    listening = {p["name"]: p["containerPort"] for c in pod["spec"]["containers"] for p in c["ports"]}
    number = listening.get(port["targetPort"], port["targetPort"])
    component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
    assert allows(of_kind(objects, "NetworkPolicy"), CONTROLLER, pod_of(objects, component), number), "a dropped packet makes people wait"
    return component if number in listening.values() else REFUSED


@pytest.mark.parametrize("path", ["/", "/api/todos", "/_next/static/x.js", "/health", "/readyish", "/metrics.html", "/api/ready"])
def test_the_pages_are_served(path: str) -> None:
    assert reached(behind_an_ingress(), path) == "frontend"


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics/more", "/ready", "/ready/"])
def test_what_is_for_the_cluster_alone_is_refused(path: str) -> None:
    assert reached(behind_an_ingress(), path) == REFUSED
    assert reached(behind_an_ingress(closeInternalPaths=False), path) == "frontend"


def test_the_paths_are_those_that_the_service_names() -> None:
    values = {"probes": {"readiness": {"path": "/state/ready?deep=1"}}, "metricsPath": "/state/figures/"}
    objects = render({"ingress": {"enabled": True, "host": HOST}, "services": {"frontend": values}})
    assert [reached(objects, path) for path in ("/state/ready", "/state/figures", "/ready", "/state")] == [
        REFUSED,
        REFUSED,
        "frontend",
        "frontend",
    ]


def test_each_public_service_has_its_path_and_hides_its_own_readiness_alone() -> None:
    objects = render({"ingress": {"enabled": True, "host": HOST}}, base=OTHER)
    answers = {path: reached(objects, path) for path in ("/", "/about", "/api", "/api/items", "/apis", "/api/health", "/health")}
    assert answers == {
        "/": "page",
        "/about": "page",
        "/api": "api",
        "/api/items": "api",
        "/apis": "page",
        "/api/health": REFUSED,
        "/health": "page",
    }


def test_a_path_that_leads_to_another_service_is_not_closed_for_its_sake() -> None:
    page = {"probes": {"readiness": {"path": "/api/items"}}, "metricsPath": "/api"}
    objects = render({"ingress": {"enabled": True, "host": HOST}, "services": {"page": page}}, base=OTHER)
    assert [reached(objects, path) for path in ("/api/items", "/api")] == ["api", "api"]


def test_a_page_that_answers_readiness_stays_open() -> None:
    objects = render({"ingress": {"enabled": True, "host": HOST}, "services": {"frontend": {"probes": {"readiness": {"path": "/"}}}}})
    assert reached(objects, "/") == "frontend"


def test_the_closed_port_is_there_only_behind_an_ingress_and_for_its_controller_alone() -> None:
    closed = [port for o in of_kind(render(), "Service") for port in o["spec"]["ports"] if port["name"] == "closed"]
    assert closed == []
    objects = behind_an_ingress()
    policies = of_kind(objects, "NetworkPolicy")
    assert not allows(policies, pod_of(objects, "test"), pod_of(objects, "frontend"), 9)
    assert not allows(policies, CONTROLLER, pod_of(objects, "backend"), 9)
