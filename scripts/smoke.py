"""`invoke smoke`: the graph of steps that prove that the app works."""

from __future__ import annotations

from functools import partial

from scripts import check_monitoring, check_policies, smoke_test
from scripts.command import command
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project


# It uses the app and, on Kubernetes, makes two pods: it runs alone, like everything that changes something.
@command(changes=True, help={"monitoring": "also prove that the monitoring shows data"})
def smoke(project: Project, report: Report, *, monitoring: bool = False) -> None:
    """Prove that the app works, down to one real use."""
    project.require_installed()
    steps = [Step("smoke", partial(smoke_test.main, project))]
    if project.engine.deployment is not None:
        steps.append(Step("policies", partial(check_policies.main, project), optional=True))
    if monitoring:
        steps.append(Step("monitoring", partial(check_monitoring.main, project), ("smoke",)))
    run_steps(steps, report)


if __name__ == "__main__":
    run_command()
