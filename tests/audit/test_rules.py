"""Rules are data: every clause of a constitution has one, another constitution has its own, and what is wrong with them is told at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from scripts.audit import constitution_check
from scripts.audit.constitution import clauses
from scripts.audit.facts import Verdict
from scripts.audit.rows import judge
from scripts.audit.rules import load
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from tests.audit.planted import facts

pytestmark = pytest.mark.unit

CONSTITUTION = ROOT / ".specify" / "memory" / "constitution.md"
AS_ITS_AUTHOR_WROTE_IT = "2fed7da23c9172a13a2073b67b6b89a94c283188863f8bb823635c16eba3f6a8"
OTHER = """# Rules of a house

Words before any list say nothing.

## Order of the kitchen
1. **Cooks** wash: their hands
2. Nobody runs

## Doors
- Doors are shut
"""
RULE = "{check: helm, remedy: do it, specification: specs/chart.md, tests: []}"


def rules(folder: Path, text: str, constitution: str = OTHER) -> Path:
    (folder / "house.md").write_text(constitution)
    (folder / "rules.yaml").write_text(f"constitution: {folder / 'house.md'}\nrules:\n{text}")
    return folder / "rules.yaml"


def test_the_constitution_is_verbatim() -> None:
    assert hashlib.sha256(CONSTITUTION.read_bytes()).hexdigest() == AS_ITS_AUTHOR_WROTE_IT


def test_the_constitution_has_its_38_clauses() -> None:
    found = clauses(CONSTITUTION.read_text())
    sizes = {section: sum(each.section == section for each in found) for section in dict.fromkeys(each.section for each in found)}
    assert list(sizes.values()) == [5, 6, 7, 6, 5, 5, 4]
    assert [each.clause for each in load()] == found
    assert found[0].text.startswith("Zero Manual Code: All implementation")


def test_another_constitution_is_audited_by_its_own_rules(tmp_path: Path) -> None:
    path = rules(
        tmp_path, f"  order-1: {RULE}\n  order-2: {RULE}\n  doors-1: {{check: quota, remedy: shut it, specification: x, tests: []}}\n"
    )
    found = judge(load(path), facts())
    assert [(row.clause, row.section, row.text) for row in found] == [
        ("order-1", "Order of the kitchen", "Cooks wash: their hands"),
        ("order-2", "Order of the kitchen", "Nobody runs"),
        ("doors-1", "Doors", "Doors are shut"),
    ]
    assert all(row.verdict is Verdict.KEPT for row in found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"  order-1: {RULE}\n  doors-1: {RULE}\n", "order-2 has no rule"),
        (f"  order-1: {RULE}\n  order-2: {RULE}\n  door-1: {RULE}\n  doors-1: {RULE}\n", "(did you mean `doors-1`?)"),
        (
            f"  order-1: {{check: hem, remedy: x, specification: x, tests: []}}\n  order-2: {RULE}\n  doors-1: {RULE}\n",
            "no check `hem` (did you mean `helm`?)",
        ),
        ("  order-1: {check: helm}\n", "rules.order-1.remedy: is missing"),
        ("  order-1: {check: helm, remdy: x}\n", "rules.order-1.remdy: unknown key (did you mean `remedy`?)"),
        ("  order-1: {check: helm, deviation: {reason: x, decided: soon}}\n", "decided"),
        ("  - one\n", "rules: "),
    ],
)
def test_what_is_wrong_with_rules_is_told(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        load(rules(tmp_path, text))
    assert says in str(refused.value)
    assert refused.value.code == "rules-invalid"


def test_a_constitution_without_a_clause_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no clause"):
        load(rules(tmp_path, f"  order-1: {RULE}\n", "Just words.\n- and a line\n"))


def test_rules_that_are_not_there_are_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rules\.yaml does not exist"):
        load(tmp_path / "rules.yaml")
    path = rules(tmp_path, f"  order-1: {RULE}\n")
    (tmp_path / "house.md").unlink()
    with pytest.raises(InputError, match=r"house\.md does not exist"):
        load(path)


def test_the_page_is_what_the_rules_make_of_it() -> None:
    assert constitution_check.PATH.read_text() == constitution_check.text(), "python -m scripts.dev.generated"


def test_the_pages_and_tests_that_rules_name_are_there() -> None:
    missing = [
        f"{each.clause.name}: {name}"
        for each in load()
        for name in (each.rule.specification, *each.rule.tests)
        if not (ROOT / name).is_file()
    ]
    assert missing == []
