"""The tool runs any app: nothing in it, in the chart's templates or in the alerts that hold for all knows the one that lies here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

WORDS = re.compile(r"\b(todo|todos|chat|chatbot|backend|frontend|gemini)\b")
NAMES = re.compile(
    r"\"?todo-chatbot|todo-tasks|todo-cluster|todo-test-cluster|todo-bases|\"todo-|/todo-x|\btodo\.[a-z]+\b|backend:\n +service:"
)
"""The chart's name, the tool's own names for what it makes, and the word of Kubernetes in an Ingress."""
OF_ANY_PERSON = ("placeholders.py", "discover", "dev", "assistants.py", "providers.py")
"""What people write in `.env`, what their folders are called, what developers of this repository use, and who runs models."""


def files() -> list[Path]:
    found = [
        *(ROOT / "scripts").rglob("*.py"),
        *(ROOT / "helm/todo-chatbot/templates").rglob("*.*"),
        *(ROOT / "monitoring/rules").glob("*.yaml"),
    ]
    return [path for path in found if not set(OF_ANY_PERSON) & set(path.parts)]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_word_of_this_app(path: Path) -> None:
    text = NAMES.sub("", path.read_text(encoding="utf-8").lower())
    assert WORDS.findall(text) == []


NOT_OF_THE_FIELD = re.compile(r"\b(mend(s|ed|ing)?|anew|roads?)\b", re.IGNORECASE)
"""Words that the glossary in specs/architecture.md has others for: fix, again, transport."""


@pytest.mark.parametrize("folder", ["scripts", "specs", "docs", "helm", "monitoring", "docker", ".claude", "."])
def test_the_words_are_those_of_the_field(folder: str) -> None:
    found = (ROOT / folder).glob("*.md") if folder == "." else (ROOT / folder).rglob("*")
    texts = [path for path in found if path.suffix in (".py", ".md", ".yaml", ".tpl", ".sh", ".Dockerfile") and path.name != "CHANGELOG.md"]
    assert texts
    wrong = [
        f"{path.relative_to(ROOT)}: {match[0]}" for path in texts for match in NOT_OF_THE_FIELD.finditer(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []
