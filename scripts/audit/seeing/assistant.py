"""Whether the assistant can be asked here, and how its answers were scored last."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.audit.facts import Unseen
from scripts.config.assistants import Tool
from scripts.machine import tools

NAME = "kubectl-ai"
NOT_RUN = "invoke check.ai has not been run here: it needs kubectl-ai, and a model that answers"


def program(wanted: Tool) -> str | Unseen:
    """Return the program and its version, or why it cannot be used."""
    found = tools.find(NAME, wanted)
    return f"{NAME} {tools.shown(found.version)}" if found.version and not found.problem else Unseen(str(found.problem))


def score(file: Path) -> str | Unseen:
    """Return what `invoke check.ai` found when it was last run."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return f"{told['right']} of {told['asked']} answers right, by {told['model']}, {told['at'][:10]}"
    except (OSError, ValueError, LookupError, TypeError):
        return Unseen(NOT_RUN)
