"""The whole of `invoke bench`, with nothing behind its ways: what is done in which order, and what is written."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.bench import measure
from scripts.bench.plain import Plain
from scripts.config.settings import load_settings
from scripts.core.report import Report
from scripts.dev import bench as command
from scripts.project import Project
from tests.projects import project_on

pytestmark = pytest.mark.unit


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was done, in its order."""
    calls: list[str] = []
    source = tmp_path / "app.py"
    source.write_text("one = 1\n")
    monkeypatch.setattr(measure, "invoke", lambda *argv, **_: lambda: calls.append(f"invoke {argv[0]}"))
    monkeypatch.setattr(Plain, "all_of_it", lambda _: calls.append("plain"))
    monkeypatch.setattr(Plain, "only", lambda _, service: calls.append(f"only {service} {source.read_text().count('changed')}"))
    monkeypatch.setattr(Plain, "forget", lambda _: calls.append("forget"))
    monkeypatch.setattr(measure, "in_dev", lambda *_: nullcontext(lambda: calls.append("served")))
    monkeypatch.setattr(command, "Project", lambda _: None)
    monkeypatch.setattr(command, "source_file", lambda *_: source)
    monkeypatch.setattr(command, "_service_of", lambda *_: "backend")
    monkeypatch.setattr(command, "_kubernetes", lambda _: "v1.0.0")
    monkeypatch.setattr(Project, "require_installed", lambda _: None)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "DOCUMENT", tmp_path / "performance.md")
    monkeypatch.setattr(command, "PICTURE", tmp_path / "performance.svg")
    return calls


def test_one_call_measures_everything_and_writes_page_and_picture(done: list[str], tmp_path: Path) -> None:
    out = io.StringIO()
    project = project_on(SimpleNamespace(name="told", deployment=object()), load_settings())
    body = command.bench.body.__closure__
    function = next(cell.cell_contents for cell in body if getattr(cell.cell_contents, "__name__", "") == "bench")
    function(project, Report(as_json=True, stdout=out), rounds=1, write=True)
    (event,) = [each for each in map(json.loads, out.getvalue().splitlines()) if each["event"] == "bench"]
    assert [row["what"] for row in event["rows"]] == [
        "invoke --list",
        "plan, nothing changed",
        "up, nothing changed",
        "up, one line of backend changed",
        "dev, one line of backend changed",
    ]
    assert "only backend 1" in done
    assert done[-4:] == ["served", "invoke up", "invoke up", "forget"]
    assert "| up, nothing changed |" in (tmp_path / "performance.md").read_text()
    assert (tmp_path / "performance.svg").read_text().startswith("<svg")
    assert (tmp_path / "app.py").read_text() == "one = 1\n"
