"""The app's release: the chart's values as the tool sets them, and the fingerprint that tells whether anything changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.config.settings import Settings
from scripts.core.paths import ROOT
from scripts.desired.images import DATABASE, EXPORTER, Image
from scripts.desired.secrets import Secret

HEX_DIGITS = 16


@dataclass(frozen=True)
class HelmRelease:
    """A chart with its values, ready to be installed under a name. Values hold names of Secrets, never a secret."""

    name: str
    namespace: str
    chart: Path
    values: Mapping[str, Any]

    @property
    def values_json(self) -> str:
        """The values as JSON (which is YAML) for helm's standard input."""
        return json.dumps(self.values, sort_keys=True)

    @property
    def fingerprint(self) -> str:
        """A hash over chart and values: the same fingerprint means that an upgrade would change nothing."""
        digest = hashlib.sha256(self.values_json.encode())
        for path in sorted(p for p in self.chart.rglob("*") if p.is_file()):
            digest.update(str(path.relative_to(self.chart)).encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()[:HEX_DIGITS]


def app_release(settings: Settings, images: Sequence[Image], secrets: Sequence[Secret], *, monitoring: bool) -> HelmRelease:
    """Return the release of the app for these images and Secrets."""
    by_service = {secret.service: secret for secret in secrets}
    sections = {image.service: _section(image, by_service.get(image.service)) for image in images}
    values: dict[str, Any] = {"services": {name: sections.get(name, {}) for name in settings.services}}
    values["postgres"] = {"enabled": DATABASE in sections, **sections.get(DATABASE, {})}
    if EXPORTER in sections:
        values["postgres"]["exporter"] = {"image": sections[EXPORTER]["image"]}
    in_flight = settings.monitoring.adapter.requests_in_flight
    if monitoring and in_flight:
        values["serviceDefaults"] = {"autoscaling": {"requestsInFlight": in_flight}}
    values["monitoring"] = {"enabled": monitoring, "namespace": settings.monitoring.namespace}
    return HelmRelease(settings.release, settings.namespace, ROOT / settings.chart.path, _merged(settings.chart.values, values))


def _section(image: Image, secret: Secret | None) -> dict[str, Any]:
    return {
        "image": {"repository": image.repository, "tag": image.tag},
        "secret": {"name": secret.name, "keys": list(secret.keys)} if secret else {"name": "", "keys": []},
    }


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
