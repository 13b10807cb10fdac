"""prometheus-adapter: where the autoscalers ask for a metric of Prometheus, and nowhere else."""

from __future__ import annotations

from scripts.config.settings import Settings
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.desired import monitoring
from scripts.kubernetes import helm, rollout
from scripts.kubernetes.deployment import Deployment
from scripts.monitoring import charts


def bring(adapter: Deployment, settings: Settings, timeout: float, step: StepReport) -> Outcome:
    """Install the adapter where the autoscalers ask for its metric, and remove it where they do not."""
    wanted = settings.monitoring.adapter
    if not wanted.requests_in_flight:
        return changed() if remove(adapter, step) else unchanged()
    chart = charts.obtain(monitoring.ADAPTER_CHART, wanted, step)
    outcomes = [
        adapter.install(monitoring.adapter_chart_release(settings, chart), step),
        rollout.watch(adapter.cluster, timeout, step),
    ]
    return unchanged() if all(outcome.kind == "unchanged" for outcome in outcomes) else changed()


def remove(adapter: Deployment, step: StepReport) -> list[str]:
    """Remove the release if it is there; return what was removed."""
    if not adapter.exists():
        return []
    step.progress(f"helm uninstall {adapter.cluster.release}")
    helm.uninstall(adapter.cluster)
    return [f"release {adapter.cluster.release}"]
