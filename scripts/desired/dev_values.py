"""The development profile of `invoke dev`: the app's release with what specs/dev.md says over its values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scripts.config.services import Service
from scripts.config.settings import Settings
from scripts.desired.helm_release import HelmRelease, merged

ONE_POD = {
    "replicas": 1,
    "autoscaling": {"enabled": False},
    "rollout": {"minReadySeconds": 0},
    # The least that the chart takes: a leaving pod has their sum.
    "shutdown": {"sleepSeconds": 1, "drainSeconds": 1, "marginSeconds": 1},
}
DIFFERS = "one pod a service, no autoscaler, nobody waits for old pods"


def dev_release(settings: Settings, release: HelmRelease) -> HelmRelease:
    """Return the release in the development profile: never the one to stay with, so that no rollback goes there."""
    services = {name: {**ONE_POD, **_dev(service)} for name, service in settings.services.items()}
    return replace(release, values=merged(release.values, {"services": services}), last=False)


def _dev(service: Service) -> dict[str, Any]:
    if not service.dev.sync:
        return {}
    return {"dev": {"folders": list(service.dev.sync.values()), "command": list(service.dev.command)}}
