"""`invoke up`, `plan` and `build`: the graph of steps that brings everything to what the sources say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from scripts import (
    build_images,
    check_policies,
    create_secrets,
    install_chart,
    install_crds,
    install_monitoring,
    load_images,
    preflight,
    smoke_test,
    start_cluster,
    wait_for_rollout,
)
from scripts.command import command
from scripts.core.decision import Decision
from scripts.core.errors import InputError
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport
from scripts.look.plan import show_plan
from scripts.look.status import show_addresses
from scripts.program import run_command
from scripts.project import ENV, Project

Main = Callable[[Project, StepReport], Outcome]
Decide = Callable[[Project, StepReport], Decision]


def steps(project: Project, *, require_monitoring: bool = False, setup: bool = False) -> list[Step]:
    """Return the graph: builds run while the cluster starts, each image is loaded when it is built, monitoring is installed beside the app.

    setup: helm comes in it too, since nothing before the chart needs it.
    """

    def step(
        name: str, main: Main, *needs: str, follows: tuple[str, ...] = (), optional: bool = False, decide: Decide | None = None
    ) -> Step:
        return Step(name, partial(main, project), needs, optional, partial(decide, project) if decide else None, follows)

    helm = ["helm"] if setup else []
    graph = [
        step("preflight", partial(preflight.main, awaited=helm)),
        step("build", build_images.main, "preflight", decide=build_images.decide),
        step("start", start_cluster.main, "preflight", decide=start_cluster.decide),
        step("load", load_images.as_built, "start", follows=("build",), decide=load_images.decide),
        step("secrets", create_secrets.main, "start", decide=create_secrets.decide),
        step("chart", install_chart.main, "load", "secrets", *(["crds"] if project.monitored else []), *helm, decide=install_chart.decide),
        step("rollout", wait_for_rollout.main, "chart", decide=wait_for_rollout.decide),
        step("smoke", smoke_test.main, "rollout"),
    ]
    if setup:
        from scripts import bring_helm  # what downloads takes a while to load, which a run without it should not

        graph.append(step("helm", bring_helm.main, "preflight"))
    if project.engine.deployment is not None:
        graph.append(step("policies", check_policies.unless_known, "rollout", optional=True))
    if project.monitored:
        graph.append(step("crds", install_crds.main, "start", *helm, optional=not require_monitoring, decide=install_crds.decide))
        graph.append(step("monitoring", install_monitoring.main, "crds", optional=not require_monitoring, decide=install_monitoring.decide))
    return graph


def freeze(project: Project, report: Report) -> None:
    """Read what the steps share. Where that is wrong, let preflight look for what else is, and tell all of it at once."""
    try:
        project.freeze()
    except InputError:
        run_steps(steps(project)[:1], report)
        raise


@command(
    changes=True,
    monitoring=True,
    help={
        "require-monitoring": "fail when the monitoring cannot be installed",
        "plan": "only show what would be done, as `invoke plan` does",
        "setup": "first bring the tools that this machine lacks, as `invoke setup` does; helm while images build",
    },
)
def up(project: Project, report: Report, *, require_monitoring: bool = False, plan: bool = False, setup: bool = False) -> int | None:
    """Build and deploy the current sources; smoke-test them.

    Preflight, build, start, load, Secrets, chart, rollout, smoke test; monitoring beside them.
    """
    if plan:
        return decisions(project, report)
    if setup:
        bring_tools(project, report)
    if require_monitoring and (reason := project.why_not_monitored()):
        raise InputError(f"there would be no monitoring: {reason}", "leave out --require-monitoring, or fix that", code="monitoring-off")
    generated = project.create_env()
    for key in generated:
        report.say(f".env: generated {key}")
    bring_up(project, report, require_monitoring=require_monitoring, setup=setup)
    if generated or any(result.step == "secrets" and result.result == "changed" for result in report.results):
        for offer in offers(project):
            report.say(offer)
    return None


def bring_tools(project: Project, report: Report) -> None:
    """Bring what preflight looks through: all tools but helm. Before the first of them, the settings and `.env` are judged."""
    from scripts import setup  # it knows every engine, and a run without it needs one

    if ENV.exists():
        _ = project.env
    run_steps([Step("setup", partial(setup.main, project, for_up=True))], report)


def bring_up(project: Project, report: Report, *, require_monitoring: bool = False, setup: bool = False) -> None:
    """Run the graph, and show where to open the app. Raises what the steps raise."""
    report.say(f"engine: {project.engine.name} ({project.reason})")
    freeze(project, report)
    run_steps(steps(project, require_monitoring=require_monitoring, setup=setup), report)
    show_addresses(project.engine, report)


def offers(project: Project) -> list[str]:
    """Return what a value in `.env` would give, of the keys that have none."""
    keys = project.settings.env.items()
    return [
        f"{key} in .env is empty: {spec.offer}, and `invoke up` has run again"
        for key, spec in keys
        if spec.offer and not project.env.get(key)
    ]


@command(changes=False, monitoring=True)
def plan(project: Project, report: Report) -> int:
    """Show what `up` would do, and why; change nothing.

    The exit code is 4 when there is something to do.
    """
    return decisions(project, report)


def decisions(project: Project, report: Report) -> int:
    """Print what `up` would do, and return the exit code. Changes nothing."""
    project.suppose_env()
    report.say(f"engine: {project.engine.name} ({project.reason})")
    freeze(project, report)
    return show_plan([step for step in steps(project) if step.decide or step.name == "preflight"], report)


@command(changes=True)
def build(project: Project, report: Report) -> None:
    """Build the images that are missing, and nothing else."""
    project.create_env()
    run_steps([Step("build", partial(build_images.main, project))], report)


if __name__ == "__main__":
    run_command()
