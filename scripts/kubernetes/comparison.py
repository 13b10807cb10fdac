"""What an upgrade would add, change and remove, object by object: the manifest that helm would install beside what runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from scripts.core.decision import Change
from scripts.desired.helm_release import HelmRelease
from scripts.kubernetes import drift, helm
from scripts.kubernetes.cluster import Cluster

_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def changes(cluster: Cluster, release: HelmRelease) -> list[Change]:
    """Return every object that installing the release would add, change or remove. Changes nothing: all of it is a server-side dry run.

    Values in Secrets are never shown. Raises TaskError with helm's own words when the chart is refused.
    """
    wanted = helm.dry_run(cluster, release)
    before = helm.manifest(cluster) if helm.history(cluster) else ""
    return [*_added(before, wanted), *_changed(cluster, before, wanted), *_removed(before, wanted)]


def _added(before: str, wanted: str) -> Iterator[Change]:
    for kind, name in sorted(_objects(wanted).keys() - _objects(before).keys()):
        yield Change(f"add {kind} {name}", "the release has none yet")


def _removed(before: str, wanted: str) -> Iterator[Change]:
    for kind, name in sorted(_objects(before).keys() - _objects(wanted).keys()):
        yield Change(f"remove {kind} {name}", "the chart renders it no more")


def _changed(cluster: Cluster, before: str, wanted: str) -> Iterator[Change]:
    common = _objects(before).keys() & _objects(wanted).keys()
    manifest = "\n---\n".join(json.dumps(thing) for key, thing in _objects(wanted).items() if key in common)
    for each in drift.compared(cluster, manifest):
        for difference in each.differences:
            yield Change(f"change {each.kind} {each.name}", difference)


def _objects(manifest: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    documents = [thing for thing in yaml.load_all(manifest, Loader=_YAML_LOADER) if thing]
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in documents}
