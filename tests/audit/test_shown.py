"""The audit as a table, as Markdown and as a page, and its exit code."""

from __future__ import annotations

import dataclasses
import io
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.audit import documents
from scripts.audit.facts import Verdict
from scripts.audit.rows import Row, judge
from scripts.audit.rules import RULES, load
from scripts.config.settings import load_settings
from scripts.core.errors import InputError, TaskError
from scripts.core.redaction import redact
from scripts.core.report import Report
from scripts.look import audit
from tests.audit.planted import facts, live

pytestmark = pytest.mark.unit

ABOUT = "app, 2026-11-27 01:54 UTC"


def rows(**changes: Any) -> list[Row]:
    found = judge(load(), facts(**changes))
    return [
        dataclasses.replace(row, verdict=Verdict.KEPT) if row.clause == "core-4" else row for row in found
    ]  # no page names planted commands


def shown(found: list[Row]) -> str:
    out = io.StringIO()
    audit.show(found, Report(stdout=out, stderr=io.StringIO()))
    return out.getvalue()


class Folded(HTMLParser):
    """Counts what is folded, and which of it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.folded: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "details":
            self.folded.append(("open", None) in attrs)


def test_every_clause_is_shown_with_its_verdict() -> None:
    found = rows()
    text = shown(found)
    assert text.count("\n") > 2 * len(found)
    assert "kept               security-1  No root user in containers" in text
    assert "deviates since 2026-11-27: assistants look" in text
    assert documents.summary(found) == "38 clauses: 34 kept, 1 deviates, 3 not checkable here"


def test_markdown_has_a_row_for_each_clause_and_no_cell_breaks_it() -> None:
    found = rows()
    odd = dataclasses.replace(found[0], evidence=("a | b <i>\nc",))
    text = documents.markdown([odd, *found[1:]], ABOUT)
    table = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| clause")]
    assert len(table) == 38
    assert ABOUT in text
    assert "a \\| b &lt;i> c" in table[0]
    assert all(line.replace("\\|", "").count("|") == 4 for line in table)


def test_the_page_folds_its_evidence_and_opens_what_is_broken() -> None:
    found = rows(live=live(logged={"<b>": False}))
    text = documents.page(found, ABOUT)
    parser = Folded()
    parser.feed(text)
    assert len(parser.folded) == 38
    assert parser.folded.count(True) == 1
    assert ABOUT in text
    assert "&lt;b&gt; has logged nothing" in text
    assert "http" not in text.replace("httpGet", "")


def test_a_document_masks_secrets() -> None:
    redact.learn("very-secret-value")
    odd = dataclasses.replace(rows()[0], evidence=("very-secret-value",))
    assert "very-secret-value" not in documents.markdown([odd], ABOUT) + documents.page([odd], ABOUT) + shown([odd])


def test_long_evidence_is_cut_for_a_person() -> None:
    many = dataclasses.replace(rows()[0], evidence=tuple(f"e{number}" for number in range(20)))
    assert documents.details(many)[0].endswith("e7; and 12 more (--json has all)")


@pytest.mark.parametrize("name", ["report.pdf", "report", "gone/report.md", "there.md"])
def test_a_report_that_cannot_be_written_is_refused_before_anything(name: str, tmp_path: Path) -> None:
    (tmp_path / "there.md").mkdir()
    with pytest.raises(InputError) as refused:
        audit.work(object(), Report(), tmp_path / name, RULES)  # type: ignore[arg-type]
    assert refused.value.code == "report-unwritable"


@pytest.mark.parametrize("name", ["audit.md", "audit.html"])
def test_a_report_is_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit.rows, "audit", lambda *_: rows())
    project: Any = SimpleNamespace(settings=load_settings())
    audit.work(project, Report(stdout=io.StringIO(), stderr=io.StringIO()), tmp_path / name, RULES)
    assert f"{load_settings().release}, 20" in (tmp_path / name).read_text()


def test_a_broken_clause_ends_with_1_after_the_whole_table(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(live=live(logged={"x": False}))
    monkeypatch.setattr(audit.rows, "audit", lambda *_: found)
    out = io.StringIO()
    with pytest.raises(TaskError, match="1 of 38 clauses is broken: monitoring-1") as failed:
        audit.work(object(), Report(stdout=out, stderr=io.StringIO()), None, RULES)  # type: ignore[arg-type]
    assert (failed.value.code, failed.value.exit_code) == ("constitution-broken", 1)
    assert "monitoring-4" in out.getvalue()
