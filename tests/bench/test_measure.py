"""What is measured, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from scripts.bench import page
from scripts.bench.measure import Measured, critical_path, editing, in_dev, in_turn
from scripts.bench.page import OURS, PLAIN
from scripts.config.settings import load_settings
from scripts.core import shell
from scripts.core.errors import InputError, TaskError
from scripts.dev.bench import called, source_file
from tests.projects import project_on

pytestmark = pytest.mark.unit


def test_ways_are_taken_in_turn_each_after_the_same_change() -> None:
    done: list[str] = []
    ways = {OURS: lambda: done.append("ours"), PLAIN: lambda: done.append("plain")}
    measured = in_turn("x", ways, 2, lambda way: done.append(f"before {way}"))
    assert done == [f"before {OURS}", "ours", f"before {PLAIN}", "plain"] * 2
    assert {way: len(seconds) for way, seconds in measured.seconds.items()} == {OURS: 2, PLAIN: 2}


def test_a_ratio_is_of_medians_and_of_what_was_taken() -> None:
    measured = Measured("x", {OURS: [1.0, 9.0, 2.0], PLAIN: [4.0]})
    assert measured.ratio(OURS, PLAIN) == 0.5
    assert measured.ratio(OURS, "floor") is None


def test_a_change_is_served_when_dev_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        {"event": "message", "text": "watching the sources"},
        {"event": "served", "service": "other"},
        {"event": "served", "service": "web"},
    ]

    @contextmanager
    def background(_argv: list[str], on_line: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
        for line in ("no JSON", *map(json.dumps, events)):
            on_line(line)
        alive = iter([True] * 4)
        yield lambda: next(alive, False)

    monkeypatch.setattr(shell, "background", background)
    with in_dev("any", "web") as served:
        served()
        with pytest.raises(TaskError, match="told of no `served`"):
            served()


def test_a_file_is_as_it_was_whatever_happens(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_text("const a = 1;\n")
    texts = set()

    def change_twice() -> None:
        with editing(path) as edit:
            for _ in range(2):
                edit()
                texts.add(path.read_text())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_twice()
    assert len(texts) == 2
    assert all(text.startswith("const a = 1;\n// ") for text in texts)
    assert path.read_text() == "const a = 1;\n"


def test_the_critical_path_is_the_longest_chain() -> None:
    needs = {"build": ["preflight"], "start": ["preflight"], "load": ["build", "start"]}
    assert critical_path({"preflight": 1, "build": 5, "start": 3, "load": 2}, needs) == 8
    assert critical_path({}, needs) == 0


FOUND = [
    Measured("up, nothing changed", {OURS: [1.0], PLAIN: [10.0]}, programs=5),
    Measured("up, <one> line changed", {OURS: [3.0], PLAIN: [12.0], "floor": [2.5]}),
]


def test_the_page_has_a_row_for_each_thing_and_a_ratio_for_each_other_way() -> None:
    text = page.page(FOUND, "a machine", "p.svg")
    assert "| what | invoke | plain commands | floor | invoke / plain commands | invoke / floor | programs started |" in text
    assert "| up, nothing changed | 1.00 s | 10.00 s |  | 0.10 |  | 5 |" in text
    assert "| up, <one> line changed | 3.00 s | 12.00 s | 2.50 s | 0.25 | 1.20 |  |" in text
    assert "(p.svg)" in text


def test_the_picture_is_an_svg_whose_bars_have_the_lengths_of_the_figures() -> None:
    root = ET.fromstring(page.picture(FOUND))
    _, *bars = [each for each in root if each.tag.endswith("rect")]
    widths = [float(each.attrib["width"]) for each in bars]
    assert len(bars) == 5
    assert max(widths) == widths[3]
    assert widths[0] / widths[3] == pytest.approx(1 / 12, abs=0.01)
    assert "up, <one> line changed" in [each.text for each in root]


def test_a_source_file_of_a_service_is_found() -> None:
    project = project_on(None, load_settings())
    assert source_file(project, "").suffix == ".py"
    assert "frontend" in source_file(project, "frontend").parts
    with pytest.raises(InputError, match="is not built here"):
        source_file(project, "nothing")


def test_another_command_is_called_by_its_words_without_its_options() -> None:
    assert called("skaffold run --label a=b") == "skaffold run"
    assert called("./bring") == "./bring"
