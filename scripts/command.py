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

from invoke import Collection, Context, Exit, Program, Task
from invoke.exceptions import ParseError
from invoke.main import program
from invoke.parser.parser import ParseMachine
from invoke.util import helpline

from scripts.config import settings
from scripts.config.settings import ENGINES
from scripts.core import lock, log, pipeline
from scripts.core.errors import BAD_INPUT, InputError
from scripts.core.paths import ROOT
from scripts.core.pipeline import Step
from scripts.core.report import Outcome, Report, StepReport
from scripts.kubernetes import connection
from scripts.project import Project

ENGINE = f"{', '.join(ENGINES)}; otherwise as invoke.yaml says"
USAGE = "\n  -> invoke --list, or invoke --help COMMAND"
COMMON: dict[str, Any] = {"engine": None, "json": False, "plain": False}
"""Options of every command."""
LEFT_OUT: dict[tuple[str, str], Any] = {}
"""What options are that may stand without their dashes, by command and name, where they are left out."""
JSON = "print JSON lines on stdout, for a program"
PLAIN = "lines alone: no colours, nothing that moves; for screen readers and logs, and where CI is set"


def perform(name: str, work: Callable[[Report], int | None], *, json: bool, changes: bool, plain: bool = False) -> int:
    """Do a command's work and return its exit code.

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
    return code


def command(
    *,
    changes: bool,
    help: Mapping[str, str] | None = None,
    positional: Sequence[str] = (),
    aliases: Sequence[str] = (),
) -> Callable[[Callable[..., int | None]], Task[Any]]:
    """Make an Invoke task of a function that takes a Project, a Report and options.

    Its keyword parameters become options of the task, beside `--engine`, `--json` and `--plain`. It may return an exit code.
    """

    def make(function: Callable[..., int | None]) -> Task[Any]:
        name = function.__name__.rstrip("_")
        options = list(inspect.signature(function).parameters.values())[2:]

        def body(_context: Context, *, engine: str | None = None, json: bool = False, plain: bool = False, **given: Any) -> None:
            def work(report: Report) -> int | None:
                return function(Project(engine), report, **given)

            code = perform(name, work, json=json, plain=plain, changes=changes)
            if code:
                raise Exit(code=code)

        parameter = inspect.Parameter
        common = [parameter(option, parameter.KEYWORD_ONLY, default=usual) for option, usual in COMMON.items()]
        # Invoke takes a word without a dash only for an option that has no value yet.
        shown = [option.replace(default=parameter.empty) if option.name in positional else option for option in options]
        first = parameter("context", parameter.POSITIONAL_OR_KEYWORD)
        body.__signature__ = inspect.Signature([first, *shown, *common])  # type: ignore[attr-defined] # Invoke reads the options from it
        body.__name__, body.__doc__ = name, function.__doc__
        explained = {**(help or {}), "engine": ENGINE, "json": JSON, "plain": PLAIN}
        left_out = {
            option.name: option.default for option in options if option.name in positional and option.default is not parameter.empty
        }
        LEFT_OUT.update({(name, option): default for option, default in left_out.items()})
        return Task(body, name=name, help=explained, positional=list(positional), aliases=tuple(aliases))

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

    sys.exit(perform(name, work, json=given.json, plain=given.plain, changes=changes))


def run_command() -> None:
    """Run the command of this module, as `python -m scripts.<command>` does: Invoke knows its options."""
    name = Path(sys.argv[0]).stem
    program.run(["invoke", "--search-root", str(ROOT), name, *sys.argv[1:]])


def refuse_broken_settings() -> None:
    """Leave with one clear error when `invoke.yaml` is no YAML: Invoke reads it too, after `tasks.py`, and would show a traceback."""
    try:
        settings.parse_yaml(settings.read_text())
    except InputError as error:
        raise Exit(f"error: {error}", code=error.exit_code) from None


def let_words_be_left_out() -> None:
    """Let Invoke give an option that may stand without its dashes (`invoke open grafana`) its default where it is left out."""
    complete = ParseMachine.complete_context

    def completed(machine: ParseMachine) -> None:
        for argument in getattr(machine.context, "missing_positional_args", ()):
            if (of := (str(machine.context.name), str(argument.name))) in LEFT_OUT:
                argument.value = LEFT_OUT[of]
        complete(machine)

    setattr(ParseMachine, complete.__name__, completed)  # it has no hook for this


def exit_with_2_on_usage_errors() -> None:
    """Let Invoke end with our code for bad usage, which it ends with 1, and in one line where it would show a traceback."""
    for parse in (Program.parse_tasks, Program.parse_cleanup):  # it has no hook for this
        setattr(Program, parse.__name__, _refusing_bad_usage(parse))


def _refusing_bad_usage(parse: Callable[[Program], None]) -> Callable[[Program], None]:
    def refusing(program: Program) -> None:
        try:
            parse(program)
        except (ParseError, ValueError) as error:
            about = getattr(getattr(error, "context", None), "name", None)
            action = f"\n  -> invoke --help {about}" if about else USAGE
            raise Exit(f"error: {error}{action}", code=BAD_INPUT) from None
        except Exit as ending:
            if ending.code == 1:  # Invoke ends so for a list of something that is not there
                raise Exit(f"error: {ending.message}{USAGE}", code=BAD_INPUT) from None
            raise

    return refusing


def list_in_groups(groups: Mapping[str, Sequence[Task[Any] | Collection]]) -> None:
    """Let `invoke --list`, and `invoke` alone, show the commands in these groups and in this order, a line each."""

    def list_flat(self: Program) -> None:  # noqa: ARG001 - Invoke hands it over
        shown = {title: [line for each in group for line in _lines(each)] for title, group in groups.items()}
        width = max(len(name) for lines in shown.values() for name, _ in lines)
        for title, lines in shown.items():
            print(f"{title}:")
            for name, line in lines:
                print(f"  {name:<{width}}  {line}")
            print()
        print("invoke --help COMMAND explains one of them.")

    def no_tasks_given(self: Program) -> None:
        self.list_tasks()
        raise Exit

    Program.list_flat = list_flat  # type: ignore[method-assign] # it has no hook for this
    Program.no_tasks_given = no_tasks_given  # type: ignore[method-assign] # likewise


def _lines(each: Task[Any] | Collection) -> list[tuple[str, str | None]]:
    """The name and the help of a task, or of all tasks of a collection."""
    if isinstance(each, Collection):
        return [(f"{each.name}.{name}", helpline(task)) for name, task in each.tasks.items()]
    aliases = f" ({', '.join(each.aliases)})" if each.aliases else ""
    return [(f"{each.name}{aliases}", helpline(each))]
