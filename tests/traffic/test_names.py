"""Whether a service's name means that service in the pods that call it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.core.shell import Result
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.pods import PodState
from scripts.traffic import names
from scripts.traffic.lookups import ONCE

pytestmark = pytest.mark.unit

RIGHT = "10.215.160.193  todo-chatbot-backend.todo-chatbot.svc.cluster.local\n"
WRONG = "10.214.0.77     todo-chatbot-backend.todo-chatbot.svc.cluster.local todo-chatbot-backend\n"


def project(answer: str, address: str = "10.215.160.193", *, running: bool = True, seen: bool = True) -> Any:
    def services(kind: str) -> list[dict[str, Any]]:
        assert kind == "services"
        if not seen:
            raise TaskError("services is forbidden", "")
        return [{"metadata": {"name": "todo-chatbot-backend"}, "spec": {"clusterIPs": [address]}}]

    def execute(pod: PodState, argv: list[str], _input: str) -> Result:
        assert (pod.name, argv) == ("frontend-1", [*ONCE, "getent", "hosts", "todo-chatbot-backend"])
        return Result(0 if answer else 127, answer, "", 0.1)

    state = "Running" if running else "Pending"
    pods = [PodState("frontend", "frontend-1", state, False, 0, "frontend:1")]
    engine = SimpleNamespace(deployment=SimpleNamespace(cluster=SimpleNamespace(get=services)), execute=execute, pods=lambda: pods)
    return SimpleNamespace(settings=load_settings(), engine=engine)


def strange(app: Any) -> list[Diagnosis]:
    return names.strange(app.settings, app.engine)


def test_a_name_that_means_another_address_is_told_with_both() -> None:
    (cause,) = strange(project(WRONG))
    assert (cause.code, cause.workload) == ("dns-strange", "todo-chatbot-backend")
    assert "its name means 10.214.0.77 in the pods that call it, and its Service has 10.215.160.193" in cause.cause
    assert cause.evidence == ("in pod frontend-1: getent hosts todo-chatbot-backend tells 10.214.0.77",)


@pytest.mark.parametrize(
    "looked",
    [project(RIGHT), project(""), project(WRONG, "None"), project(WRONG, running=False), project(WRONG, seen=False)],
    ids=["the Service's", "no such program", "headless", "no pod runs", "Services may not be seen"],
)
def test_a_name_that_is_right_or_cannot_be_looked_up_is_not_told(looked: Any) -> None:
    assert strange(looked) == []
