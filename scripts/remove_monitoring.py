"""Remove Prometheus and Grafana, their namespace, and what the operator left."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.kubernetes.cluster import Object
from scripts.monitoring import adapter, stack
from scripts.project import Project

KUBELET_SERVICE = "monitoring-kubelet"
"""The operator makes it in kube-system, and Helm does not know of it."""


def main(project: Project, step: StepReport) -> Outcome:
    """Remove all of it. The adapter goes first: it answers for an API of the whole cluster; without an answer no namespace can end."""
    monitoring = stack.stack(project.cluster_deployment(), project.settings)
    removed = adapter.remove(stack.adapter(project.cluster_deployment(), project.settings), step)
    removed += monitoring.remove(delete_data=True, step=step)
    system = monitoring.cluster.within("kube-system", monitoring.cluster.release)
    if _operators_own(system.get("service", KUBELET_SERVICE)):
        system.kubectl("delete", "service", KUBELET_SERVICE, "--ignore-not-found")
        removed.append(f"service {KUBELET_SERVICE}")
    return changed(", ".join(removed)) if removed else unchanged("nothing is installed")


def _operators_own(services: list[Object]) -> bool:
    return any(s["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "prometheus-operator" for s in services)


if __name__ == "__main__":
    run_alone(main)
