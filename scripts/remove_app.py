"""Remove the app: its release, its Secrets and, when asked, its data and its cluster."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.project import Project


def main(project: Project, step: StepReport, *, delete_data: bool = False, delete_cluster: bool = False) -> Outcome:
    """Remove exactly what `up` made. Raises InputError when there is no cluster of ours to delete."""
    return project.engine.down(delete_data=delete_data, delete_cluster=delete_cluster, step=step)


if __name__ == "__main__":
    run_alone(main)
