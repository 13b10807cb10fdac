"""The rules of an audit: data that name, for each clause, a check, what to do where it is broken, and what deviation is accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from scripts.audit.checks import CHECKS
from scripts.audit.constitution import Clause, clauses
from scripts.config import yaml_text
from scripts.config.text_file import read_text
from scripts.config.validation import meant, problems_of
from scripts.core.errors import InputError, all_problems
from scripts.core.paths import ROOT
from scripts.core.strict import Strict

RULES = ROOT / ".specify" / "audit.yaml"


class Deviation(Strict):
    """A deviation that was decided."""

    reason: str
    """Why the clause is kept in another way."""
    decided: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    """When that was decided."""


class Rule(Strict):
    """How one clause is held against what is there."""

    check: str
    """The name of the check."""
    looks_for: Mapping[str, Any] = Field(default_factory=dict, alias="with")
    """What the check is to look for."""
    remedy: str
    """What to do where the clause is broken."""
    deviation: Deviation | None = None
    """The deviation that is accepted, if any."""
    specification: str
    """The page that holds the clause, from the repository's root."""
    tests: tuple[str, ...] = Field(strict=False)
    """The tests that hold it."""


class _Rules(Strict):
    constitution: str
    rules: dict[str, Rule]


@dataclass(frozen=True)
class Ruled:
    """A clause with its rule."""

    clause: Clause
    rule: Rule


def load(path: Path = RULES) -> list[Ruled]:
    """Return the clauses of the constitution that the rules are of, each with its rule. Raises InputError with every problem."""
    raw = yaml_text.load(_text(path), path.name)
    try:
        found = _Rules.model_validate(raw)
    except ValidationError as error:
        raise _invalid(path, problems_of(error, _Rules)) from None
    there = clauses(_text(ROOT / found.constitution))
    if problems := list(_problems(found, there)):
        raise _invalid(path, problems)
    return [Ruled(clause, found.rules[clause.name]) for clause in there]


def _problems(found: _Rules, there: list[Clause]) -> Iterator[str]:
    names = [clause.name for clause in there]
    if not names:
        yield f"{found.constitution} has no clause: headings of `## `, and under them lines of `1. ` or `- `"
    yield from (f"{name} has no rule" for name in names if name not in found.rules)
    for name, rule in found.rules.items():
        if name not in names:
            yield f"{name} is not a clause of {found.constitution}{meant(name, names)}"
        if rule.check not in CHECKS:
            yield f"{name}: there is no check `{rule.check}`{meant(rule.check, CHECKS)}"


def _text(path: Path) -> str:
    missing = InputError(f"{path.name} does not exist", "name the file of the rules: --rules FILE", code="rules-invalid")
    return read_text(path, missing)


def _invalid(path: Path, problems: list[str]) -> InputError:
    return all_problems(path.name, problems, f"fix {path.name}; specs/audit.md explains it", code="rules-invalid")
