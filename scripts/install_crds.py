"""Bring the Prometheus operator's custom resource definitions to the cluster; the app's chart needs them."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport, skipped
from scripts.desired import monitoring
from scripts.monitoring import charts, crds
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Fetch the chart and apply its definitions; those that somebody else installed are used as they are.

    Raises TaskError when the chart cannot be fetched.
    """
    if reason := project.why_not_monitored():
        return skipped(reason)
    chart = charts.obtain(monitoring.CHART, project.settings.monitoring, step)
    step.progress("looking for the operator's CRDs")
    return crds.apply(project.cluster_deployment().cluster, chart, step)


if __name__ == "__main__":
    run_alone(main)
