"""How many pods of a service a person keeps: a value of the release (`scaled`), which every later one takes over until it is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scripts.core.counting import several
from scripts.core.report import Outcome, StepReport, unchanged
from scripts.desired.helm_release import HelmRelease
from scripts.desired.service_values import service_name
from scripts.kubernetes import helm
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.helm import Revision

KEY = "scaled"


def carried(cluster: Cluster, release: HelmRelease, revisions: Sequence[Revision], step: StepReport) -> HelmRelease:
    """Return the release with what is scaled in the one that runs, and say so. Raises CommandError."""
    scaled = counts(helm.values_of(cluster, revisions[-1])) if revisions else {}
    release = with_counts(release, scaled)
    for name, pods in counts(release.values).items():
        step.say(f"{name} is kept at {several(pods, 'pod')} by hand (invoke scale {name} auto ends that)")
    return release


def scale(cluster: Cluster, running: HelmRelease, service: str, pods: int | None, step: StepReport) -> Outcome | None:
    """Upgrade what runs to so many pods; None, once they are on the way. Raises TaskError with helm's own words.

    running: the release as it is installed. The autoscaler would take its time: the number is also set at once.
    """
    now = counts(running.values)
    wanted = {name: count for name, count in {**now, service: pods}.items() if count is not None}
    if wanted == now:
        return unchanged(f"{service} is kept at {pods}" if pods is not None else f"{service} is as its settings say")
    step.progress(f"helm upgrade {running.name}")
    helm.upgrade(cluster, with_counts(running, wanted))
    if pods is not None:
        cluster.kubectl("scale", f"deployment/{service_name(running.name, service)}", f"--replicas={pods}")
    return None


def counts(values: Mapping[str, Any]) -> dict[str, int]:
    """Return how many pods are kept of each service that is scaled, as a release's values tell."""
    return {str(name): int(pods) for name, pods in (values.get(KEY) or {}).items()}


def with_counts(release: HelmRelease, wanted: Mapping[str, int]) -> HelmRelease:
    """Return the release with these numbers of pods, of the services that it has, and no others."""
    values = {key: value for key, value in release.values.items() if key != KEY}
    there = {name: pods for name, pods in wanted.items() if name in values.get("services", {})}
    return replace(release, values={**values, KEY: there} if there else values)
