"""`invoke values` prints all that the chart needs: what it prints installs the same objects without this tool."""

from __future__ import annotations

import io
import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from scripts.config.settings import KubeContext, Settings
from scripts.core.paths import ROOT
from scripts.core.report import Report
from scripts.desired.images import BaseImage, Image
from scripts.desired.secrets import is_pull_secret
from scripts.look import values as command
from scripts.project import Project
from tests.config.test_services import RAW, settings_of
from tests.projects import project_on
from tests.render.chart import any_helm

DIGEST = f"sha256:{'0' * 64}"
SERVICES = {
    **RAW["services"],
    "queue": {"image": f"redis:8@{DIGEST}", "user": 999, "port": 6379},
    "jobs": {"image": "r.example:5000/a/jobs:1.2"},
}


def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    settings: Settings = settings_of(SERVICES)
    made = project_on(SimpleNamespace(name="docker", deployment=None), settings, POSTGRES_PASSWORD="hunter2-pg", API_TOKEN="hunter2-token")
    made._images = [Image(name, f"todo-{name}", "h1", ROOT, ROOT, BaseImage("", "", ())) for name in made.sources]
    monkeypatch.setattr(made, "_supposed_users", lambda: {name: (1000, 2000) for name in made.sources if name != "queue"})
    return made


def printed(made: Project, registry: str = "") -> str:
    output = io.StringIO()
    command.print_values(made, Report(stdout=output, stderr=io.StringIO()), registry)
    return output.getvalue()


@pytest.mark.unit
def test_it_prints_every_value_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    made = project(monkeypatch)
    text = printed(made)
    assert yaml.safe_load(text) == json.loads(made.release().values_json)
    assert "hunter2" not in text
    assert "# helm upgrade --install todo-chatbot helm/todo-chatbot --namespace todo-chatbot --values THIS-FILE" in text
    assert all(f"# needs the Secret {secret.name}: {', '.join(secret.keys)}" in text for secret in made.secrets)


@pytest.mark.unit
def test_for_a_registry_images_of_ours_lie_below_it_and_taken_ones_have_their_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Any = yaml.safe_load(printed(project(monkeypatch), "ghcr.io/me/"))
    images = {name: service["image"] for name, service in found["services"].items()}
    assert images["backend"] == {"repository": "ghcr.io/me/todo-backend", "tag": "h1"}
    assert images["queue"] == {"repository": "redis", "digest": DIGEST}
    assert images["jobs"] == {"repository": "r.example:5000/a/jobs", "tag": "1.2"}
    assert found["postgres"]["image"] == {"repository": "ghcr.io/me/todo-postgres", "tag": "h1"}


@pytest.mark.render
@pytest.mark.parametrize("registry", ["", "ghcr.io/me"])
def test_helm_takes_what_it_prints_and_nothing_else(registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project(monkeypatch)
    argv = [any_helm(), "template", "todo-chatbot", str(ROOT / "helm/todo-chatbot"), "--values", "-"]
    done = subprocess.run(argv, input=printed(made, registry), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    pods = {
        o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in yaml.safe_load_all(done.stdout) if o and o["kind"] == "Deployment"
    }
    assert {name: pod["securityContext"]["runAsUser"] for name, pod in pods.items()} == {
        "todo-chatbot-backend": 1000,
        "todo-chatbot-frontend": 1000,
        "todo-chatbot-jobs": 1000,
        "todo-chatbot-queue": 999,
    }


@pytest.mark.unit
@pytest.mark.parametrize(
    ("engine", "registry", "needed"),
    [("kube_context", "r.example/me", True), ("kube_context", "", False), ("docker", "r.example/me", False)],
)
def test_only_nodes_that_pull_from_a_registry_need_its_login(engine: str, registry: str, needed: bool) -> None:
    wanted = KubeContext(context="theirs", registry=registry, registry_login="REGISTRY_LOGIN")
    settings = settings_of(SERVICES).model_copy(update={"kube_context": wanted})
    made = project_on(
        SimpleNamespace(name=engine, deployment=None), settings, POSTGRES_PASSWORD="hunter2-pg", REGISTRY_LOGIN="me:hunter2-pull"
    )
    assert [secret.name for secret in made.secrets if is_pull_secret(secret.name)] == [made.secrets[-1].name] * needed
