"""The development profile: what differs from production, and nothing else."""

from __future__ import annotations

import pytest

from scripts.config.settings import load_settings
from scripts.desired.dev_values import dev_release
from scripts.desired.helm_release import provisional_release

pytestmark = pytest.mark.unit

SETTINGS = load_settings()
PRODUCTION = provisional_release(SETTINGS, monitoring=False)
DEV = dev_release(SETTINGS, PRODUCTION)


def test_only_the_pods_number_their_pace_and_their_sources_differ() -> None:
    for name, service in DEV.values["services"].items():
        same = {key: value for key, value in service.items() if key not in ("replicas", "autoscaling", "rollout", "shutdown", "dev")}
        assert same == {key: PRODUCTION.values["services"][name][key] for key in same}
        assert (service["replicas"], service["autoscaling"]["enabled"]) == (1, False)
    assert {**DEV.values, "services": {}} == {**PRODUCTION.values, "services": {}}
    assert DEV.fingerprint != PRODUCTION.fingerprint


def test_no_rollback_goes_to_it() -> None:
    assert PRODUCTION.last
    assert not DEV.last


def test_only_synced_services_get_writable_sources() -> None:
    assert DEV.values["services"]["backend"]["dev"] == {"folders": ["/app/todo_backend"], "command": ["python", "-m", "todo_backend"]}
    assert "dev" not in DEV.values["services"]["frontend"]
