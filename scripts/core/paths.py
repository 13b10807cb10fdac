"""Where this checkout keeps what it makes."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".state"
"""Of the runs: lock, log, kubeconfig. Small; lost, it is made again."""
SCRATCH = STATE / "scratch"
"""What one run needs while it runs; the lock empties it before and after each."""
CACHE = ROOT / ".cache"
"""Downloads that are verified when they are used."""
TOOLS = ROOT / ".tools" / "bin"
"""The project's own copies of programs; they come before PATH."""
SCORE = STATE / "last-check-ai.json"
"""How many answers of the assistant were right when `invoke check.ai` last asked."""


def expanded(path: str) -> Path:
    """Return a path with the home that its `~` stands for, or as it is where there is none: Path.expanduser raises there."""
    return Path(os.path.expanduser(path))  # noqa: PTH111
