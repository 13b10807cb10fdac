"""What the monitoring tests take from the machine: programs, and the checkout."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from scripts.config.settings import load_settings
from scripts.desired.alert_rules import rules

ROOT = Path(__file__).parents[2]
PROGRAMS = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ.get("PATH", ""), str(Path("~/.cache/cli").expanduser())])
CHART = Path("~/.cache/kube-prometheus-stack").expanduser()
ADAPTER_CHART = Path("~/.cache/prometheus-adapter").expanduser()


def need_chart(folder: Path) -> Path:
    """The folder of an unpacked chart, or a skip."""
    if not (folder / "Chart.yaml").exists():
        pytest.skip(f"no chart {folder.name} in {folder}")
    return folder


def written_rules(folder: Path) -> Path:
    """A file of the alert rules as they are installed."""
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump(rules(load_settings())))
    return path


def program(name: str, package: str) -> str:
    """The path of a program (the project's own first), or a skip that says what to install."""
    found = shutil.which(name, path=PROGRAMS)
    if found is None:
        pytest.skip(f"no `{name}` on PATH; it comes with {package}")
    return found
