"""Which paths of a service only probes ask for."""

from __future__ import annotations

import pytest

from scripts.config.settings import load_settings
from scripts.traffic import asking

pytestmark = pytest.mark.unit


def test_pages_that_people_open_are_no_probes() -> None:
    found = asking.probe_paths(load_settings())
    assert found["backend"] == {"/health", "/ready", "/metrics"}
    assert "/" not in found["frontend"]
