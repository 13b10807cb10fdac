"""Install or upgrade the app's chart with the images and Secrets of now."""

from __future__ import annotations

import sys

from scripts.core import chart
from scripts.core.pipeline import run_alone
from scripts.core.report import Outcome, StepReport
from scripts.engines.project import Project


def main(project: Project, step: StepReport, *, monitoring: bool = False) -> Outcome:
    """Bring the release to the sources of now; `unchanged` when its fingerprint is the one that runs. Raises TaskError.

    monitoring: whether the cluster knows ServiceMonitors, so that the chart may have them.
    """
    release = chart.planned(project.settings, project.images, project.secrets, monitoring=monitoring)
    return project.engine.install(release, step)


if __name__ == "__main__":
    sys.exit(run_alone("chart", lambda step: main(Project(), step)))
