"""Remove the Prometheus operator's custom resource definitions, where `up` brought them."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.monitoring.crds import APPLY_SECONDS, existing_crds, is_ours
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Remove the app's release, then the definitions that are ours: helm cannot remove objects whose definition is gone."""
    deployment = project.cluster_deployment()
    removed = deployment.namespace.remove(delete_data=False, step=step)
    if ours := [name for name, labels in existing_crds(deployment.cluster).items() if is_ours(labels)]:
        step.progress("removing the operator's CRDs")
        deployment.cluster.kubectl("delete", "crd", "--ignore-not-found", *ours, timeout=APPLY_SECONDS)
        removed.append(f"{len(ours)} CRDs")
    return changed(", ".join(removed)) if removed else unchanged("none of ours to remove")


if __name__ == "__main__":
    run_alone(main)
