"""Install kube-prometheus-stack beside the app: the kinds that it brings, then the release with our rules and dashboards."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from scripts.core import monitoring, monitoring_chart, shell
from scripts.core.errors import TaskError
from scripts.core.pipeline import run_alone
from scripts.core.report import Outcome, StepReport, changed, skipped, unchanged
from scripts.core.settings import Settings
from scripts.engines import helm_release, rollout
from scripts.engines.cluster import Cluster, Object
from scripts.engines.kubernetes import FIELD_MANAGER, KubernetesEngine
from scripts.engines.project import Project

PROMETHEUS, OPERATOR = "monitoring-prometheus", "monitoring-operator"
ROLLOUT_SECONDS = 300
APPLY_SECONDS = 120
GLANCE_SECONDS = 2.0
OURS = {"app.kubernetes.io/managed-by": FIELD_MANAGER}
SERVICE_MONITORS = "servicemonitors.monitoring.coreos.com"
VERSION = "operator.prometheus.io/version"
KUBELET_SERVICE = "monitoring-kubelet"
"""The operator makes it in kube-system, and Helm does not know of it."""


def prepare(project: Project, step: StepReport) -> Outcome:
    """Fetch the chart and bring its kinds (custom resource definitions) to the cluster; the app's chart needs them.

    Kinds that somebody else installed are used as they are. Raises TaskError when the chart cannot be had.
    """
    engine = _engine(project)
    if engine is None:
        return skipped(why_not(project))
    chart = monitoring_chart.obtain(monitoring.CHART, project.settings.monitoring, step)
    step.progress("looking for the operator's kinds")
    return _apply_kinds(engine.cluster, chart, step)


def main(project: Project, step: StepReport) -> Outcome:
    """Install or upgrade the release and wait until it is ready. Raises TaskError with the cause when it cannot be."""
    engine = _engine(project)
    if engine is None:
        return skipped(why_not(project))
    settings = project.settings
    chart = monitoring_chart.obtain(monitoring.CHART, settings.monitoring, step)
    no_grafana = monitoring.grafana_is_off(settings)
    secret = None if no_grafana else monitoring.admin_secret(project.env)
    outcomes = [engine.apply_secrets([secret] if secret else [], step)]
    if secret:
        outcomes.append(_apply_dashboards(engine.cluster, settings, step))
    release = engine.install(monitoring.planned(settings, chart, secret), step)
    outcomes += [release, engine.await_rollout(ROLLOUT_SECONDS, step), _await_prometheus(engine.cluster, step)]
    outcomes.append(_bring_adapter(_adapter(project, engine), settings, step))
    _remove_old_secrets(engine.cluster, secret.name if secret else "")
    detail = "; ".join(part for part in (release.detail, no_grafana) if part)
    return unchanged(detail) if all(outcome.kind == "unchanged" for outcome in outcomes) else changed(detail)


def kinds_are_there(project: Project) -> bool:
    """Whether the app's chart may hold ServiceMonitors: monitoring is on, and the cluster knows the kind."""
    engine = _engine(project)
    return engine is not None and bool(engine.cluster.get("crd", SERVICE_MONITORS))


def remove(project: Project, step: StepReport) -> Outcome:
    """Remove the releases, their namespace and what the operator left.

    The adapter goes first: it answers for an API of the whole cluster, and while that API has no answer no namespace can end.
    """
    engine = _engine_even_if_off(project)
    if engine is None:
        return skipped("the engine has no Kubernetes")
    removed = _remove_adapter(_adapter(project, engine), step)
    removed += engine.remove_app(delete_data=True, step=step)
    system = engine.cluster.within("kube-system", engine.cluster.release)
    if _operators_own(system.get("service", KUBELET_SERVICE)):
        system.kubectl("delete", "service", KUBELET_SERVICE, "--ignore-not-found")
        removed.append(f"service {KUBELET_SERVICE}")
    return changed(", ".join(removed)) if removed else unchanged("nothing is installed")


def remove_kinds(project: Project, step: StepReport) -> Outcome:
    """Remove the operator's kinds where they are ours, and before them the app's release: helm cannot remove what has no kind any more."""
    if not isinstance(project.engine, KubernetesEngine):
        return skipped("the engine has no Kubernetes")
    removed = project.engine.remove_app(delete_data=False, step=step)
    cluster = project.engine.cluster
    if ours := [name for name, labels in _kinds(cluster).items() if _is_ours(labels)]:
        step.progress("removing the operator's kinds")
        cluster.kubectl("delete", "crd", "--ignore-not-found", *ours, timeout=APPLY_SECONDS)
        removed.append(f"{len(ours)} kinds")
    return changed(", ".join(removed)) if removed else unchanged("none of ours is there")


def why_not(project: Project) -> str:
    """Return why there will be no monitoring, or an empty string."""
    if not project.settings.monitoring.enabled:
        return "it is switched off, by --no-monitoring or monitoring.enabled in invoke.yaml"
    return "" if project.monitored else f"the engine {project.engine.name} has no Kubernetes to watch"


def _engine(project: Project) -> KubernetesEngine | None:
    """Return the engine for the monitoring release, or None where there is to be none."""
    return _engine_even_if_off(project) if project.monitored else None


def _engine_even_if_off(project: Project) -> KubernetesEngine | None:
    if not isinstance(project.engine, KubernetesEngine):
        return None
    settings = project.settings
    return KubernetesEngine(settings, project.engine.cluster.within(settings.monitoring.namespace, settings.monitoring.release))


def _adapter(project: Project, engine: KubernetesEngine) -> KubernetesEngine:
    """Return the engine for the adapter's release, which is a release of its own in the same namespace."""
    release = monitoring.adapter_release(project.settings)
    return KubernetesEngine(project.settings, engine.cluster.within(engine.cluster.namespace, release))


def _bring_adapter(adapter: KubernetesEngine, settings: Settings, step: StepReport) -> Outcome:
    """Install the adapter where the autoscalers ask for its metric, and remove it where they do not."""
    wanted = settings.monitoring.adapter
    if not wanted.requests_in_flight:
        return changed() if _remove_adapter(adapter, step) else unchanged()
    chart = monitoring_chart.obtain(monitoring.ADAPTER_CHART, wanted, step)
    outcomes = [
        adapter.install(monitoring.planned_adapter(settings, chart), step),
        rollout.watch(adapter.cluster, ROLLOUT_SECONDS, step),
    ]
    return unchanged() if all(outcome.kind == "unchanged" for outcome in outcomes) else changed()


def _remove_adapter(adapter: KubernetesEngine, step: StepReport) -> list[str]:
    if not adapter.deployed():
        return []
    step.progress(f"helm uninstall {adapter.cluster.release}")
    helm_release.uninstall(adapter.cluster)
    return [f"release {adapter.cluster.release}"]


def _kinds(cluster: Cluster) -> dict[str, set[str]]:
    """Return the labels (`key=value`) of the operator's kinds that the cluster knows, by name.

    kubectl's table has no more of them: whole, they are seven megabytes.
    """
    rows = [line.split() for line in cluster.kubectl("get", "crd", "--show-labels", "--no-headers").stdout.splitlines()]
    return {row[0]: set(row[-1].split(",")) for row in rows if row[0].endswith(".monitoring.coreos.com")}


def _is_ours(labels: set[str]) -> bool:
    return {f"{key}={value}" for key, value in OURS.items()} <= labels


def _apply_kinds(cluster: Cluster, chart: Path, step: StepReport) -> Outcome:
    files = sorted((chart / "charts" / "crds" / "crds").glob("crd-*.yaml"))
    if not files:
        raise TaskError(f"{chart} holds no custom resource definitions", "mend monitoring.chart_repository in invoke.yaml")
    version = _operator_version(files[0])
    there = _kinds(cluster)
    if not all(_is_ours(labels) for labels in there.values()):
        return unchanged(f"{len(there)} kinds, which somebody else installed")
    if len(there) == len(files) and all(f"{VERSION}={version}" in labels for labels in there.values()):
        return unchanged(f"{len(there)} kinds of operator {version}")
    step.progress(f"applying {len(files)} kinds of operator {version}")
    manifest = "\n---\n".join(_marked(file.read_text(encoding="utf-8")) for file in files)
    argv = ("apply", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}", "--output", "name", "--filename", "-")
    names = cluster.kubectl(*argv, input=manifest, timeout=APPLY_SECONDS).stdout.split()
    # Only now, when all of them are there: what was interrupted before is applied again.
    cluster.kubectl("label", "--overwrite", *names, f"{VERSION}={version}", timeout=APPLY_SECONDS)
    cluster.kubectl("wait", "--for=condition=Established", *names, f"--timeout={APPLY_SECONDS}s", timeout=APPLY_SECONDS + 10)
    return changed(f"{len(files)} kinds of operator {version}")


def _marked(definition: str) -> str:
    """Return a definition with our labels in it, so that none is ever in the cluster without them.

    Its text is changed, for PyYAML cannot read the plain `=` among the values of the operator's enumerations.
    """
    labels = "  labels:\n"
    ours = labels + "".join(f"    {key}: {value}\n" for key, value in OURS.items())
    head, opening, rest = definition.partition("\nmetadata:\n")
    metadata, spec, body = rest.partition("\nspec:\n")
    marked = metadata.replace(labels, ours, 1) if labels in metadata else f"{ours}{metadata}"
    return f"{head}{opening}{marked}{spec}{body}"


def _operator_version(definition: Path) -> str:
    with definition.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip().startswith(f"{VERSION}:"):
                return line.partition(":")[2].strip()
    raise TaskError(f"{definition.name} does not say its version", "mend monitoring.chart_version in invoke.yaml")


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


def _await_prometheus(cluster: Cluster, step: StepReport) -> Outcome:
    """Wait until the operator has made what the Prometheus object says now, and its pod is ready; its StatefulSet belongs to no release.

    Raises TaskError with what the operator says when it is not in time, and with what is wrong with the pod as soon as that is final.
    """
    ends = time.monotonic() + ROLLOUT_SECONDS
    while True:
        left = ends - time.monotonic()
        found = cluster.get("prometheuses.monitoring.coreos.com", PROMETHEUS)
        reconciled = _condition(found[0], "Reconciled") if found else {}
        if reconciled.get("status") == "True":
            return rollout.watch(cluster.within(cluster.namespace, PROMETHEUS), max(left, 0), step)
        if left <= 0:
            told = reconciled.get("message") or "it says nothing"
            raise TaskError("the operator has not made Prometheus", f"look at the log of deployment/{OPERATOR}", [told])
        step.progress(f"Prometheus: {reconciled.get('reason') or 'the operator has not seen it yet'}")
        shell.pause(GLANCE_SECONDS)


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


def _operators_own(services: list[Object]) -> bool:
    return any(s["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "prometheus-operator" for s in services)


if __name__ == "__main__":
    sys.exit(run_alone("monitoring", lambda step: main(Project(), step)))
