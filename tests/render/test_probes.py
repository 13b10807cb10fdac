"""How pods are asked whether they live and serve."""

from __future__ import annotations

import pytest

from tests.render.chart import Object, containers, of_kind, one, render, scenario, title

pytestmark = pytest.mark.render


def services_of(objects: list[Object]) -> list[Object]:
    return of_kind(objects, "Deployment")


def probes_of(container: Object) -> dict[str, Object]:
    return {kind: container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness") if f"{kind}Probe" in container}


def test_every_probe_is_complete_and_asks_in_one_way(objects: list[Object]) -> None:
    for name, container in containers(objects):
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in probes_of(container).values():
            ((way, asked),) = [(key, part) for key, part in probe.items() if isinstance(part, dict)]
            assert set(probe) == {way, "periodSeconds", "timeoutSeconds", "failureThreshold"}, name
            assert way == "exec" or asked["port"] in ports, name
            assert "host" not in asked, name


def test_the_todo_chatbot_has_all_three_probes_and_readiness_asks_something_else(minimal: list[Object]) -> None:
    for deployment in services_of(minimal):
        paths = {kind: probe["httpGet"]["path"] for kind, probe in probes_of(*deployment["spec"]["template"]["spec"]["containers"]).items()}
        assert paths == {"startup": "/health", "liveness": "/health", "readiness": "/ready"}


HTTP, TCP, EXEC = {"path": "/up"}, {"tcp": True}, {"exec": ["check", "--now"]}


@pytest.mark.parametrize(
    ("probe", "asked"),
    [
        (HTTP, {"httpGet": {"path": "/up", "port": "http"}}),
        (TCP, {"tcpSocket": {"port": "http"}}),
        (EXEC, {"exec": {"command": ["check", "--now"]}}),
    ],
)
@pytest.mark.parametrize("kind", ["startup", "readiness", "liveness"])
def test_a_probe_asks_by_http_tcp_or_a_command(kind: str, probe: Object, asked: Object) -> None:
    none: Object = {"path": ""}
    others: Object = {"startup": none, "readiness": none, "liveness": none}
    objects = render({"services": {"backend": {"probes": {**others, kind: {"path": "", **probe}}}}})
    (container,) = one(objects, "Deployment", "todo-chatbot-backend")["spec"]["template"]["spec"]["containers"]
    found = {name: {key: part for key, part in probe.items() if isinstance(part, dict)} for name, probe in probes_of(container).items()}
    # Without one of its own, startup asks what liveness asks.
    assert found == ({"liveness": asked, "startup": asked} if kind == "liveness" else {kind: asked})


def test_one_path_may_answer_readiness_and_liveness() -> None:
    (container,) = one(scenario("another application"), "Deployment", "todo-chatbot-api")["spec"]["template"]["spec"]["containers"]
    assert {probe["httpGet"]["path"] for probe in probes_of(container).values()} == {"/api/health"}


def test_startup_may_take_as_long_as_the_deadline_for_progress_allows(objects: list[Object]) -> None:
    for deployment in services_of(objects):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        startup = container.get("startupProbe", {"periodSeconds": 0, "failureThreshold": 0})
        patience = startup["periodSeconds"] * startup["failureThreshold"]
        assert patience < deployment["spec"]["progressDeadlineSeconds"], title(deployment)
