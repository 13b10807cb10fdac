"""prometheus-adapter: where the autoscalers ask for a metric of Prometheus, and nowhere else."""

from __future__ import annotations

from functools import partial

from scripts.config.settings import Settings
from scripts.core.decision import Change, Decision
from scripts.core.report import Outcome, StepReport, changed
from scripts.desired import monitoring
from scripts.kubernetes import helm
from scripts.kubernetes.deployment import Deployment
from scripts.monitoring import charts


def decide(adapter: Deployment, settings: Settings, step: StepReport) -> Decision:
    """Decide whether to install the adapter, where the autoscalers ask for its metric, or to remove it, where they do not."""
    if wanted(settings):
        chart = charts.obtain(monitoring.ADAPTER_CHART, settings.monitoring.adapter, step)
        return adapter.decide_install(monitoring.adapter_chart_release(settings, chart), step)
    release = adapter.cluster.release
    changes = (Change(f"remove the release {release}", "no autoscaler asks for a metric of it"),) if adapter.exists() else ()
    return Decision("", changes, partial(_remove, adapter))


def wanted(settings: Settings) -> bool:
    """Return whether the autoscalers ask for a metric that the adapter shows."""
    return bool(settings.monitoring.adapter.requests_in_flight)


def _remove(adapter: Deployment, step: StepReport) -> Outcome:
    return changed(", ".join(remove(adapter, step)))


def remove(adapter: Deployment, step: StepReport) -> list[str]:
    """Remove the release if it is there; return what was removed."""
    if not adapter.exists():
        return []
    step.progress(f"helm uninstall {adapter.cluster.release}")
    helm.uninstall(adapter.cluster)
    return [f"release {adapter.cluster.release}"]
