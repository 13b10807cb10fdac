"""Invoke's own program as we have it: commands are imported when they are used, listed in groups, and refused with our exit codes."""

from __future__ import annotations

import difflib
import importlib
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from invoke import Argument, Collection, Config, Context, Exit, Program, Task
from invoke.exceptions import ParseError
from invoke.main import program as invokes_own
from invoke.parser.parser import ParseMachine
from invoke.util import helpline

BAD_INPUT = 2  # as in core.errors, whose import would cost more than the list
USAGE = "\n  -> invoke --list, or invoke --help COMMAND"
OF_RUN = ("dry", "echo", "hide", "pty", "warn-only", "command-timeout", "prompt-for-sudo-password")
"""Invoke's options for what its own `run` starts, as nothing of ours is: `--dry` would change as much as without it."""
LETTERS = {"engine": "e", "follow": "f", "yes": "y"}
"""Options with a letter, which is the same in every command: Invoke would give `-p` to --plan here and to --plain there."""
LEFT_OUT: dict[tuple[str, str], Any] = {}
"""What options are that may stand without their dashes, by command and name, where they are left out."""
SCRIPTS = Path(__file__).parent


class Lettered(Task[Any]):
    """A command whose options have the letters of LETTERS, and no others."""

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Return what Invoke makes an option of."""
        options: dict[str, Any] = super().arg_opts(name, default, taken_names)
        return {**options, "names": [*options["names"][:1], *LETTERS.get(name, "")]}


class Command(Task[Any]):
    """A command of a module that is imported when the command is named: a run needs one of some forty, and the list none."""

    named: frozenset[str] | None = None
    """The words of the command line while Invoke reads it."""

    def __init__(self, place: str, *aliases: str, within: str = "") -> None:
        """place: `module:function` below scripts, or the module's name alone where both are the same. within: its collection."""
        module, _, function = place.partition(":")
        self.place = f"scripts.{module}", function or module.rpartition(".")[2]

        def body(_context: Context) -> None:
            """Stand for the command."""

        body.__name__ = self.place[1].rstrip("_")
        super().__init__(body, name=body.__name__.replace("_", "-"), aliases=aliases)
        self.typed = {f"{within}.{self.name}"} if within else {str(self.name), *aliases}

    @cached_property
    def task(self) -> Task[Any]:
        """The command itself."""
        found: Task[Any] = getattr(importlib.import_module(self.place[0]), self.place[1])
        self.__doc__ = found.__doc__
        return found

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the options; none for a command that the command line does not name, since nobody asks for them."""
        if Command.named is not None and Command.named.isdisjoint(self.typed):
            return []
        return self.task.get_arguments(ignore_unknown_help)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command."""
        return self.task(*args, **kwargs)


def commands(*places: str, within: str = "") -> list[Command]:
    """Return the commands at these places."""
    return [Command(place, within=within) for place in places]


def summary(module: str, function: str) -> str:
    """Return the first line of a function's docstring, without an import."""
    path = SCRIPTS.parent.joinpath(*module.split("."))
    text = path.with_suffix(".py").read_text(encoding="utf-8")
    match = re.search(rf'^def {function}\(.*?"""(.*?)(?:\n|""")', text, re.DOTALL | re.MULTILINE)
    return match[1] if match else ""


def adapt_invoke() -> None:
    """Let Invoke's program read a command line as ours. It has hooks for none of this."""
    leave_settings_to_us()
    _let_words_be_left_out()
    parse, parse_cleanup = Program.parse_tasks, Program.parse_cleanup

    def parse_tasks(program: Program) -> None:
        _help_wherever_it_is_asked_for(program)
        rest = shlex.split(program.core.remainder) if program.core.remainder else []
        Command.named = frozenset((*program.core.unparsed, *rest, str(program.args.help.value)))
        try:
            with _refusing_bad_usage(program):
                parse(program)
        finally:
            Command.named = None
        _refuse_options_without_effect(program)

    def cleanup(program: Program) -> None:
        with _refusing_bad_usage(program):
            parse_cleanup(program)

    setattr(Program, parse.__name__, parse_tasks)
    setattr(Program, parse_cleanup.__name__, cleanup)


def leave_settings_to_us() -> None:
    """Let Invoke not read `invoke.yaml`, which it takes for its own: it holds nothing of Invoke's, and each run would read it twice."""
    setattr(Config, Config.load_project.__name__, lambda _self, merge=True: None)  # noqa: ARG005 - Invoke names it


def _let_words_be_left_out() -> None:
    """Give an option that may stand without its dashes (`invoke open grafana`) its default where it is left out."""
    complete = ParseMachine.complete_context

    def completed(machine: ParseMachine) -> None:
        for argument in getattr(machine.context, "missing_positional_args", ()):
            if (of := (str(machine.context.name), str(argument.name))) in LEFT_OUT:
                argument.value = LEFT_OUT[of]
        complete(machine)

    setattr(ParseMachine, complete.__name__, completed)


def _help_wherever_it_is_asked_for(program: Program) -> None:
    """Let `invoke restart --help` explain `restart`: Invoke takes what follows a command that wants a word for that word."""
    words = program.core.unparsed
    asked = next((place for place, word in enumerate(words) if word in ("--help", "-h")), 0)
    known = {name for task, aliases in program.collection.task_names.items() for name in (task, *aliases)}
    before = [word for word in words[:asked] if word in known]
    if before:
        program.core[0].args["help"].value = before[-1]
        words.clear()


def _refuse_options_without_effect(program: Program) -> None:
    """Refuse an option of Invoke's that none of our commands obeys, wherever it stands."""
    if idle := next((name for name in OF_RUN if program.args[name].value), ""):
        action = "invoke plan shows what `up` would do" if idle == "dry" else "leave it out"
        raise Exit(f"error: --{idle} is Invoke's own, and no command here obeys it\n  -> {action}", code=BAD_INPUT)


@contextmanager
def _refusing_bad_usage(program: Program) -> Iterator[None]:
    """End with our code for bad usage, where Invoke ends with 1, and in one line where it would show a traceback."""
    try:
        yield
    except (ParseError, ValueError) as error:
        context = getattr(error, "context", None)
        about = getattr(context, "name", None)
        action = f"\n  -> invoke --help {about}" if about else USAGE
        if not about and (option := re.search(r"'(--(?:engine|json|plain))", str(error))):
            raise Exit(f"error: {option[1]} is an option of the commands\n  -> write it behind the command", code=BAD_INPUT) from None
        flags = [*getattr(context, "flags", ()), *getattr(context, "inverse_flags", ())]
        meant = _meant(str(error), flags, program.collection.task_names, behind=bool(about))
        raise Exit(f"error: {error}{meant}{action}", code=BAD_INPUT) from None
    except BrokenPipeError:  # nobody reads on, as after `| head`; Python would flush what is left, and fail once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Exit(code=1) from None
    except Exit as ending:
        if ending.code == 1:  # Invoke ends so for a list of something that is not there
            raise Exit(f"error: {ending.message}{USAGE}", code=BAD_INPUT) from None
        raise


def _meant(message: str, flags: Sequence[str], names: Iterable[str], *, behind: bool) -> str:
    """Return what a person may have meant by the word that Invoke has no idea of: what other tools call so, else the nearest.

    flags: those that may stand there. names: of the commands. behind: whether it stands behind a command, whose word it may be.
    """
    unknown = re.search(r"No idea what '(.+)' is", message)
    if not unknown:
        return ""
    from scripts.core.other_words import MEANT, OPTIONS

    word = unknown[1].lower()
    elsewhere = {} if behind else MEANT
    known = elsewhere.get(word) or (OPTIONS[word] if OPTIONS.get(word) in flags else "")
    near = [known] if known else difflib.get_close_matches(unknown[1], [*flags, *names, *elsewhere], n=1)
    return f" Did you mean `{elsewhere.get(near[0], near[0])}`?" if near else ""


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

    list_tasks = Program.list_tasks

    def list_with_summaries(self: Program) -> None:
        """Read what the list says of each command: only now, since a run has no use for some forty files."""
        for each in (self.collection, *(each for group in groups.values() for each in group)):  # the collection holds copies
            for task in _tasks(each):
                if isinstance(task, Command):
                    task.__doc__ = summary(*task.place)
        list_tasks(self)

    Program.list_tasks = list_with_summaries  # type: ignore[method-assign] # it has no hook for these
    Program.list_flat = list_flat  # type: ignore[method-assign] # as above
    Program.no_tasks_given = no_tasks_given  # type: ignore[method-assign] # as above


def _tasks(each: Task[Any] | Collection) -> Iterator[Task[Any]]:
    if isinstance(each, Collection):
        for inner in (*each.tasks.values(), *each.collections.values()):
            yield from _tasks(inner)
    else:
        yield each


def _lines(each: Task[Any] | Collection) -> list[tuple[str, str | None]]:
    """The name and the help of a task, or of all tasks of a collection."""
    if isinstance(each, Collection):
        return [(f"{each.name}.{name}", helpline(task)) for name, task in each.tasks.items()]
    aliases = f" ({', '.join(each.aliases)})" if each.aliases else ""
    return [(f"{each.name}{aliases}", helpline(each))]


def run_command(name: str = "") -> None:
    """Run the command of this module, as `python -m scripts.<command>` does: Invoke knows its options.

    name: what `invoke` calls it, where that is not the module's name. A collection's ends in a dot: the first word is its command.
    """
    words = [name or Path(sys.argv[0]).stem, *sys.argv[1:]]
    if name.endswith("."):
        words = [name + words[1], *words[2:]] if words[1:] else ["--list"]
    invokes_own.run(["invoke", "--search-root", str(SCRIPTS.parent), *words])
