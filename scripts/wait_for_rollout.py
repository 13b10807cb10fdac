"""Wait until every workload of the release is ready, go on to the last where it is one on the way, and clear away old things."""

from __future__ import annotations

from functools import partial

from scripts.command import run_alone
from scripts.core.decision import Change, Decision
from scripts.core.report import Outcome, StepReport
from scripts.desired.stages import Stage
from scripts.kubernetes.looking import look
from scripts.project import Project


def decide(project: Project, step: StepReport) -> Decision:  # noqa: ARG001 - as every step's
    """Decide what follows once the release of the step before is rolled out."""
    return Decision("", tuple(Change(line, "once the stage before is rolled out") for stage in project.stages[1:] for line in stage.tells))


def main(project: Project, step: StepReport) -> Outcome:
    """Watch each rollout to its end. Raises TaskError with the cause, the evidence and the next action."""
    first, *rest = project.stages
    outcome = _rolled_out(project, first, step)
    for stage in rest:
        project.engine.decide_secrets(stage.secrets, step).carry_out(step)
        project.engine.decide_install(project.release(stage), stage.secrets, step).carry_out(step)
        outcome = _rolled_out(project, stage, step)
    if rest or outcome.kind == "changed":
        for each in look(partial(project.engine.superfluous, project.secrets, project.images), step):
            look(each.remove, step)
    return Outcome("changed", outcome.detail) if rest else outcome


def _rolled_out(project: Project, stage: Stage, step: StepReport) -> Outcome:
    for line in stage.tells:
        step.say(line)
    return project.engine.await_rollout(project.release(stage), project.settings.chart.timeout_seconds, step)


if __name__ == "__main__":
    run_alone(main)
