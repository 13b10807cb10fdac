"""The audit itself: a row for each clause of a constitution, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scripts.audit import rules
from scripts.audit.checks import CHECKS
from scripts.audit.facts import Facts, Verdict
from scripts.audit.rules import Ruled
from scripts.audit.seeing import everything
from scripts.project import Project


@dataclass(frozen=True)
class Row:
    """What was found for one clause."""

    clause: str
    section: str
    text: str
    check: str
    on: str
    verdict: Verdict
    evidence: tuple[str, ...]
    remedy: str
    """What to do; only where the clause is broken."""
    reason: str
    decided: str
    """Why, and since when, the clause is kept in another way; only where it deviates."""


def audit(project: Project, progress: Callable[[str], None], ruled: Sequence[Ruled] | None = None) -> list[Row]:
    """Look at everything, and return a row for each clause. Raises InputError for rules that cannot be used, TaskError."""
    of = rules.load() if ruled is None else ruled
    paths = {path for each in of for path in each.rule.looks_for.get("paths", ())}
    return judge(of, everything.see(project, progress, sorted(paths)))


def judge(ruled: Sequence[Ruled], facts: Facts) -> list[Row]:
    """Return a row for each clause, of what was seen."""
    return [_row(each, facts) for each in ruled]


def _row(each: Ruled, facts: Facts) -> Row:
    clause, rule = each.clause, each.rule
    found = CHECKS[rule.check](facts, rule.looks_for)
    verdict, accepted = found.verdict, rule.deviation
    if verdict is Verdict.DEVIATES and not accepted:
        verdict = Verdict.BROKEN
    deviates = accepted if verdict is Verdict.DEVIATES else None
    return Row(
        clause=clause.name,
        section=clause.section,
        text=clause.text,
        check=rule.check,
        on=found.on,
        verdict=verdict,
        evidence=found.evidence,
        remedy=rule.remedy if verdict is Verdict.BROKEN else "",
        reason=deviates.reason if deviates else "",
        decided=deviates.decided if deviates else "",
    )
