"""Bring helm, which the chart's steps alone need, while images build; then let it judge the chart, which preflight could not."""

from __future__ import annotations

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.desired.helm_release import provisional_release
from scripts.machine import tool_downloads, tools
from scripts.project import Project

HELM = "helm"


def main(project: Project, step: StepReport) -> Outcome:
    """Bring helm where there is none that does, and render the chart. Raises MissingError, or what is wrong with `chart.values`."""
    wanted, found = project.settings.tools[HELM], tools.find(HELM, project.settings.tools[HELM])
    outcome = unchanged(str(found))
    if found.problem:
        way = tool_downloads.bring(HELM, wanted.version, tool_downloads.load()[HELM], step)
        outcome = changed(f"{HELM} {wanted.version} {way}")
    step.progress("rendering the chart")
    project.engine.check(provisional_release(project.settings, monitoring=project.monitored))
    return outcome


if __name__ == "__main__":
    run_alone(main)
