"""Bring the Prometheus operator's custom resource definitions to the cluster; the app's chart needs them."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.decision import Decision
from scripts.core.report import Outcome, StepReport, skipped
from scripts.desired import monitoring
from scripts.monitoring import charts, crds
from scripts.project import Project


def decide(project: Project, step: StepReport) -> Decision:
    """Fetch the chart, and decide whether its definitions are to be applied; those that somebody else installed are used as they are.

    Raises TaskError when the chart cannot be fetched.
    """
    chart = charts.obtain(monitoring.CHART, project.settings.monitoring, step)
    step.progress("looking for the operator's CRDs")
    return crds.decide(project.cluster_deployment().cluster, chart)


def main(project: Project, step: StepReport) -> Outcome:
    """Apply the chart's definitions. Raises TaskError."""
    if reason := project.why_not_monitored():
        return skipped(reason)
    return decide(project, step).carry_out(step)


if __name__ == "__main__":
    run_alone(main)
