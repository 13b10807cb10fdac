"""The app's release: the chart's values as the tool sets them, and the fingerprint that tells whether anything changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from scripts.config.service_problems import DATABASE
from scripts.config.settings import Settings
from scripts.core.hashes import FINGERPRINT
from scripts.core.paths import ROOT
from scripts.desired.images import EXPORTER, BaseImage, Image
from scripts.desired.secrets import Secret
from scripts.desired.service_values import derived_values

FOR_READERS = ("README.md", "LICENSE")  # packaged beside the templates, and rendered into nothing


@dataclass(frozen=True)
class HelmRelease:
    """A chart with its values, ready to be installed under a name. Values hold names of Secrets, never a secret."""

    name: str
    namespace: str
    chart: Path
    values: Mapping[str, Any]
    last: bool = True
    """Whether it is the one to stay with; another is rolled out on the way to it, and no rollback goes back there."""
    for_old_pods: tuple[str, ...] = ()
    """Workloads that only the pods of the release before need: nobody waits for them."""

    @property
    def values_json(self) -> str:
        """The values as JSON (which is YAML) for helm's standard input."""
        return json.dumps(self.values, sort_keys=True)

    @property
    def fingerprint(self) -> str:
        """A hash over chart and values: the same fingerprint means that an upgrade would change nothing."""
        digest = hashlib.sha256(self.values_json.encode())
        for name in chart_files(self.chart):
            digest.update(name.encode() + b"\0" + (self.chart / name).read_bytes() + b"\0")
        return digest.hexdigest()[:FINGERPRINT]


def chart_files(chart: Path) -> list[str]:
    """Return the paths in a chart that can change what it renders: all that its `.helmignore` leaves, but for what people read.

    Of helm's rules a negation (`!`) is not known here: its file counts in any case, which costs a revision at most.
    """
    if chart.is_file():
        return [""]  # a packaged chart
    ignore = chart / ".helmignore"
    lines = [line.strip() for line in ignore.read_text(encoding="utf-8").splitlines()] if ignore.exists() else []
    patterns = [line for line in lines if line and not line.startswith(("#", "!"))]
    return sorted(
        name
        for path in chart.rglob("*")
        if path.is_file() and (name := path.relative_to(chart).as_posix()) not in FOR_READERS and not _ignored(name, patterns)
    )


def _ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern matches the path or a folder on the way to it: one with a slash from the chart's root, another any part."""
    parts = name.split("/")
    depths = range(1, len(parts) + 1)
    return any(_matches(parts[:depth], pattern, folder=depth < len(parts)) for depth in depths for pattern in patterns)


def _matches(parts: Sequence[str], pattern: str, *, folder: bool) -> bool:
    if pattern.endswith("/") and not folder:
        return False
    rules = [rule for rule in pattern.split("/") if rule not in ("", ".")]
    if "/" not in pattern.rstrip("/"):
        parts = parts[-1:]
    return len(parts) == len(rules) and all(map(fnmatchcase, parts, rules))


def app_release(
    settings: Settings,
    images: Sequence[Image],
    secrets: Sequence[Secret],
    *,
    monitoring: bool,
    users: Mapping[str, tuple[int, int]] | None = None,
    trusted_ca: str = "",
) -> HelmRelease:
    """Return the release of the app for these images and Secrets.

    users: the user and group of each image, where it is not the chart's. trusted_ca: PEM certificates that the services trust.
    """
    by_service = {secret.service: secret for secret in secrets}
    sections = {image.service: _section(image, by_service.get(image.service), (users or {}).get(image.service)) for image in images}
    values: dict[str, Any] = {"services": {name: sections.get(name, {}) for name in settings.services}}
    values["postgres"] = {"enabled": DATABASE in sections, **sections.get(DATABASE, {})}
    if EXPORTER in sections:
        values["postgres"]["exporter"] = {"image": sections[EXPORTER]["image"]}
    in_flight = settings.monitoring.adapter.requests_in_flight
    if monitoring and in_flight:
        values["serviceDefaults"] = {"autoscaling": {"requestsInFlight": in_flight}}
    values["monitoring"] = {"enabled": monitoring, "namespace": settings.monitoring.namespace}
    if trusted_ca:
        values["trustedCa"] = trusted_ca
    values["fullnameOverride"] = settings.release  # or the chart would call its objects RELEASE-CHART-SERVICE
    said = merged(derived_values(settings), settings.chart.values)
    return HelmRelease(settings.release, settings.namespace, ROOT / settings.chart.path, merged(said, values))


def provisional_release(settings: Settings, *, monitoring: bool) -> HelmRelease:
    """Return the app's release with names for the images and Secrets to come: the chart judges the settings before there are any."""
    keys = {name: [variable.name for variable in service.secrets] for name, service in settings.services.items()}
    if settings.database:
        keys[DATABASE] = list(settings.database.secrets)
    images = [Image(name, f"{settings.project}-{name}", "to-come", ROOT, ROOT, BaseImage("", "", ())) for name in keys]
    secrets = [Secret(name, "to-come", dict.fromkeys(each, "")) for name, each in keys.items() if each]
    return app_release(settings, images, secrets, monitoring=monitoring)


def _section(image: Image, secret: Secret | None, user: tuple[int, int] | None) -> dict[str, Any]:
    return {
        "image": {"repository": image.repository, "tag": image.tag},
        "secret": {"name": secret.name, "keys": list(secret.keys)} if secret else {"name": "", "keys": []},
        **(dict(zip(("runAsUser", "runAsGroup"), user, strict=True)) if user else {}),
    }


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return one map of values laid over another: maps are merged key by key, everything else is replaced."""
    found = dict(below)
    for key, value in above.items():
        old = found.get(key)
        found[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return found
