"""`invoke spec` begins something new, and never writes over what is there."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from scripts.audit.rules import load
from scripts.core.errors import InputError
from scripts.core.report import Report
from scripts.dev import spec

pytestmark = pytest.mark.unit


def begin(name: str, folder: Path) -> str:
    out = io.StringIO()
    spec.begin(name, folder, load(), Report(stdout=out, stderr=io.StringIO()))
    return out.getvalue()


def test_a_feature_gets_the_next_number_and_its_three_files(tmp_path: Path) -> None:
    for there in ("001-one", "041-two", "chart.md"):
        (tmp_path / there).mkdir()
    assert begin("shared-lists", tmp_path).splitlines() == [f"specs/042-shared-lists/{name}.md" for name in ("spec", "plan", "tasks")]
    made = tmp_path / "042-shared-lists"
    assert (made / "spec.md").read_text().startswith("# Shared lists\n")
    plan = (made / "plan.md").read_text()
    assert "## Constitution check" in plan
    assert [line for line in plan.splitlines() if line.startswith("- [ ] ")] == [
        f"- [ ] {each.clause.name}: {each.clause.title}" for each in load()
    ]
    assert "- [ ] " in (made / "tasks.md").read_text()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    begin("lists", tmp_path)
    (tmp_path / "001-lists" / "spec.md").write_text("mine")
    with pytest.raises(InputError, match="specs/001-lists already exists"):
        begin("lists", tmp_path)
    assert (tmp_path / "001-lists" / "spec.md").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "a--b", "-a", "a/b"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a name for a feature"):
        begin(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
