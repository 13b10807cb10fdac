"""What a person has scaled is a value of the release that the next one takes over."""

from __future__ import annotations

import pytest

from scripts.core.paths import ROOT
from scripts.desired.helm_release import HelmRelease
from scripts.kubernetes.scaling import counts, with_counts

pytestmark = pytest.mark.unit

RELEASE = HelmRelease("todo", "todo", ROOT / "helm/todo-chatbot", {"services": {"api": {}, "page": {}}})


def test_what_is_scaled_is_taken_over() -> None:
    scaled = with_counts(RELEASE, {"api": 3, "page": 0})
    assert counts(scaled.values) == {"api": 3, "page": 0}
    assert scaled.fingerprint != RELEASE.fingerprint


def test_a_service_that_is_gone_is_forgotten_and_nothing_scaled_leaves_no_trace() -> None:
    assert with_counts(RELEASE, {"worker": 2}) == RELEASE
    assert with_counts(with_counts(RELEASE, {"api": 3}), {}).fingerprint == RELEASE.fingerprint
    assert counts({"scaled": None}) == {}
