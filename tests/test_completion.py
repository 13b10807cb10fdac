"""A shell completes services, engines and keys, and what Invoke knows by itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scripts.completion import values
from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

COMMANDS = ["up", "logs", "restart", "scale", "shell", "open", "rotate", "status"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("invoke logs", ["logs", "backend", "frontend", "postgres"]),
        ("invoke logs ba", ["backend", "frontend", "postgres"]),
        ("invoke up --engine", ["auto", "minikube", "kube_context", "docker"]),
        ("invoke up --engine mi", ["auto", "minikube", "kube_context", "docker"]),
        ("invoke restart x", ["backend", "frontend", "postgres"]),
        ("invoke scale", ["scale", "backend", "frontend"]),
        ("invoke scale backend", ["auto"]),
        ("invoke scale backend a", ["auto"]),
        ("invoke open gra", ["app", "backend", "frontend", "grafana", "prometheus"]),
        ("invoke rotate", ["rotate", "POSTGRES_PASSWORD", "API_TOKEN", "GRAFANA_ADMIN_PASSWORD"]),
        ("invoke psql --key D", ["DATABASE_URL"]),
        ("invoke", None),
        ("invoke st", None),
        ("invoke logs --fo", None),
        ("invoke logs backend", None),
        ("invoke logs 'back", None),
    ],
)
def test_what_may_come_next(line: str, found: list[str] | None) -> None:
    assert values(line, COMMANDS) == found


@pytest.mark.parametrize(("words", "found"), [(("logs", "b"), "backend"), (("sta",), "status"), (("up", "--no"), "--no-monitoring")])
def test_invoke_answers_a_shell(words: tuple[str, ...], found: str) -> None:
    argv = [sys.executable, "-m", "invoke", "--complete", "--", "invoke", *words]
    answer = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert found in answer.stdout.splitlines(), answer.stdout + answer.stderr
