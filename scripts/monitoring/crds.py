"""The Prometheus operator's custom resource definitions (CRDs): the app's chart needs them before the operator is there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from scripts.core.decision import Change, Decision
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed
from scripts.desired.labels import MANAGED_BY, MANAGER, pairs
from scripts.kubernetes.cluster import Cluster

APPLY_SECONDS = 120
OURS = {MANAGED_BY: MANAGER}
VERSION = "operator.prometheus.io/version"


def existing_crds(cluster: Cluster) -> dict[str, set[str]]:
    """Return the labels (`key=value`) of the operator's CRDs that the cluster knows, by name.

    kubectl's table has no more of them: whole, they are seven megabytes.
    """
    rows = [line.split() for line in cluster.kubectl("get", "crd", "--show-labels", "--no-headers").stdout.splitlines()]
    return {row[0]: set(row[-1].split(",")) for row in rows if row[0].endswith(".monitoring.coreos.com")}


def is_ours(labels: set[str]) -> bool:
    """Return whether `up` brought the definition with these labels."""
    return labels.issuperset(pairs(OURS))


def decide(cluster: Cluster, chart: Path) -> Decision:
    """Decide whether to apply the definitions in the chart's folder. Raises TaskError when the chart holds none."""
    files = sorted((chart / "charts" / "crds" / "crds").glob("crd-*.yaml"))
    if not files:
        raise TaskError(
            f"{chart} holds no custom resource definitions",
            "fix monitoring.chart_repository in invoke.yaml",
            code="monitoring-chart-invalid",
        )
    version = _operator_version(files[0])
    existing = existing_crds(cluster)
    if not all(is_ours(labels) for labels in existing.values()):
        return Decision(f"{len(existing)} CRDs, installed by somebody else")
    if len(existing) == len(files) and all(f"{VERSION}={version}" in labels for labels in existing.values()):
        return Decision(f"{len(existing)} CRDs of operator {version}")
    why = "they are of another version, or not complete" if existing else "the cluster has none"
    change = Change(f"apply {len(files)} CRDs of operator {version}", why)
    return Decision("", (change,), partial(_apply, cluster, files, version))


def _apply(cluster: Cluster, files: Sequence[Path], version: str, step: StepReport) -> Outcome:
    step.progress(f"applying {len(files)} CRDs of operator {version}")
    names = cluster.apply(_marked(cluster, files), "--output", "name", timeout=APPLY_SECONDS).split()
    # Only now, when all of them are there: what was interrupted before is applied again.
    cluster.kubectl("label", "--overwrite", *names, f"{VERSION}={version}", timeout=APPLY_SECONDS)
    cluster.kubectl("wait", "--for=condition=Established", *names, f"--timeout={APPLY_SECONDS}s", timeout=APPLY_SECONDS + 10)
    return changed(f"{len(files)} CRDs of operator {version}")


def _marked(cluster: Cluster, files: Sequence[Path]) -> str:
    """Return the definitions with our labels in them, so that none is ever in the cluster without.

    kubectl writes them in, for PyYAML cannot read the plain `=` among the values of the operator's enumerations.
    """
    definitions = "\n---\n".join(file.read_text(encoding="utf-8") for file in files)
    argv = ("label", "--local", "--overwrite", "--filename", "-", "--output", "yaml", *pairs(OURS))
    return cluster.kubectl(*argv, input=definitions, timeout=APPLY_SECONDS, logged=False).stdout


def _operator_version(definition: Path) -> str:
    with definition.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip().startswith(f"{VERSION}:"):
                return line.partition(":")[2].strip()
    raise TaskError(
        f"{definition.name} does not say its version", "fix monitoring.chart_version in invoke.yaml", code="monitoring-chart-invalid"
    )
