"""What is beside the sending of images: sizes as a person reads them, and archives that a killed run has left."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from scripts.kubernetes.nodes import load

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (363_952, "364.0 kB"), (248_000_000, "248.0 MB"), (1_500_000_000, "1.5 GB")],
)
def test_a_size_is_shown_in_decimal_units(count: int, shown: str) -> None:
    assert load.size(count) == shown


def test_an_archive_that_a_killed_run_left_goes_and_one_in_use_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "ROOT", tmp_path)
    old, new = tmp_path / ".state" / "load-old", tmp_path / ".state" / "load-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "saved.tar").write_bytes(b"layers")
    yesterday = time.time() - 86_400
    os.utime(old, (yesterday, yesterday))
    load._state()
    assert (old.exists(), new.exists()) == (False, True)
