"""Install kube-prometheus-stack beside the app, with our rules and dashboards."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial

from scripts.command import run_alone
from scripts.config.settings import Settings
from scripts.core.decision import Change, Decision, all_outcomes
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed, skipped
from scripts.core.waiting import OverdueError, until
from scripts.desired import labels, monitoring
from scripts.desired.secrets import Secret
from scripts.kubernetes import rollout
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import conditions_of
from scripts.monitoring import adapter, charts, other_operators
from scripts.project import Project

ROLLOUT_SECONDS = 300
POLL_SECONDS = 2.0


def decide(project: Project, step: StepReport) -> Decision:
    """Decide what of the stack, its Secret, the dashboards and the adapter is to be brought. Raises TaskError."""
    decisions = _decisions(project, step)
    if decisions["release"].changes:
        for warning in other_operators.warnings(project.monitoring_deployment().cluster):
            step.warn(warning)
    changes = tuple(change for decision in decisions.values() for change in decision.changes)
    return Decision(decisions["release"].found, changes, partial(_carry_out, decisions))


def _carry_out(decisions: Mapping[str, Decision], step: StepReport) -> Outcome:
    outcomes = {part: decision.carry_out(step) for part, decision in decisions.items()}
    return changed(outcomes["release"].detail)


def main(project: Project, step: StepReport) -> Outcome:
    """Install or upgrade the releases and wait until they are ready. Raises TaskError with the cause when they cannot be."""
    if reason := project.why_not_monitored():
        return skipped(reason)
    settings, deployment = project.settings, project.monitoring_deployment()
    brought = decide(project, step).carry_out(step)
    waited = [deployment.await_rollout(ROLLOUT_SECONDS, step), _await_prometheus(deployment.cluster, settings, step)]
    if adapter.wanted(settings):
        waited.append(rollout.watch(project.adapter_deployment().cluster, ROLLOUT_SECONDS, step))
    deployment.namespace.keep_secrets(_secrets(project))
    detail = "; ".join(part for part in (brought.detail, monitoring.grafana_is_off(settings)) if part)
    return all_outcomes(detail, [brought, *waited])


def _decisions(project: Project, step: StepReport) -> dict[str, Decision]:
    """Return what is to be done for each part, in the order in which it has to be."""
    settings, deployment = project.settings, project.monitoring_deployment()
    chart, secrets = charts.obtain(monitoring.CHART, settings.monitoring, step), _secrets(project)
    return {
        "secret": deployment.namespace.decide_secrets(secrets, step),
        **({"dashboards": _decide_dashboards(deployment.cluster, settings)} if secrets else {}),
        "release": deployment.decide_install(monitoring.stack_release(settings, chart, next(iter(secrets), None)), step),
        "adapter": adapter.decide(project.adapter_deployment(), settings, step),
    }


def _secrets(project: Project) -> list[Secret]:
    """Return Grafana's Secret, where there is a Grafana."""
    return [] if monitoring.grafana_is_off(project.settings) else [monitoring.admin_secret(project.env)]


def _decide_dashboards(cluster: Cluster, settings: Settings) -> Decision:
    """Decide whether to apply the ConfigMap with the dashboards. Grafana sees a change within about a minute, without a restart."""
    manifest = monitoring.dashboards_manifest(settings, labels.of_project(settings.release))
    before = [found.get("data") for found in cluster.get("configmap", monitoring.DASHBOARDS_NAME)]
    if before == [json.loads(manifest)["data"]]:
        return Decision("the dashboards are there")
    change = Change("apply the dashboards", "they differ" if before else "they are not there")
    return Decision("", (change,), partial(_apply, cluster, manifest))


def _apply(cluster: Cluster, manifest: str, step: StepReport) -> Outcome:
    step.progress("applying the dashboards")
    cluster.apply(manifest)
    return changed("dashboards")


def _await_prometheus(cluster: Cluster, settings: Settings, step: StepReport) -> Outcome:
    """Wait until the operator has made what the Prometheus object says now, and its pod is ready; its StatefulSet belongs to no release.

    Raises TaskError with what the operator says when it is not in time, and with what is wrong with the pod as soon as that is final.
    """
    name, ends = monitoring.object_name(settings, "prometheus"), time.monotonic() + ROLLOUT_SECONDS
    said: Object = {}

    def reconciled() -> bool:
        nonlocal said
        found = look(partial(cluster.get, "prometheuses.monitoring.coreos.com", name), step)
        said = _condition(found[0], "Reconciled") if found else {}
        step.progress(f"Prometheus: {said.get('reason') or 'the operator has not seen it yet'}")
        return bool(said.get("status") == "True")

    try:
        until(reconciled, seconds=ROLLOUT_SECONDS, pause=POLL_SECONDS, what="the operator to make Prometheus")
    except OverdueError as error:
        if error.evidence:  # nobody answered, so that nothing is known of the operator
            raise
        raise TaskError(
            "the operator has not made Prometheus",
            f"look at the log of deployment/{monitoring.object_name(settings, 'operator')}",
            [said.get("message") or "it says nothing", *other_operators.warnings(cluster)],
            code="monitoring-not-ready",
        ) from None
    return rollout.watch(cluster.within(cluster.namespace, name), max(ends - time.monotonic(), 0), step)


def _condition(prometheus: Object, kind: str) -> Object:
    """Return a condition that the operator wrote about the object as it is now, or an empty one."""
    now = prometheus["metadata"]["generation"]
    return next((c for c in conditions_of(prometheus) if c["type"] == kind and c.get("observedGeneration") == now), {})


if __name__ == "__main__":
    run_alone(main)
