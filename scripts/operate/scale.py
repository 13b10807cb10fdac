"""`invoke scale SERVICE N`: so many pods of a service, until `invoke scale SERVICE auto`."""

from __future__ import annotations

from functools import partial

from scripts.command import command
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project

AUTO = "auto"
MOST = 1000


@command(changes=True, positional=["service", "pods"], help={"service": "a service", "pods": "how many, or auto: as its settings say"})
def scale(project: Project, report: Report, *, service: str, pods: str) -> None:
    """Keep a fixed number of pods of a service, or auto.

    Every later `up` keeps it too, and says so, until it is auto again.
    """
    wanted = _number(pods)
    project.require_installed()
    chart, timeout = ROOT / project.settings.chart.path, project.settings.chart.timeout_seconds
    run_steps([Step("scale", partial(project.engine.operations.scale, service, wanted, chart, timeout))], report)


def _number(text: str) -> int | None:
    if text == AUTO:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > MOST:
        raise InputError(f"`{text}` is not a number of pods", f"a number from 0 to {MOST}, or {AUTO}", code="input-invalid")
    return int(text)


if __name__ == "__main__":
    run_command()
