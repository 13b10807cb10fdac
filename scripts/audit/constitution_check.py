"""`specs/constitution-check.md`, made of the audit's rules; `scripts.dev.generated` writes it."""

from __future__ import annotations

from itertools import groupby

from scripts.audit.rules import Ruled, load
from scripts.core.paths import ROOT

PATH = ROOT / "specs" / "constitution-check.md"
_HEAD = """# Constitution check

Made of `.specify/audit.yaml` by `python -m scripts.dev.generated`. `invoke audit` holds each clause against what is
there ([audit.md](audit.md)); a deviation has its reason and the date on which it was decided.
"""


def text() -> str:
    """Return the page as it is committed. Raises InputError for rules that cannot be used."""
    parts = [_HEAD]
    for section, of in groupby(load(), lambda each: each.clause.section):
        parts += [f"## {section}", "| clause | check | specification | tests | deviation |", "|---|---|---|---|---|"]
        parts += [*map(_row, of), ""]
    return "\n".join(parts)


def _row(each: Ruled) -> str:
    clause, rule = each.clause, each.rule
    accepted = f"{rule.deviation.decided}: {rule.deviation.reason}" if rule.deviation else ""
    tests = ", ".join(f"[{test}](../{test})" for test in rule.tests)
    page = rule.specification.removeprefix("specs/")
    return f"| `{clause.name}` {clause.text} | `{rule.check}` | [{page}]({page}) | {tests} | {accepted} |"
