"""What was rendered once is not rendered again: within a run, and of what preflight judges, from run to run."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from scripts.config.settings import load_settings
from scripts.core.errors import TaskError
from scripts.desired.helm_release import HelmRelease
from scripts.engines import checked
from scripts.engines.docker.engine import DockerEngine
from scripts.kubernetes import helm

pytestmark = pytest.mark.unit


@pytest.fixture
def rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mock:
    monkeypatch.setattr(checked, "PATH", tmp_path / "state/checked-chart")
    render = Mock(return_value="")
    monkeypatch.setattr(helm, "render", render)
    return render


def release(tmp_path: Path, **values: str) -> HelmRelease:
    chart = tmp_path / "chart"
    chart.mkdir(exist_ok=True)
    return HelmRelease("shop", "shop", chart, values)


def test_a_run_renders_a_release_once(rendered: Mock, tmp_path: Path) -> None:
    engine = DockerEngine(load_settings())
    first = engine._plan(release(tmp_path, a="1"))
    assert engine._plan(release(tmp_path, a="1")) is first
    engine._plan(release(tmp_path, a="2"))
    assert rendered.call_count == 2


def test_the_next_run_judges_what_is_new_alone(rendered: Mock, tmp_path: Path) -> None:
    for values, times in (({"a": "1"}, 1), ({"a": "1"}, 1), ({"a": "2"}, 2)):
        DockerEngine(load_settings()).check(release(tmp_path, **values))
        assert rendered.call_count == times


def test_what_was_refused_is_judged_again(rendered: Mock, tmp_path: Path) -> None:
    rendered.side_effect = TaskError("the chart refuses it")
    for _ in range(2):
        with pytest.raises(TaskError):
            DockerEngine(load_settings()).check(release(tmp_path))
    assert rendered.call_count == 2


def test_what_suits_one_engine_is_judged_again_for_another(rendered: Mock, tmp_path: Path) -> None:
    judged = Mock()
    for engine in ("kubernetes", "docker", "docker"):
        checked.unless_known(engine, release(tmp_path), "v1", judged)
    assert judged.call_count == 2
