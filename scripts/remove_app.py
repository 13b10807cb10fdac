"""Remove the app: its release, its Secrets and, when asked, its data and its cluster."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.config.settings import Settings
from scripts.core.counting import several
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport
from scripts.desired.labels import PART_OF
from scripts.images import prune
from scripts.project import Project
from scripts.traffic import last_proof


def main(project: Project, step: StepReport, *, delete_data: bool = False, delete_cluster: bool = False) -> Outcome:
    """Remove exactly what `up` made. Raises InputError when there is no cluster of ours to delete."""
    last_proof.forget()
    outcome = project.engine.down(delete_data=delete_data, delete_cluster=delete_cluster, step=step)
    nodes = project.engine.deployment is not None and not delete_cluster
    return _with_builds(project.settings, outcome, nodes=nodes) if delete_data else outcome


def _with_builds(settings: Settings, outcome: Outcome, *, nodes: bool) -> Outcome:
    """Remove what interrupted builds have left, and say what stays for the next `up`; nothing where no Docker daemon answers."""
    try:
        left, images = prune.remove_build_containers(settings), prune.kept_images(settings)
    except TaskError:
        return outcome
    detail = f"; removed {several(left, 'stopped container')} of builds" if left else ""
    if images:
        label = f"label={PART_OF}={settings.release}"
        count = f"{images} image{'s' if images > 1 else ''} of the release stay{'' if images > 1 else 's'}"
        detail += f"; {count} for the next up (docker image prune --all --filter {label} removes them here)"
        detail += ", and those on the nodes" if nodes else ""
    return Outcome("changed" if left else outcome.kind, f"{outcome.detail}{detail}")


if __name__ == "__main__":
    run_alone(main)
