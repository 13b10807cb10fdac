"""What keeps Minikube from starting is told before anything starts."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from scripts.config.settings import Settings
from scripts.engines.minikube import checks
from scripts.engines.minikube.engine import MinikubeEngine
from tests.engines.minikube.answers import NO_PROFILES, PROFILES
from tests.programs import Programs, Reply

pytestmark = pytest.mark.unit


KNOWN = ("minikube", "config", "defaults", "kubernetes-version", "--output", "json")


@pytest.fixture
def docker_info(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What a Docker tells of itself that is large enough."""
    info: dict[str, object] = {"MemTotal": 2**40, "NCPU": 64, "CgroupVersion": "2"}
    images = SimpleNamespace(list=lambda: [SimpleNamespace(tags=["kicbase:1"])])
    monkeypatch.setattr(checks, "docker_client", lambda: SimpleNamespace(info=lambda: info, images=images))
    programs.tell(PROFILES, NO_PROFILES)
    return info


@pytest.mark.usefixtures("docker_info")
@pytest.mark.parametrize(
    ("known", "told"),
    [
        ('["v1.36.0-beta.0", "v1.35.1", "v1.20.0"]', ""),
        ('["v1.35.0"]', ""),
        ('["v1.34.0", "v1.20.0"]', "kubernetes_version is v1.35.1, and this Minikube knows 1.20 to 1.34: invoke setup brings"),
        ('["v1.40.0", "v1.36.0"]', "kubernetes_version is v1.35.1, and this Minikube knows 1.36 to 1.40"),
        ("unknown command", ""),
        ("[]", ""),
    ],
)
def test_a_minikube_that_does_not_know_the_kubernetes_is_told_before_it_starts(
    known: str, told: str, programs: Programs, settings: Settings
) -> None:
    programs.tell(KNOWN, Reply(known))
    problems = MinikubeEngine(settings.model_copy(update={"kubernetes_version": "v1.35.1"})).preflight()
    assert len(problems) == bool(told)
    assert all(told in str(problem) for problem in problems)


@pytest.mark.usefixtures("docker_info")
def test_who_forces_minikube_may_start_any_kubernetes(programs: Programs, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIKUBE_FORCE", "true")
    assert MinikubeEngine(settings.model_copy(update={"kubernetes_version": "v1.99.0"})).preflight() == []
    assert not [call for call in programs.asked("minikube") if "defaults" in call["argv"]]


@pytest.mark.parametrize(
    ("cgroups", "kubernetes", "version", "refused"),
    [("1", "v1.35.1", "v1.37.0", True), ("1", "v1.35.1", "v1.38.1", False), ("1", "v1.34.0", "", False), ("2", "v1.35.1", "", False)],
)
def test_a_machine_with_cgroup_v1_is_told_before_anything_starts(
    cgroups: str, kubernetes: str, version: str, refused: bool, programs: Programs, settings: Settings, docker_info: dict[str, object]
) -> None:
    docker_info["CgroupVersion"] = cgroups
    programs.tell(KNOWN, Reply(json.dumps([kubernetes])))
    if version:
        programs.tell(("minikube", "version", "--short"), Reply(version))
    problems = MinikubeEngine(settings.model_copy(update={"kubernetes_version": kubernetes})).preflight()
    assert ["cgroup v1" in str(problem) for problem in problems] == ([True] if refused else [])


def test_root_is_told_before_anything_that_minikube_refuses_it(
    programs: Programs, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.tell(PROFILES, NO_PROFILES)
    MinikubeEngine(settings).unusable()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert MinikubeEngine(settings).unusable() == "Minikube's docker driver does not run as root"
    assert not checks.rejects_root("none")


def test_without_minikube_the_engine_says_so(programs: Programs, settings: Settings) -> None:
    assert MinikubeEngine(settings).unusable() == "minikube is not installed"


def test_a_figure_that_is_too_large_is_a_cause_with_its_setting_and_a_remedy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_capacity", lambda _: (2, 4000))
    large = settings.minikube.model_copy(update={"driver": "docker", "memory_mib": 8000, "cpus": 2})
    (problem,) = checks._too_large(settings.model_copy(update={"minikube": large}))
    assert (problem.cause, problem.remedy) == (
        "minikube.memory_mib: 8000 wanted, Docker has 4000",
        "give Docker more, or write auto in invoke.yaml",
    )
