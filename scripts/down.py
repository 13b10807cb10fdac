"""`invoke down`: the graph of steps that removes what `up` made."""

from __future__ import annotations

from functools import partial

from scripts import remove_app, remove_crds, remove_monitoring
from scripts.command import command
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project


def steps(project: Project, *, data: bool, cluster: bool, crds: bool) -> list[Step]:
    """Return the graph. The monitoring goes before the app, since the cluster may be stopped with it; with the cluster all goes at once."""
    graph: list[Step] = []
    if project.engine.deployment is not None and not cluster:
        graph.append(Step("monitoring", partial(remove_monitoring.main, project), optional=True))
        if crds:
            graph.append(Step("crds", partial(remove_crds.main, project), ("monitoring",), optional=True))
    app = partial(remove_app.main, project, delete_data=data or cluster, delete_cluster=cluster)
    return [*graph, Step("app", app, tuple(step.name for step in graph))]


@command(
    changes=True,
    help={
        "data": "also remove the database's volume, with everything the app has stored",
        "cluster": "also delete the cluster that `up` started",
        "crds": "also remove the Prometheus operator's custom resource definitions (CRDs) that `up` brought to the cluster",
        "yes": "answer yes to the question",
    },
)
def down(project: Project, report: Report, *, data: bool = False, cluster: bool = False, crds: bool = False, yes: bool = False) -> None:
    """Remove what `up` made; the data stays without --data."""
    if (data or cluster) and not yes and not report.confirm("Remove the database with everything the app has stored?"):
        report.say("nothing was removed")
        return
    run_steps(steps(project, data=data, cluster=cluster, crds=crds), report)


if __name__ == "__main__":
    run_command()
