"""What is beside the sending of images: sizes as a person reads them."""

from __future__ import annotations

import pytest

from scripts.kubernetes.nodes import load

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (363_952, "364.0 kB"), (248_000_000, "248.0 MB"), (1_500_000_000, "1.5 GB")],
)
def test_a_size_is_shown_in_decimal_units(count: int, shown: str) -> None:
    assert load.size(count) == shown
