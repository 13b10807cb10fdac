"""The page for people has every diagnosis, and quotes what the commands really say."""

from __future__ import annotations

import pytest

from scripts.core.paths import ROOT
from scripts.kubernetes.diagnosis import troubleshooting
from scripts.kubernetes.diagnosis.cause import PATIENCE

pytestmark = pytest.mark.unit


def test_the_page_is_what_the_catalogue_makes_of_it() -> None:
    made = troubleshooting.text()
    assert troubleshooting.PATH.read_text(encoding="utf-8") == made, "python -m scripts.dev.generated"


def test_every_diagnosis_has_one_entry_that_says_all_three() -> None:
    entries = [(code, entry) for codes in troubleshooting.load()["diagnoses"].values() for code, entry in codes.items()]
    assert sorted(code for code, _ in entries) == sorted(PATIENCE)
    assert [code for code, entry in entries if entry.keys() != {"seen", "means", "first"} or not all(entry.values())] == []


def test_what_the_page_quotes_is_said_by_a_command() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "scripts").rglob("*.py"))
    assert [each["said"] for each in troubleshooting.load()["setup"] if each["said"] not in sources] == []
