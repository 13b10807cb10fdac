"""Bad usage ends with 2 and one line that says what is wrong with it; nothing is begun."""

from __future__ import annotations

import subprocess
import sys

import pytest
from invoke import Collection

import tasks
from scripts import program
from scripts.core.other_words import MEANT, OPTIONS
from scripts.core.paths import ROOT
from scripts.program import Command, summary

pytestmark = pytest.mark.runner


def invoke(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "invoke", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("usage", "message"),
    [
        (("up", "--no-such-option"), "No idea what '--no-such-option' is!"),
        (("--no-such-option", "up"), "No idea what '--no-such-option' is!"),
        (("no-such-command",), "No idea what 'no-such-command' is!"),
        (("--help", "no-such-command"), "No idea what 'no-such-command' is!"),
        (("--list", "no-such-group"), "Sub-collection 'no-such-group' not found!"),
        (("up", "--enginee", "docker"), "No idea what '--enginee' is! Did you mean `--engine`?"),
        (("up", "--no-monitor"), "Did you mean `--no-monitoring`?"),
        (("statsu",), "Did you mean `status`?"),
        (("stop",), "No idea what 'stop' is! Did you mean `down`?"),
        (("--help", "ps"), "Did you mean `status`?"),
        (("destroy",), "Did you mean `down --data`?"),
        (("EXEC", "backend"), "Did you mean `shell`?"),
        (("unistall",), "Did you mean `down`?"),
        (("down", "-v"), "No idea what '-v' is! Did you mean `--data`?"),
        (("logs", "backend", "--tail", "5"), "Did you mean `--lines`?"),
        (("--dry", "up"), "--dry is Invoke's own, and no command here obeys it\n  -> invoke plan shows what `up` would do"),
        (("up", "-R"), "--dry is Invoke's own, and no command here obeys it\n  -> invoke plan shows what `up` would do"),
        (("down", "-p"), "--pty is Invoke's own, and no command here obeys it\n  -> leave it out"),
        (("--plain", "status"), "--plain is an option of the commands\n  -> write it behind the command"),
        (("--hide", "both", "status"), "--hide is Invoke's own"),
        (("-T", "5", "up"), "--command-timeout is Invoke's own"),
        (("up", "surplus"), "No idea what 'surplus' is!"),
        (("restart",), "did not receive required positional arguments: 'service'"),
        (("logs", "backend", "--lines"), "needed value and was not given one"),
        (("logs", "backend", "--lines", "abc"), "invalid literal for int() with base 10: 'abc'"),
        (("status", "--engine", "nomad"), "--engine: there is no engine `nomad`"),
        (("status", "--engine", "dokcer"), "--engine: there is no engine `dokcer` (did you mean `docker`?)"),
        (("up", "--engine="), "--engine: there is no engine ``"),
        (("open", "--what", "nothing"), "`nothing` cannot be opened"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_usage(usage: tuple[str, ...], message: str) -> None:
    run = invoke(*usage)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("error: ") == 1
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert "fix invoke.yaml" not in run.stderr


def test_what_other_tools_have_leads_to_a_command_and_an_option_that_are_here() -> None:
    commands = {name: {option for argument in tasks.ns[name].get_arguments() for option in argument.names} for name in tasks.ns.task_names}
    aliases = {alias for others in tasks.ns.task_names.values() for alias in others}
    assert not MEANT.keys() & (commands.keys() | aliases)
    for word, meant in MEANT.items():
        command, _, rest = meant.partition(" ")
        if command not in ("--list", "--help"):
            assert command in commands, word
            assert not rest.startswith("--") or rest.removeprefix("--") in commands[command], word
    every = {f"--{option}" for options in commands.values() for option in options}
    assert {*OPTIONS.values()} <= every


def test_people_find_what_other_tools_call_by_another_name() -> None:
    asked = "stop start ps destroy delete run deploy install uninstall exec sh db tail health describe apply kill rm top diff"
    assert {word for word in asked.split() if word not in MEANT} == set()


def test_a_letter_means_the_same_option_in_every_command() -> None:
    options = [option for name in tasks.ns.task_names for option in tasks.ns[name].get_arguments()]
    letters = {(letter, option.name) for option in options for letter in option.names if len(letter) == 1}
    assert letters == {("e", "engine"), ("f", "follow"), ("y", "yes")}


def test_good_usage_is_not_refused() -> None:
    assert [invoke(*usage).returncode for usage in (("--list",), ("--help", "up"))] == [0, 0]


@pytest.mark.parametrize("usage", ["--list", "--help=up"])
def test_a_reader_that_goes_away_is_no_fault(usage: str) -> None:
    argv = [sys.executable, "-u", "-m", "invoke", usage]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == ""


@pytest.mark.parametrize("usage", [("restart", "--help"), ("scale", "backend", "-h"), ("dashboard", "--help")], ids=" ".join)
def test_help_behind_a_command_explains_it_also_where_a_word_is_wanted(usage: tuple[str, ...]) -> None:
    run = invoke(*usage)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"Usage: inv[oke] [--core-opts] {usage[0]} ")


@pytest.mark.parametrize("usage", [("--list",), ()], ids=["--list", "alone"])
def test_the_list_of_commands_is_grouped_and_has_a_line_each(usage: tuple[str, ...]) -> None:
    run = invoke(*usage)
    assert run.returncode == 0
    *lines, hint = run.stdout.splitlines()
    assert hint == "invoke --help COMMAND explains one of them."
    assert [line for line in lines if line and not line.startswith(" ")] == ["Run:", "Look:", "Operate:", "Assist:", "Develop:"]
    assert sorted(line.split()[0] for line in lines if line.startswith("  ")) == sorted(tasks.ns.task_names)
    assert [line.split()[0] for line in lines if line.startswith("  ")][:2] == ["init", "setup"]  # in the order of their use
    assert max(map(len, lines)) <= 80
    assert sum(line.count("Look:") for line in lines) == 1  # the group is told once, and not in the help


def test_the_list_says_of_each_command_what_its_module_says() -> None:
    every = [each for group in tasks.GROUPS.values() for each in group]
    found = [task for each in every for task in (each.tasks.values() if isinstance(each, Collection) else [each])]
    assert len(found) > 30
    for command in found:
        listed = summary(*command.place)
        assert listed
        assert listed == (command.task.__doc__ or "").partition("\n")[0], command.name


@pytest.mark.parametrize("form", ["flat", "nested", "json"])
def test_every_list_says_what_a_command_does(form: str) -> None:
    argv = [sys.executable, "-m", "invoke", "--list", "--list-format", form]
    run = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert summary("scripts.up", "up") in run.stdout
    assert summary("scripts.ai.kagent", "ask") in run.stdout
    assert "Stand for the command" not in run.stdout


def test_a_run_reads_no_module_for_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "summary", lambda *_: pytest.fail("a module was read"))
    assert Command("up:plan").name == "plan"


def test_a_list_imports_no_command_and_a_command_no_other() -> None:
    def imported(*argv: str) -> set[str]:
        run_it = f"import sys; sys.argv = ['invoke', *{argv!r}]; from invoke.main import program; program.run(exit=False)"
        code = f"{run_it}; print('\\n'.join(sys.modules))"
        run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        return set(run.stdout.splitlines())

    assert not {"pydantic", "docker", "rich", "scripts.up"} & imported("--list")
    helped = imported("--help", "up")
    assert "scripts.up" in helped
    assert not {"scripts.init", "scripts.audit", "scripts.ai"} & helped


def test_nobody_looks_for_garbage_in_what_ends_with_the_process() -> None:
    code = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000)); import scripts.up"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "True\n"
