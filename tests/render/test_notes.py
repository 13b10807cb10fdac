"""What `helm install` tells the person who ran it."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from tests.render.chart import CHART, MINIMAL, NAMESPACE, RELEASE, any_helm, render, title

pytestmark = pytest.mark.render


def notes(values: dict[str, Any]) -> str:
    argv = [any_helm(), "install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client"]
    argv += ["--values", str(MINIMAL), "--values", "-"]
    done = subprocess.run(argv, input=json.dumps(values), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("NOTES:\n", 1)[1]


def test_the_commands_name_objects_that_exist() -> None:
    text = notes({})
    made = {title(thing).lower() for thing in render()}
    named = set(re.findall(r"\b((?:deployment|statefulset|service)/[\w-]+)", text))
    assert {name.split("/")[0] for name in named} == {"deployment", "statefulset", "service"}
    assert named <= made
    commands = [line for line in text.splitlines() if line.strip().startswith(("kubectl", "helm"))]
    assert len(commands) > 8
    assert [line for line in commands if f"-n {NAMESPACE}" not in line] == []
    assert "{{" not in text


@pytest.mark.parametrize(
    ("values", "said", "not_said"),
    [
        ({}, "Monitoring is off", "Network policies are off"),
        ({}, "delete pvc data-todo-chatbot-postgres-0", "no database in the release"),
        ({"postgres": {"enabled": False}}, "no database in the release", "delete pvc"),
        ({"networkPolicy": {"enabled": False}}, "Network policies are off", "Network policies are installed"),
        ({"namespaceRules": {"enabled": False}}, "no quota, no limit range", "Network policies are off"),
        ({"monitoring": {"enabled": True}}, "Wait until it runs", "Monitoring is off"),
        ({"ingress": {"enabled": True, "host": "x.example"}}, "http://x.example/", "port-forward"),
        ({"ingress": {"enabled": True, "host": "x.example", "tlsSecretName": "y"}}, "https://x.example/", "port-forward"),
        ({"serviceDefaults": {"autoscaling": {"enabled": False}}}, "frontend stays at 2 pods", "{{"),
        ({"test": {"enabled": False}}, "There is no test", "helm test"),
        (
            {"services": {"backend": {"probes": {"readiness": {"path": "/health"}}}}},
            "backend answers readiness and liveness at one",
            "frontend answers",
        ),
        (
            {"ingress": {"enabled": True, "host": "x.example"}, "services": {"frontend": {"publicPath": "/chat"}}},
            "http://x.example/chat ",
            "port-forward",
        ),
    ],
)
def test_what_is_off_is_said_and_only_that(values: dict[str, Any], said: str, not_said: str) -> None:
    text = notes(values)
    assert said in text
    assert not_said not in text
