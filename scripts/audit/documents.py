"""An audit as a document: Markdown, or one HTML page with the evidence folded."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from scripts.audit.facts import Verdict
from scripts.audit.rows import Row
from scripts.core.errors import InputError
from scripts.core.redaction import redact

MOST = 8
"""Pieces of evidence that a person is shown."""
Page = Callable[[Sequence[Row], str], str]
_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}summary{cursor:pointer}"
    "details{margin:.3rem 0}.v{display:inline-block;min-width:10rem}"
    ".kept{color:#176b2c}.broken{color:#a40000;font-weight:bold}.deviates{color:#7a5200}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}.kept{color:#6c9}.broken{color:#f88}.deviates{color:#db6}}"
)


def page_for(path: Path) -> Page:
    """Return what makes the document that a file of this name is to hold. Raises InputError where it cannot be written or made."""
    pages: dict[str, Page] = {".md": markdown, ".html": page}
    if path.suffix not in pages:
        raise InputError(f"--report: {path.name} is neither .md nor .html", "name a file of one of them", code="report-unwritable")
    if not path.absolute().parent.is_dir() or path.is_dir():
        raise InputError(f"--report: {path} is a folder, or its folder does not exist", "name another file", code="report-unwritable")
    return pages[path.suffix]


def summary(rows: Sequence[Row]) -> str:
    """Return how many clauses have which verdict, in one line."""
    number = Counter(row.verdict for row in rows)
    return f"{len(rows)} clauses: {', '.join(f'{number[verdict]} {verdict}' for verdict in Verdict if number[verdict])}"


def details(row: Row) -> list[str]:
    """Return what stands below a clause: the evidence, and what to do or why it deviates."""
    more = len(row.evidence) - MOST
    lines = [f"{row.on}: {'; '.join([*row.evidence[:MOST], *([f'and {more} more (--json has all)'] if more > 0 else [])])}"]
    if row.reason:
        lines.append(f"deviates since {row.decided}: {row.reason}")
    return [*lines, f"-> {row.remedy}"] if row.remedy else lines


def markdown(rows: Sequence[Row], about: str) -> str:
    """Return the audit as Markdown: what it is about, and a table a section."""
    parts = ["# Audit of the constitution", "", redact(about), "", redact(summary(rows))]
    for section, of in groupby(rows, lambda row: row.section):
        parts += ["", f"## {section}", "| clause | verdict | evidence |", "|---|---|---|"]
        parts += [
            f"| {row.clause}: {_cell(row.text)} | {row.verdict} | {'<br>'.join(_cell(line) for line in details(row))} |" for row in of
        ]
    return "\n".join([*parts, ""])


def _cell(text: str) -> str:
    return redact(text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")


def page(rows: Sequence[Row], about: str) -> str:
    """Return the audit as one HTML page that needs nothing else; what is broken is unfolded."""
    return "\n".join(_page(rows, about))


def _page(rows: Sequence[Row], about: str) -> Iterator[str]:
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Audit of the constitution</title><style>{_STYLE}</style>'
    yield f"<h1>Audit of the constitution</h1><p>{_text(about)}</p><p>{_text(summary(rows))}</p>"
    for section, of in groupby(rows, lambda row: row.section):
        yield f"<h2>{_text(section)}</h2>"
        for row in of:
            unfolded = " open" if row.verdict is Verdict.BROKEN else ""
            head = f'<span class="v {row.verdict.split()[0]}">{row.verdict}</span> {row.clause} {_text(row.text)}'
            lines = "".join(f"<li>{_text(line)}</li>" for line in details(row))
            yield f"<details{unfolded}><summary>{head}</summary><ul>{lines}</ul></details>"
    yield "</html>"


def _text(text: str) -> str:
    return html.escape(redact(text))
