"""The tasks: names, help and order. What they do is in `scripts/`, one file a step."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import partial

from invoke import Collection, Context, Exit, task

from scripts import (
    build_images,
    check_monitoring,
    check_policies,
    create_secrets,
    doctor,
    install_charts,
    install_monitoring,
    load_images,
    open_dashboard,
    rollback_release,
    setup_tools,
    show_status,
    smoke_test,
    start_cluster,
    wait_for_rollout,
)
from scripts import diagnose as diagnose_release
from scripts.core import lock, log, pipeline, settings, shell
from scripts.core.errors import InputError
from scripts.core.pipeline import Step
from scripts.core.report import Outcome, Report, StepReport
from scripts.engines.kubernetes import KubernetesEngine
from scripts.engines.project import Project

JSON = "print JSON lines on stdout, for a program"
ENGINE = "minikube, kube_context or docker; otherwise as invoke.yaml says"


def _refuse_broken_settings() -> None:
    """Leave with one clear error when `invoke.yaml` is no YAML: Invoke reads it too, after this file, and would show a traceback."""
    try:
        settings.parse_yaml(settings.read_text(), "invoke.yaml")
    except InputError as error:
        raise Exit(f"error: {error}", code=error.exit_code) from None


_refuse_broken_settings()


def _perform(name: str, work: Callable[[Report], None], *, json: bool = False, changes: bool = True) -> None:
    """Run the body of a task, alone if it changes something, and leave with its exit code."""
    report = Report(as_json=json)

    def body() -> None:
        if not changes:
            return work(report)
        with lock.held(name, report):
            log.open_log()
            return work(report)

    code = pipeline.guarded(body, report)
    pipeline.leave(code)
    if code:
        raise Exit(code=code)


def up_steps(project: Project, *, require_monitoring: bool = False) -> list[Step]:
    """The graph of `up`: builds run while the cluster starts, monitoring beside the app, and each need is a real one."""

    def step(name: str, act: Callable[[Project, StepReport], Outcome], *needs: str, optional: bool = False) -> Step:
        return Step(name, partial(act, project), needs, optional)

    def chart(project: Project, report: StepReport) -> Outcome:
        return install_charts.main(project, report, monitoring=install_monitoring.kinds_are_there(project))

    monitoring = [
        step("kinds", install_monitoring.prepare, "start", optional=not require_monitoring),
        step("monitoring", install_monitoring.main, "kinds", optional=not require_monitoring),
    ]
    policies = step("policies", partial(check_policies.main, anew=False), "rollout", optional=True)
    return [
        step("preflight", doctor.main),
        step("build", build_images.main, "preflight"),
        step("start", start_cluster.main, "preflight"),
        step("load", load_images.main, "build", "start"),
        step("secrets", create_secrets.main, "start"),
        step("chart", chart, "load", "secrets", *(["kinds"] if project.monitored else [])),
        step("rollout", wait_for_rollout.main, "chart"),
        step("smoke", smoke_test.main, "rollout"),
        *([policies] if isinstance(project.engine, KubernetesEngine) else []),
        *(monitoring if project.monitored else []),
    ]


@task(help={"engine": ENGINE, "json": JSON})
def setup(_: Context, engine: str | None = None, json: bool = False) -> None:
    """Run: bring the tools that this machine lacks.

    Those of the engine, and those of the tests where the development requirements are installed.
    """

    def work(report: Report) -> None:
        pipeline.run_steps([Step("setup", partial(setup_tools.main, Project(engine)))], report)

    _perform("setup", work, json=json)


@task(
    help={
        "monitoring": "--no-monitoring leaves Prometheus and Grafana out",
        "require-monitoring": "fail when the monitoring cannot be installed",
        "engine": ENGINE,
        "json": JSON,
    }
)
def up(_: Context, monitoring: bool = True, require_monitoring: bool = False, engine: str | None = None, json: bool = False) -> None:
    """Run: bring everything to the sources of now; smoke-test it.

    Preflight, build, start, load, Secrets, chart, rollout, smoke test; monitoring beside them.
    """

    def work(report: Report) -> None:
        project = Project(engine, monitoring=monitoring)
        if require_monitoring and (reason := install_monitoring.why_not(project)):
            raise InputError(f"there would be no monitoring: {reason}", "leave out --require-monitoring, or mend that")
        for key in project.create_env():
            report.say(f".env: invented {key}")
        report.say(f"engine: {project.engine.name} ({project.reason})")
        pipeline.run_steps(up_steps(project, require_monitoring=require_monitoring), report)
        show_status.show_addresses(project.engine, report)

    _perform("up", work, json=json)


@task(
    help={
        "data": "also remove the database's volume, with all todos",
        "cluster": "also delete the cluster that `up` started",
        "kinds": "also remove the kinds (CRDs) of the Prometheus operator that `up` brought to the cluster",
        "yes": "answer yes to the question",
        "engine": ENGINE,
        "json": JSON,
    }
)
def down(
    _: Context,
    data: bool = False,
    cluster: bool = False,
    kinds: bool = False,
    yes: bool = False,
    engine: str | None = None,
    json: bool = False,
) -> None:
    """Run: remove what `up` made; the data stays unless --data."""

    def work(report: Report) -> None:
        project = Project(engine)
        if (data or cluster) and not yes and not report.confirm("Remove the database with all todos?"):
            report.say("nothing was removed")
            return
        steps: list[Step] = []
        if isinstance(project.engine, KubernetesEngine) and not cluster:  # before the app, since the cluster may be stopped with it
            steps.append(Step("monitoring", partial(install_monitoring.remove, project), optional=True))
            if kinds:
                steps.append(Step("kinds", partial(install_monitoring.remove_kinds, project), ("monitoring",), optional=True))
        act = partial(project.engine.down, delete_data=data or cluster, delete_cluster=cluster)
        steps.append(Step("app", lambda step: act(step=step), tuple(step.name for step in steps)))
        pipeline.run_steps(steps, report)

    _perform("down", work, json=json)


@task(help={"monitoring": "also prove that the monitoring shows data", "engine": ENGINE, "json": JSON})
def smoke(_: Context, monitoring: bool = False, engine: str | None = None, json: bool = False) -> None:
    """Look: prove that the app works, with a todo added by chat."""

    def work(report: Report) -> None:
        project = Project(engine)
        steps = [Step("smoke", partial(smoke_test.main, project))]
        if isinstance(project.engine, KubernetesEngine):
            steps.append(Step("policies", partial(check_policies.main, project), optional=True))
        if monitoring:
            steps.append(Step("monitoring", partial(check_monitoring.main, project, report), ("smoke",)))
        pipeline.run_steps(steps, report)

    _perform("smoke", work, json=json, changes=False)


@task(help={"engine": ENGINE, "json": JSON})
def status(_: Context, engine: str | None = None, json: bool = False) -> None:
    """Look: show what runs, and where to open it."""
    _perform("status", lambda report: show_status.main(Project(engine), report), json=json, changes=False)


@task(help={"engine": ENGINE, "json": JSON})
def build(_: Context, engine: str | None = None, json: bool = False) -> None:
    """Run: build the images that are not there yet, and no more."""

    def work(report: Report) -> None:
        project = Project(engine)
        project.create_env()
        pipeline.run_steps([Step("build", partial(build_images.main, project))], report)

    _perform("build", work, json=json)


@task(name="doctor", help={"engine": ENGINE, "json": JSON})
def doctor_(_: Context, engine: str | None = None, json: bool = False) -> None:
    """Look: check all that `up` needs; change nothing."""

    def work(report: Report) -> None:
        pipeline.run_steps([Step("doctor", partial(doctor.main, Project(engine)))], report)

    _perform("doctor", work, json=json, changes=False)


@task(help={"lines": "how many lines of each", "engine": ENGINE}, positional=["service"])
def logs(_: Context, service: str, lines: int = 100, engine: str | None = None) -> None:
    """Look: print the last log lines of a service."""
    _perform("logs", lambda report: report.result(Project(engine).engine.logs(service, lines).rstrip()), changes=False)


@task(
    help={
        "what": "app, grafana or prometheus",
        "show-password": "print Grafana's password",
        "browser": "open a browser (--no-browser: only print the address)",
        "engine": ENGINE,
        "json": JSON,
    }
)
def dashboard(
    _: Context, what: str = "app", show_password: bool = False, browser: bool = True, engine: str | None = None, json: bool = False
) -> None:
    """Look: open the app, Grafana or Prometheus.

    On Kubernetes through a port forward that lives as long as this command.
    """

    def work(report: Report) -> None:
        open_dashboard.main(Project(engine), what, report, show_password=show_password, browser=browser)

    _perform("dashboard", work, json=json, changes=False)


@task(help={"engine": ENGINE, "json": JSON})
def diagnose(_: Context, engine: str | None = None, json: bool = False) -> None:
    """Look: say why the release is not well, and what to do."""
    _perform("diagnose", lambda report: diagnose_release.main(Project(engine), report), json=json, changes=False)


@task(help={"engine": ENGINE, "json": JSON})
def rollback(_: Context, engine: str | None = None, json: bool = False) -> None:
    """Run: go back to the last good release, its images and Secrets."""

    def work(report: Report) -> None:
        pipeline.run_steps([Step("rollback", partial(rollback_release.main, Project(engine)))], report)

    _perform("rollback", work, json=json)


def _development(program: str) -> None:
    if importlib.util.find_spec(program) is None:
        raise Exit(f"error: {program} is not installed\n  -> pip install -r requirements-dev.txt", code=3)


def _passes(*argv: str) -> None:
    """Run a development tool of this interpreter, its output straight to the terminal; leave with its code if it fails."""
    _development(argv[0])
    code = shell.attached([sys.executable, "-m", *argv])
    if code:
        raise Exit(code=code)


@task(
    help={
        "only": "a marker of pytest: unit, runner, render, engine, cluster, app, monitoring",
        "long": "with the tests that kill, search and build for minutes",
    }
)
def test(_: Context, only: str = "", long: bool = False) -> None:
    """Develop: run the tests, all but the cluster's.

    The closing lines name each tier that could not run, and why.
    """
    if only != "app":
        _passes("pytest", "-m", (only or "not cluster") + ("" if long else " and not long"))
    if only in ("", "app"):  # the backend is a project of its own, with its own settings of pytest
        _passes("pytest", "--config-file=app/backend/pyproject.toml", "app/backend/tests")


@task(
    name="cluster-test",
    help={"context": "the kube context to test on; otherwise a cluster is brought up and taken away", "keep": "leave that cluster up"},
)
def cluster_test(_: Context, context: str = "", keep: bool = False) -> None:
    """Develop: run the tests that need a real Kubernetes."""
    _passes("pytest", "tests/cluster", "-m", "cluster", *([f"--context={context}"] if context else []), *(["--keep"] if keep else []))


@task(help={"fix": "mend what can be mended"})
def lint(_: Context, fix: bool = False) -> None:
    """Develop: check style, formatting and types."""
    _passes("ruff", "format", *([] if fix else ["--check"]), ".")
    _passes("ruff", "check", *(["--fix"] if fix else []), ".")
    _passes("mypy")
    _passes("mypy", "--config-file=app/backend/pyproject.toml", "app/backend/src")


@task(name="lock")
def lock_(_: Context) -> None:
    """Develop: pin the requirements anew, with hashes."""
    for name in ("requirements", "app/backend/requirements", "requirements-dev"):
        _passes(
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--generate-hashes",
            "--no-strip-extras",  # pip before 23.3 takes `name[extra]` only where the pin says it too
            "--python-version=3.11",
            f"{name}.in",
            f"--output-file={name}.txt",
        )


ns = Collection(setup, up, down, smoke, status, build, doctor_, dashboard, diagnose, rollback, logs, test, cluster_test, lint, lock_)
