"""Quantities, as the API server writes and takes them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from scripts.kubernetes.quantity import parse_quantity

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("250m", "0.25"), ("2", "2"), (3, "3"), (0.5, "0.5"), (".5", "0.5"), ("1.", "1"), ("-1", "-1"), ("+1", "1")),
        *(("100n", "1e-7"), ("100u", "1e-4"), ("5k", "5000"), ("1G", "1000000000"), ("1P", "1e15"), ("2E", "2e18")),
        *(("64Ki", "65536"), ("64Mi", "67108864"), ("1.5Gi", "1610612736"), ("1Pi", str(2**50)), ("1Ei", str(2**60))),
        *(("1e3", "1000"), ("12E2", "1200"), ("1e-3", "0.001")),
    ],
)
def test_a_quantity_is_read_as_a_number(text: str | float, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "lots", "64ki", "1K", "1mi", "m", "1 Gi", "1e", "NaN"])
def test_what_kubernetes_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(text)
