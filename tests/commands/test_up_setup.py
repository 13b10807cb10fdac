"""`invoke up --setup`: the tools come in the run that needs them, and helm, which the chart alone needs, while images build."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest

from scripts import bring_helm, preflight, setup, up
from scripts.config.settings import load_settings
from scripts.core import paths
from scripts.core.check import Check, Problem
from scripts.core.errors import InputError
from scripts.core.report import Report
from scripts.machine import packages, tool_downloads, tools
from scripts.machine.tools import Found
from scripts.project import Project
from tests.checkout import Checkout
from tests.doubles import Step
from tests.reports.test_doctor import Engine

HELM = b"#!/bin/sh\necho v4.3.0\n"


def project(**engine: Any) -> Project:
    return cast("Project", SimpleNamespace(settings=load_settings(), engine=SimpleNamespace(deployment="any", **engine), monitored=True))


@pytest.mark.unit
def test_nothing_but_the_chart_waits_for_helm() -> None:
    graph = {step.name: step for step in up.steps(project(), setup=True)}
    assert graph["helm"].needs == ("preflight",)
    assert {name for name, step in graph.items() if "helm" in step.needs} == {"chart", "crds"}
    assert "helm" not in {step.name for step in up.steps(project())}


def lacking_helm(monkeypatch: pytest.MonkeyPatch) -> Mock:
    lacks = {"helm": Found("helm", problem=Problem("helm is not installed")), "docker": Found("docker", (29, 0, 0))}
    monkeypatch.setattr(tools, "find_all", lambda names, _: [lacks[name] for name in names])
    monkeypatch.setattr(Engine, "tools", ("docker", "helm"))
    judged = Mock(return_value=[])
    monkeypatch.setattr(Engine, "preflight", judged)
    return judged


@pytest.mark.unit
def test_preflight_judges_all_but_the_chart_while_helm_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = lacking_helm(monkeypatch)
    checked = {check.name: check for check in preflight.look(cast("Any", made_project(monkeypatch)), ["helm"])}
    assert (checked["helm"].skipped, checked["chart"].skipped, checked["engine"].skipped) == (True, True, False)
    judged.assert_called_once()
    assert preflight.refusal(list(checked.values())) is None


@pytest.mark.unit
def test_without_setup_a_missing_helm_ends_the_run_before_anything_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking_helm(monkeypatch)
    failure = preflight.refusal(preflight.look(cast("Any", made_project(monkeypatch))))
    assert failure is not None
    assert (failure.exit_code, failure.cause, failure.action) == (3, "helm is not installed", "invoke setup")


def made_project(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("reach_check", "disk_check", "memory_check", "env_check", "monitoring_check"):
        monkeypatch.setattr(preflight, name, lambda _project, name=name: Check(name))
    return SimpleNamespace(settings=load_settings(), engine=Engine(), monitored=False)


@pytest.fixture
def no_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without helm, for which a release is served."""
    folder = tmp_path / ".tools/bin"
    monkeypatch.setattr(paths, "TOOLS", folder)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    served = tmp_path / "helm"
    served.write_bytes(HELM)
    version, system = load_settings().tools["helm"].version, "/".join(tool_downloads.platform_name())
    sums = {version: {system: hashlib.sha256(HELM).hexdigest()}}
    release = tool_downloads.ToolDownload(url="http://releases.test/helm", sha256=sums)
    monkeypatch.setattr(tool_downloads, "load", lambda: {"helm": release})

    def fetch(_url: str, target: Path, _tell: object) -> str:
        target.write_bytes(HELM)
        return hashlib.sha256(HELM).hexdigest()

    monkeypatch.setattr(tool_downloads, "_fetch", fetch)
    return folder


@pytest.mark.runner
def test_helm_judges_the_chart_as_soon_as_it_is_there(no_helm: Path, step: Step) -> None:
    judge = Mock()
    assert bring_helm.main(project(check=judge), step).kind == "changed"
    assert (no_helm / "helm").read_bytes() == HELM
    judge.side_effect = InputError("chart.values: replicas: not a number", "fix it")
    with pytest.raises(InputError, match="replicas"):
        bring_helm.main(project(check=judge), step)
    judge.side_effect = None
    assert bring_helm.main(project(check=judge), step).kind == "unchanged"


@pytest.mark.unit
def test_setup_for_up_leaves_helm_and_what_tests_need(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def find_all(names: list[str], _: object) -> list[Found]:
        asked.extend(names)
        return [Found(name, (99, 0, 0)) for name in names]

    monkeypatch.setattr(tools, "find_all", find_all)
    monkeypatch.setattr(setup, "_for_tests", lambda: {"chromium": "the page is used in a real browser"})
    monkeypatch.setattr(setup, "_for_bases", lambda *_: {})
    monkeypatch.setattr(packages, "installable", lambda: True)
    install = Mock()
    monkeypatch.setattr(packages, "apt_install", install)
    settings = load_settings().model_copy(update={"engine": "minikube"})
    outcome = setup.main(cast("Project", SimpleNamespace(settings=settings)), step, for_up=True)
    assert outcome.kind == "unchanged"
    assert asked == ["docker", "minikube", "kubectl"]
    install.assert_not_called()
    assert step.warned == []


@pytest.mark.unit
def test_a_wrong_env_is_told_before_the_first_tool_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / ".env"
    env.write_text("POSTGRES_PASSWORD=short\nno_such_key=1\n")
    monkeypatch.setattr("scripts.project.ENV", env)
    monkeypatch.setattr(up, "ENV", env)
    came = Mock()
    monkeypatch.setattr(setup, "main", came)
    with pytest.raises(InputError):
        up.bring_tools(Project("docker"), Report())
    came.assert_not_called()


@pytest.mark.engine
def test_with_every_tool_there_the_run_is_that_of_up(checkout: Checkout) -> None:
    """It stops at preflight, for want of disk, so that nothing is changed."""
    checkout.set("needs.free_disk_gib", "100000")
    run = checkout.invoke("up", "--setup", "--engine", "docker", "--json")
    assert run.code == 2
    assert list(run.results())[:2] == ["setup", "preflight"]
    assert run.results()["setup"] == "unchanged"
