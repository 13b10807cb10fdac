"""`docs/troubleshooting.md`, made of the catalogue; `scripts.dev.generated` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scripts.core.paths import ROOT

PATH = ROOT / "docs" / "troubleshooting.md"
CATALOGUE = Path(__file__).with_name("catalogue.yaml")
_HEAD = """# When it fails

The message says what failed, where, and what to do next. Three commands say more; none of them changes anything:

1. `invoke status`: what runs, what it uses, and how it differs from the sources.
2. `invoke diagnose`: why it is not healthy: the cause, what shows it, what to do, and in brackets its code, which is explained below.
3. `invoke doctor`: whether this machine has all that `up` needs.

After an error of a command, `.state/last-run.log` has the whole of the last run that changed something, without secrets.
What an alert of the monitoring asks for is in the [runbook](runbook.md); the codes for programs are in [json.md](json.md).

## Before anything runs
| it says | it means | first |
|---|---|---|
"""
_DIAGNOSES = """
## Diagnoses
`invoke diagnose` finds these by itself, and names service, object and evidence.
An `invoke up` whose rollout fails ends with the same words.
"""


def load() -> dict[str, Any]:
    """Return the catalogue: `setup`, a list; `diagnoses`, by subject and code."""
    found: dict[str, Any] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return found


def text() -> str:
    """Return the page as it is committed."""
    catalogue = load()
    lines = [f"| {each.get('shown', each['said'])} | {each['means']} | {each['first']} |" for each in catalogue["setup"]]
    page = _HEAD + "\n".join(lines) + "\n" + _DIAGNOSES
    for subject, codes in catalogue["diagnoses"].items():
        rows = [f"| `{code}` | {each['seen']} | {each['means']} | {each['first']} |" for code, each in codes.items()]
        page += "\n".join([f"\n### {subject}", "| code | you see | it means | first |", "|---|---|---|---|", *rows, ""])
    return page
