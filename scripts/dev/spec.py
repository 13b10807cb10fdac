"""`invoke spec NAME`: begins the specification, the plan and the tasks of something new (specs/audit.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from invoke import Context, task

from scripts.audit.rules import Ruled, load
from scripts.command import JSON, perform
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.core.report import Report
from scripts.program import Lettered, run_command

FOLDER = ROOT / "specs"
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBERED = re.compile(r"(\d{3})-(.+)")
_SPEC = """# {title}

## What it is for

## What it promises

## Bad input

## Done when
"""
_PLAN = """# Plan: {title}

## Constitution check
A clause is ticked once the plan keeps it, with a word on how where this is not plain. `invoke audit` names plans with clauses that are not.

{clauses}

## How
"""
_TASKS = """# Tasks: {title}

- [ ] what it promises, in a living specification
- [ ] tests that hold it, seen to fail
- [ ] the code
- [ ] fold this folder's spec.md into the living specification, and let it say where
"""


@task(klass=Lettered, positional=["name"], help={"name": "what it is called: lower case, digits and -", "json": JSON})
def spec(_: Context, name: str, json: bool = False) -> None:
    """Start the specification, plan and tasks of a feature."""
    perform("spec", lambda report: begin(name, FOLDER, load(), report), json=json, changes=True)


def begin(name: str, folder: Path, ruled: Sequence[Ruled], report: Report) -> None:
    """Make the folder under the next free number, with its three files. Raises InputError; nothing is ever overwritten."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"`{name}` is not a name for a feature", "use lower case, digits and -: invoke spec shared-lists", code="input-invalid"
        )
    there = [match for each in folder.iterdir() if (match := _NUMBERED.fullmatch(each.name))]
    if same := next((match[0] for match in there if match[2] == name), ""):
        raise InputError(f"specs/{same} already exists", "continue it, or choose another name", code="input-invalid")
    made = folder / f"{max((int(match[1]) for match in there), default=0) + 1:03}-{name}"
    title = name.replace("-", " ").capitalize()
    clauses = "\n".join(f"- [ ] {each.clause.name}: {each.clause.title}" for each in ruled)
    made.mkdir()
    for file, template in (("spec.md", _SPEC), ("plan.md", _PLAN), ("tasks.md", _TASKS)):
        (made / file).write_text(template.format(title=title, clauses=clauses), encoding="utf-8")
        report.result(f"specs/{made.name}/{file}")
    report.say("next: write its spec.md, then tick the constitution check in its plan.md")


if __name__ == "__main__":
    run_command()
