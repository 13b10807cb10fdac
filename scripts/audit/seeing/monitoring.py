"""What Prometheus says of the app: its targets, and whether the dashboards' queries answer."""

from __future__ import annotations

from scripts.audit.facts import Monitored, Unseen
from scripts.check_monitoring import PROMETHEUS_PORT, RATE_INTERVAL, Api, count_series
from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.desired import monitoring
from scripts.kubernetes.port_forward import forward
from scripts.monitoring.queries import load_queries
from scripts.project import Project


def see(project: Project) -> Monitored | Unseen:
    """Return what Prometheus says, or why it cannot be asked."""
    if not project.monitored:
        return Unseen(project.why_not_monitored())
    installed = project.monitoring_deployment()
    if not installed.exists():
        return Unseen("the monitoring is not installed")
    try:
        with forward(installed.cluster, f"service/{monitoring.object_name(project.settings, 'prometheus')}", PROMETHEUS_PORT) as port:
            return _ask(Api("Prometheus", port), project.settings)
    except TaskError as error:
        return Unseen(error.cause)


def _ask(prometheus: Api, settings: Settings) -> Monitored:
    targets = prometheus.get("/api/v1/targets", state="active")["data"]["activeTargets"]
    down = [f"{each['labels']['job']} {each['labels'].get('pod', '')} is {each['health']}" for each in targets if each["health"] != "up"]
    wanted = [query for query in load_queries(settings) if not query.optional]
    silent = [
        f"{query.panel} ({query.legend}) shows nothing"
        for query in wanted
        if not count_series(prometheus, query.resolved(settings.namespace, RATE_INTERVAL))
    ]
    return Monitored(len(targets) - len(down), down, len(wanted), silent)
