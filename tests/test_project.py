"""What a command works on is read once, however many steps need it at the same time; and what follows from it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from scripts import project
from scripts.config.settings import Settings, load_settings
from scripts.kubernetes.cluster import Cluster
from scripts.project import SERVICE_MONITORS, Project
from tests.projects import project_in

pytestmark = pytest.mark.unit


def test_threads_that_need_the_engine_at_once_choose_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[Settings] = []

    def choose(settings: Settings) -> tuple[object, str]:
        time.sleep(0.05)
        chosen.append(settings)
        return SimpleNamespace(name=str(len(chosen))), "first"

    monkeypatch.setattr(project, "choose", choose)
    one = Project()
    with ThreadPoolExecutor(max_workers=8) as pool:
        assert {engine.name for engine in pool.map(lambda _: one.engine, range(8))} == {"1"}


@pytest.mark.parametrize(("known", "wanted", "monitored"), [(True, True, True), (False, True, False), (True, False, False)])
def test_the_release_has_service_monitors_wherever_the_cluster_knows_them_and_they_are_wanted(
    known: bool, wanted: bool, monitored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cluster, "knows", lambda _, what: known and what == SERVICE_MONITORS)
    settings = load_settings()
    settings = settings.model_copy(update={"monitoring": settings.monitoring.model_copy(update={"enabled": wanted})})
    made = project_in(Cluster("any", "todo", "todo"), settings)
    made._images = []
    assert made.release().values["monitoring"]["enabled"] is monitored


def test_the_project_read_again_stays_on_its_engine_and_knows_why_it_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(settings: Settings) -> tuple[object, str]:
        return SimpleNamespace(name="docker"), "the app is installed there" if settings.engine == "auto" else "as --engine says"

    monkeypatch.setattr(project, "choose", choose)
    one = Project("auto")
    for again in (one.again(), one.again(in_dev={}), one.again().again()):
        assert (again.settings.engine, again.reason) == ("docker", "the app is installed there")
    assert Project("docker").again().reason == "as --engine says"
