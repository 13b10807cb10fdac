"""What a command works on is read once, however many steps need it at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from scripts import project
from scripts.config.settings import Settings
from scripts.project import Project

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
