"""The committed files that are made of others: `python -m scripts.dev.generated` writes them, and tests compare."""

from __future__ import annotations

import sys

from scripts.audit import constitution_check
from scripts.config import schema
from scripts.core.paths import ROOT
from scripts.kubernetes.diagnosis import troubleshooting


def main() -> None:
    """Write them all."""
    for made in (schema, constitution_check, troubleshooting):
        made.PATH.write_text(made.text(), encoding="utf-8")
        print(f"{made.PATH.relative_to(ROOT)} is written", file=sys.stderr)


if __name__ == "__main__":
    main()
