"""The repository's own machinery: what CI runs is what people run, what is pinned is kept up to date, and versions agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.config.settings import load_settings
from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
ACTIVATE = ". .venv/bin/activate && "
PIN = re.compile(r"@v\d+$")


def commands() -> list[str]:
    return sorted({step["run"].removeprefix(ACTIVATE) for step in STEPS if "run" in step})


@pytest.mark.parametrize("command", commands())
def test_what_ci_runs_is_a_command_that_contributing_names(command: str) -> None:
    assert f"`{command}`" in (ROOT / "CONTRIBUTING.md").read_text()


def test_every_python_that_is_supported_is_tested() -> None:
    least = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    tested = JOBS["test"]["strategy"]["matrix"]["python"]
    assert tested[0] == least
    assert tested == [f"3.{minor}" for minor in range(int(least.split(".")[1]), int(tested[-1].split(".")[1]) + 1)]


def test_each_action_has_its_version_and_each_job_its_time() -> None:
    assert [step["uses"] for step in STEPS if "uses" in step and not PIN.search(step["uses"])] == []
    assert all(0 < job["timeout-minutes"] <= 60 for job in JOBS.values())


def test_the_workflow_is_right_by_actionlint() -> None:
    if not (actionlint := shutil.which("actionlint") or _in_go()):
        pytest.skip("actionlint is not installed (go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12)")
    done = subprocess.run([actionlint, str(WORKFLOW)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _in_go() -> str | None:
    return shutil.which("actionlint", path=str(Path.home() / "go" / "bin"))


def test_dependabot_reads_every_file_of_requirements_and_every_dockerfile() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    places = {each["package-ecosystem"]: set(each.get("directories") or [each["directory"]]) for each in updates}
    assert places["pip"] == {f"/{_place(path)}".rstrip("/") or "/" for path in tracked("requirements*.in")}
    assert places["npm"] == {f"/{_place(path)}" for path in tracked("package.json")}
    assert places["docker"] == {f"/{_place(path)}" for path in tracked("*.Dockerfile")}
    assert {"github-actions", "devcontainers"} <= places.keys()


def _place(path: str) -> str:
    return path.rpartition("/")[0]


def tracked(pattern: str) -> list[str]:
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard", f":(glob)**/{pattern}", ":!tests/apps"]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_renovate_finds_every_pin_of_invoke_yaml() -> None:
    settings, text = load_settings(), (ROOT / "invoke.yaml").read_text()
    pins = {settings.kubernetes_version, settings.monitoring.chart_version, settings.monitoring.adapter.chart_version}
    pins |= {base.image.partition(":")[2] for base in settings.base_images.values()} | {tool.version for tool in settings.tools.values()}
    assert found(text, "invoke\\.yaml") == pins


@pytest.mark.parametrize("name", ["scripts/go.lock.txt", ".github/workflows/ci.yml"])
def test_renovate_finds_the_pins_of_programs_that_go_brings(name: str) -> None:
    assert len(found((ROOT / name).read_text(), re.escape(name))) == 1


def found(text: str, name: str) -> set[str]:
    """What the patterns for a file find in its text."""
    managers = json.loads((ROOT / "renovate.json").read_text())["customManagers"]
    own = [pattern for each in managers if each["managerFilePatterns"] == [f"/^{name}$/"] for pattern in each["matchStrings"]]
    assert own
    versions = [[match["currentValue"] for match in re.finditer(pattern.replace("(?<", "(?P<"), text)] for pattern in own]
    assert all(versions), "a pattern that finds nothing"
    return {version for each in versions for version in each}


def test_the_container_for_developers_brings_the_tools_that_invoke_yaml_names() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    features = {name.rpartition("/")[2].partition(":")[0]: options for name, options in container["features"].items()}
    tools = load_settings().tools
    assert features["kubectl-helm-minikube"] == {
        "version": tools["kubectl"].version,
        "helm": tools["helm"].version,
        "minikube": tools["minikube"].version,
    }
    assert "docker-in-docker" in features
    assert container["postCreateCommand"] in (ROOT / "CONTRIBUTING.md").read_text()


def test_pre_commit_runs_the_linters_of_this_checkout() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (hook,) = repository["hooks"]
    assert (repository["repo"], hook["entry"], hook["language"]) == ("local", ".venv/bin/invoke lint", "system")


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((ROOT / "helm" / "todo-chatbot" / "Chart.yaml").read_text())
    assert chart["appVersion"] == project
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()


def test_the_form_for_problems_asks_for_what_tells_most() -> None:
    (form,) = (yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("bug.yml"))
    asked = {part["id"]: (part["attributes"]["label"], part.get("validations", {}).get("required", False)) for part in form["body"]}
    assert asked["doctor"] == ("Output of `invoke doctor --json`", True)
    assert ".state/last-run.log" in asked["log"][0]
