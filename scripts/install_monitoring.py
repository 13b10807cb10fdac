"""Install kube-prometheus-stack beside the app, with our rules and dashboards."""

from __future__ import annotations

import json
import time

from scripts.command import run_alone
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed, skipped, unchanged
from scripts.desired import monitoring
from scripts.kubernetes import rollout
from scripts.kubernetes.cluster import Cluster, Object
from scripts.kubernetes.deployment import FIELD_MANAGER
from scripts.monitoring import adapter, charts, stack
from scripts.monitoring.crds import OURS
from scripts.project import Project

ROLLOUT_SECONDS = 300
POLL_SECONDS = 2.0


def main(project: Project, step: StepReport) -> Outcome:
    """Install or upgrade the release and wait until it is ready. Raises TaskError with the cause when it cannot be."""
    if reason := project.why_not_monitored():
        return skipped(reason)
    settings, deployment = project.settings, stack.stack(project.cluster_deployment(), project.settings)
    chart = charts.obtain(monitoring.CHART, settings.monitoring, step)
    no_grafana = monitoring.grafana_is_off(settings)
    secret = None if no_grafana else monitoring.admin_secret(project.env)
    outcomes = [deployment.apply_secrets([secret] if secret else [], step)]
    if secret:
        outcomes.append(_apply_dashboards(deployment.cluster, settings, step))
    release = deployment.install(monitoring.stack_release(settings, chart, secret), step)
    outcomes += [release, deployment.await_rollout(ROLLOUT_SECONDS, step), _await_prometheus(deployment.cluster, settings, step)]
    outcomes.append(adapter.bring(stack.adapter(project.cluster_deployment(), project.settings), settings, ROLLOUT_SECONDS, step))
    _remove_old_secrets(deployment.cluster, secret.name if secret else "")
    detail = "; ".join(part for part in (release.detail, no_grafana) if part)
    return unchanged(detail) if all(outcome.kind == "unchanged" for outcome in outcomes) else changed(detail)


def _apply_dashboards(cluster: Cluster, settings: Settings, step: StepReport) -> Outcome:
    """Apply the ConfigMap with the dashboards. Grafana sees a change within about a minute, without a restart."""
    step.progress("applying the dashboards")
    labels = {"app.kubernetes.io/part-of": settings.release, **OURS}
    manifest = monitoring.dashboards_manifest(cluster.namespace, labels)
    before = [found.get("data") for found in cluster.get("configmap", monitoring.DASHBOARDS_NAME)]
    if before == [json.loads(manifest)["data"]]:
        return unchanged()
    argv = ("apply", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}", "--filename", "-")
    cluster.kubectl(*argv, input=manifest)
    return changed()


def _await_prometheus(cluster: Cluster, settings: Settings, step: StepReport) -> Outcome:
    """Wait until the operator has made what the Prometheus object says now, and its pod is ready; its StatefulSet belongs to no release.

    Raises TaskError with what the operator says when it is not in time, and with what is wrong with the pod as soon as that is final.
    """
    name, ends = monitoring.object_name(settings, "prometheus"), time.monotonic() + ROLLOUT_SECONDS
    while True:
        left = ends - time.monotonic()
        found = cluster.get("prometheuses.monitoring.coreos.com", name)
        reconciled = _condition(found[0], "Reconciled") if found else {}
        if reconciled.get("status") == "True":
            return rollout.watch(cluster.within(cluster.namespace, name), max(left, 0), step)
        if left <= 0:
            told = reconciled.get("message") or "it says nothing"
            operator = monitoring.object_name(settings, "operator")
            raise TaskError(
                "the operator has not made Prometheus", f"look at the log of deployment/{operator}", [told], code="monitoring-not-ready"
            )
        step.progress(f"Prometheus: {reconciled.get('reason') or 'the operator has not seen it yet'}")
        shell.pause(POLL_SECONDS)


def _condition(prometheus: Object, kind: str) -> Object:
    """Return a condition that the operator wrote about the object as it is now, or an empty one."""
    now = prometheus["metadata"]["generation"]
    conditions: list[Object] = prometheus.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind and c.get("observedGeneration") == now), {})


def _remove_old_secrets(cluster: Cluster, current: str) -> None:
    selector = ",".join(["app.kubernetes.io/component=grafana", *(f"{key}={value}" for key, value in OURS.items())])
    # By name alone: a Secret as a whole would stand in the log, and an old value is not one that the log can redact.
    for name in cluster.kubectl("get", "secrets", "--selector", selector, "--output", "name").stdout.split():
        if name != f"secret/{current}":
            cluster.kubectl("delete", name, "--ignore-not-found")


if __name__ == "__main__":
    run_alone(main)
