"""The chart's value `scaled`: how many pods of a service a person keeps, whatever its own settings say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scripts.desired.helm_release import HelmRelease

KEY = "scaled"


def counts(values: Mapping[str, Any]) -> dict[str, int]:
    """Return how many pods are kept of each service that is scaled, as a release's values tell."""
    return {str(name): int(pods) for name, pods in (values.get(KEY) or {}).items()}


def with_counts(release: HelmRelease, wanted: Mapping[str, int]) -> HelmRelease:
    """Return the release with these numbers of pods, of the services that it has, and no others."""
    values = {key: value for key, value in release.values.items() if key != KEY}
    there = {name: pods for name, pods in wanted.items() if name in values.get("services", {})}
    return replace(release, values={**values, KEY: there} if there else values)
