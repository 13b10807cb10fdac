"""Makes commands out of functions: options, lock, log, report and exit code are the same for all, by `invoke` and by `python -m`."""

from __future__ import annotations

import argparse
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from invoke import Context, Exit, Task

from scripts.config.settings import ENGINES
from scripts.core import lock, log, pipeline
from scripts.core.pipeline import Step
from scripts.core.report import Outcome, Report, StepReport
from scripts.kubernetes import connection
from scripts.program import LEFT_OUT, Lettered
from scripts.project import Project

ENGINE = f"{', '.join(ENGINES)}; by default what invoke.yaml says"
COMMON: dict[str, Any] = {"engine": None, "json": False, "plain": False}
"""Options of every command."""
MONITORING = "--no-monitoring leaves Prometheus and Grafana out"
JSON = "print JSON lines on stdout, for a program"
PLAIN = "plain lines, without colours or animation, for screen readers and logs; the default if CI is set"


def perform(name: str, work: Callable[[Report], int | None], *, json: bool, changes: bool, plain: bool = False) -> None:
    """Do a command's work. Raises Exit with its exit code, where that is not 0.

    changes: whether it may change something; then it runs alone, under the project's lock, and keeps a log.
    """
    report = Report(as_json=json, plain=plain or os.environ.get("CI", "").lower() not in ("", "0", "false"))

    def body() -> int | None:
        with lock.held(name, report) if changes else nullcontext(), connection.kept():
            if changes:
                log.open_log()
            return work(report)

    code = pipeline.run_to_exit_code(body, report)
    pipeline.exit_if_interrupted(code)
    if code:
        raise Exit(code=code)


def command(
    *,
    changes: bool,
    help: Mapping[str, str] | None = None,
    positional: Sequence[str] = (),
    monitoring: bool = False,
) -> Callable[[Callable[..., int | None]], Task[Any]]:
    """Make an Invoke task of a function that takes a Project, a Report and options.

    Its keyword parameters become options of the task, beside `--engine`, `--json` and `--plain`. It may return an exit code.
    monitoring: whether there is also `--no-monitoring`, which takes the monitoring out of its project.
    """

    def make(function: Callable[..., int | None]) -> Task[Any]:
        name = function.__name__.rstrip("_")
        options = list(inspect.signature(function).parameters.values())[2:]

        def body(_context: Context, *, engine: str | None = None, json: bool = False, plain: bool = False, **given: Any) -> None:
            def work(report: Report) -> int | None:
                watched = given.pop("monitoring") if monitoring else True
                return function(Project(engine, monitoring=watched), report, **given)

            perform(name, work, json=json, plain=plain, changes=changes)

        parameter, usual_options = inspect.Parameter, COMMON | ({"monitoring": True} if monitoring else {})
        common = [parameter(option, parameter.KEYWORD_ONLY, default=usual) for option, usual in usual_options.items()]
        # Invoke takes a word without a dash only for an option that has no value yet.
        shown = [option.replace(default=parameter.empty) if option.name in positional else option for option in options]
        first = parameter("context", parameter.POSITIONAL_OR_KEYWORD)
        body.__signature__ = inspect.Signature([first, *shown, *common])  # type: ignore[attr-defined] # Invoke reads the options from it
        body.__name__, body.__doc__ = name, function.__doc__
        explained = {**(help or {}), **({"monitoring": MONITORING} if monitoring else {}), "engine": ENGINE, "json": JSON, "plain": PLAIN}
        left_out = {
            option.name: option.default for option in options if option.name in positional and option.default is not parameter.empty
        }
        LEFT_OUT.update({(name, option): default for option, default in left_out.items()})
        return Lettered(body, name=name, help=explained, positional=list(positional))

    return make


def run_alone(main: Callable[[Project, StepReport], Outcome], *, changes: bool = True) -> None:
    """Run one step alone, as `python -m scripts.<step>` does, with what a task has; leave with its exit code."""
    name = Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(prog=f"python -m scripts.{name}", description=main.__doc__)
    parser.add_argument("--engine", help=ENGINE)
    parser.add_argument("--json", action="store_true", help=JSON)
    parser.add_argument("--plain", action="store_true", help=PLAIN)
    given = parser.parse_args()

    def work(report: Report) -> None:
        project = Project(given.engine)
        pipeline.run_steps([Step(name, lambda step: main(project, step))], report)

    try:
        perform(name, work, json=given.json, plain=given.plain, changes=changes)
    except Exit as ending:
        sys.exit(ending.code)
