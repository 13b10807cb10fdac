"""What an upgrade would add, change and remove, object by object: the manifest that helm would install beside what runs."""

from __future__ import annotations

from scripts.core.decision import Change
from scripts.desired.helm_release import HelmRelease
from scripts.kubernetes import drift, helm, manifests
from scripts.kubernetes.cluster import Cluster


def changes(cluster: Cluster, release: HelmRelease) -> list[Change]:
    """Return every object that installing the release would add, change or remove. Changes nothing: all of it is a server-side dry run.

    Values in Secrets are never shown. Raises TaskError with helm's own words when the chart is refused.
    """
    wanted = _objects(helm.dry_run(cluster, release))
    before = _objects(helm.manifest(cluster)) if helm.history(cluster) else {}
    added = [Change(f"add {kind} {name}", "the release has none yet") for kind, name in sorted(wanted.keys() - before.keys())]
    removed = [Change(f"remove {kind} {name}", "the chart no longer renders it") for kind, name in sorted(before.keys() - wanted.keys())]
    kept = "---\n".join(text for key, text in wanted.items() if key in before)
    changed = [
        Change(f"change {each.kind} {each.name}", difference) for each in drift.compared(cluster, kept) for difference in each.differences
    ]
    return [*added, *changed, *removed]


def _objects(manifest: str) -> dict[tuple[str, str], str]:
    """Return each object's YAML by its kind and name."""
    return dict(zip(map(manifests.key, manifests.objects(manifest)), manifests.documents(manifest), strict=True))
