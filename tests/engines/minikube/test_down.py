"""`down` stops the profile, and deletes it only when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.engines.minikube import engine
from scripts.engines.minikube.engine import MinikubeEngine
from tests.doubles import Step
from tests.engines.minikube.answers import NO_PROFILES, PROFILES, RUNNING, STATUS, STOPPED, profile
from tests.programs import Programs

pytestmark = pytest.mark.unit


def test_down_stops_the_cluster_and_deletes_it_only_when_asked(programs: Programs, settings: Settings, step: Step) -> None:
    kubectl = ("kubectl", "--kubeconfig", str(engine.KUBECONFIG), "--context", "todo", "--namespace", settings.namespace)
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    programs.tell((*kubectl, "get", "namespace", settings.namespace, "--ignore-not-found", "--output", "json"))
    programs.tell((*kubectl, "get", "persistentvolumeclaims", "--output", "name"))
    programs.tell(("minikube", "stop", "--profile", "todo"))
    assert "stopped the profile todo" in MinikubeEngine(settings).down(delete_data=False, delete_cluster=False, step=step).detail
    assert programs.asked("minikube", "delete") == []


def test_data_of_a_cluster_that_does_not_run_is_not_said_to_be_removed(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, STOPPED)
    with pytest.raises(TaskError, match="its data is still there"):
        MinikubeEngine(settings).down(delete_data=True, delete_cluster=False, step=step)


def test_down_twice_changes_nothing_the_second_time(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings), profile(settings), NO_PROFILES)
    programs.tell(STATUS, STOPPED)
    ours = MinikubeEngine(settings)
    stopped = ours.down(delete_data=False, delete_cluster=False, step=step)
    assert (stopped.kind, "invoke down --cluster" in stopped.detail) == ("unchanged", True)
    programs.tell(("minikube", "delete", "--profile", "todo"))
    assert ours.down(delete_data=True, delete_cluster=True, step=step).kind == "changed"
    assert ours.down(delete_data=True, delete_cluster=True, step=step).kind == "unchanged"


def test_a_profile_that_does_not_run_is_silent_and_one_that_was_never_made_is_not(
    programs: Programs, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "KUBECONFIG", tmp_path / "kubeconfig")
    assert MinikubeEngine(settings).silent() == ""
    (tmp_path / "kubeconfig").touch()
    programs.tell(PROFILES, profile(settings), NO_PROFILES)
    programs.tell(STATUS, STOPPED)
    assert MinikubeEngine(settings).silent() == "the profile todo is stopped"
    assert MinikubeEngine(settings).silent() == ""
