"""docs/onboarding.md is true: its commands are ours, the source line that it changes is there, and what it shows is what they print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from invoke import Collection
from invoke.parser import Parser

import tasks
from scripts.core.paths import ROOT
from tests.checkout import Checkout

PAGE = (ROOT / "docs/onboarding.md").read_text(encoding="utf-8")
ONLY_LOOKS = ("doctor", "status", "psql")


def shown() -> Iterator[tuple[str, list[str]]]:
    """Yield each command of the page with the lines that it prints."""
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield command, [line for line in lines if line.strip()]


def of_invoke() -> Iterator[tuple[list[str], list[str]]]:
    yield from ((shlex.split(command)[1:], lines) for command, lines in shown() if command.startswith("invoke "))


@pytest.mark.unit
def test_the_commands_of_the_page_are_ours() -> None:
    assert isinstance(tasks.ns, Collection)
    found = [argv for argv, _ in of_invoke()]
    assert {argv[0] for argv in found} >= {"setup", "doctor", "up", "plan", "status", "logs", "psql"}
    for argv in found:
        Parser(contexts=tasks.ns.to_contexts()).parse_argv(argv)


@pytest.mark.unit
def test_the_line_that_the_page_changes_is_there() -> None:
    ((pattern, path),) = re.findall(r"sed -i 's/([^/]+)/[^/]+/' (\S+)", PAGE)
    assert (ROOT / path).read_text(encoding="utf-8").count(pattern) == 1
    ((path,),) = [re.findall(r">> (\S+)$", command) for command, _ in shown() if ">>" in command]
    assert (ROOT / path).is_file()


def beginnings(lines: list[str]) -> set[tuple[str, ...]]:
    """The first two words of each line, whatever its numbers and names of this release are."""
    return {tuple(re.sub(r"\d+", "N", line.replace("todo-chatbot-test", "todo-chatbot")).split()[:2]) for line in lines if line.strip()}


@pytest.mark.engine
@pytest.mark.parametrize("command", ONLY_LOOKS)
def test_what_the_page_shows_is_what_is_printed(command: str, installed: Checkout) -> None:
    argv, lines = next((argv, lines) for argv, lines in of_invoke() if argv[0] == command)
    run = installed.invoke(*argv, "--engine", "docker")
    assert run.code == 0, run.stderr
    assert beginnings(lines) <= beginnings(run.stdout.splitlines()), run.stdout


@pytest.mark.engine
def test_a_second_up_tells_the_steps_that_the_page_shows(installed: Checkout) -> None:
    run = installed.invoke("up", "--engine", "docker")
    told = next(lines for argv, lines in of_invoke() if argv == ["up"] and any("nothing changed" in line for line in lines))
    assert beginnings(told) <= beginnings((run.stdout + run.stderr).splitlines()), run.stderr
