"""Proxy variables are checked, and never shown."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.config.proxies import NAMES, proxy_warnings
from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

REPORTED = yaml.safe_load((ROOT / "tests/reports/proxies.yaml").read_text())
ODD = st.text("hpst5ok:/@[]%1.9localhost\n ", max_size=20).map(lambda text: f"http://{text}")


@pytest.mark.parametrize("row", REPORTED, ids=lambda row: str(row["set"]))
def test_what_is_wrong_is_told(row: dict[str, Any]) -> None:
    found = "\n".join(proxy_warnings(row["set"]))
    assert (row["says"] in found) if row["says"] else not found
    assert "marked" not in found


@settings(deadline=None, database=None)
@given(st.dictionaries(st.sampled_from([*NAMES, *map(str.lower, NAMES), "NO_PROXY"]), ODD | st.text(max_size=20)))
def test_no_value_is_too_odd_to_be_judged(environment: dict[str, str]) -> None:
    assert isinstance(proxy_warnings(environment), list)
