"""The releases beside the app: kube-prometheus-stack, and the adapter that shows a metric of it to the autoscalers."""

from __future__ import annotations

from scripts.config.settings import Settings
from scripts.desired import monitoring
from scripts.kubernetes.deployment import Deployment


def stack(app: Deployment, settings: Settings) -> Deployment:
    """Return kube-prometheus-stack's release in the app's cluster."""
    return app.beside(settings.monitoring.namespace, settings.monitoring.release)


def adapter(app: Deployment, settings: Settings) -> Deployment:
    """Return prometheus-adapter's release, which is one of its own in the same namespace."""
    return app.beside(settings.monitoring.namespace, monitoring.adapter_release(settings))
