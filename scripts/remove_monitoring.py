"""Remove Prometheus and Grafana, their namespace, and what the operator left."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.desired import monitoring
from scripts.desired.labels import MANAGED_BY
from scripts.kubernetes.api import Object
from scripts.kubernetes.objects import labels_of
from scripts.monitoring import adapter
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Remove all of it. The adapter goes first: it answers for an API of the whole cluster; without an answer no namespace can end."""
    deployment = project.monitoring_deployment()
    removed = adapter.remove(project.adapter_deployment(), step)
    removed += deployment.namespace.remove(delete_data=True, step=step)
    system = deployment.cluster.within("kube-system", deployment.cluster.release)
    # The operator makes it in kube-system, and Helm does not know of it.
    kubelet_service = monitoring.object_name(project.settings, "kubelet")
    if _operators_own(system.get("service", kubelet_service)):
        system.kubectl("delete", "service", kubelet_service, "--ignore-not-found")
        removed.append(f"service {kubelet_service}")
    return changed(", ".join(removed)) if removed else unchanged("nothing is installed")


def _operators_own(services: list[Object]) -> bool:
    return any(labels_of(s).get(MANAGED_BY) == "prometheus-operator" for s in services)


if __name__ == "__main__":
    run_alone(main)
