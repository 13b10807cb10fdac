"""What people read is true: each command exists with its options, each link leads somewhere, each picture is small."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from invoke import Collection, Program
from invoke.exceptions import ParseError
from invoke.parser import Parser

import tasks
from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "specs").rglob("*.md"),
    *(ROOT / ".claude").rglob("*.md"),
    *(ROOT / "app").glob("*/*.md"),
]
HISTORY = ROOT / "CHANGELOG.md"  # it may name what is no longer there
LARGEST_PICTURE = 300 * 1024


def commands(text: str) -> set[str]:
    """The command lines of a document: in blocks and within lines, each part of a chain by itself."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0] for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return {part.strip() for line in lines for part in re.split(r"&&|\|\||[|;]", line)}


def of_invoke(text: str) -> list[list[str]]:
    found = [command for command in commands(text) if re.match(r"invoke( |$)", command) and "[" not in command]  # a synopsis is no command
    return [shlex.split(command)[1:] for command in found]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path != HISTORY], ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_of_a_document_exist_with_their_options(path: Path) -> None:
    assert isinstance(tasks.ns, Collection)
    text = path.read_text(encoding="utf-8")
    for argv in of_invoke(text):
        try:  # as Invoke does: its own options first
            rest = Parser(initial=Program().initial_context, ignore_unknown=True).parse_argv(argv).unparsed
            Parser(contexts=tasks.ns.to_contexts()).parse_argv(rest)
        except ParseError as error:
            pytest.fail(f"`invoke {shlex.join(argv)}`: {error}")
    for command in commands(text):
        if match := re.match(r"python3? -m (scripts[\w.]*)", command):
            assert (ROOT / f"{match[1].replace('.', '/')}.py").is_file(), command


def test_a_command_that_does_not_exist_is_found() -> None:
    assert of_invoke("`invoke up --json | head`") == [["up", "--json"]]
    assert sorted(of_invoke("```\na && invoke setup up  # both\n```\nand `invoke`")) == [[], ["setup", "up"]]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_links_of_a_document_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'(?:src|href)="([^"]+)"', text)]
    for target in targets:
        file, _, anchor = target.partition("#")
        if re.match(r"\w+:", file):
            continue
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}, target


STAYS = re.compile(
    r"keeps the (one|password) of its first start|POSTGRES_PASSWORD`? \(the first start only\)|password .{0,30}cannot be changed"
)
"""How a document says that a database has the password of its first start for good. The entrypoint sets it at each."""


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / ".env.example", ROOT / "helm/todo-chatbot/values.yaml"], ids=lambda path: path.name)
def test_nothing_says_that_the_first_password_of_the_database_stays(path: Path) -> None:
    assert not STAYS.search(path.read_text(encoding="utf-8"))


def test_pictures_are_small_and_shown() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = [path for path in (ROOT / "docs" / "images").iterdir() if path.suffix in (".png", ".svg")]
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < LARGEST_PICTURE
        assert f"docs/images/{picture.name}" in readme


def test_the_tree_in_the_readme_names_every_package() -> None:
    tree = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What is where")[2].partition("## Develop")[0]
    packages = {path.parent.name for path in (ROOT / "scripts").glob("*/__init__.py")}
    assert "traffic" in packages
    assert {name for name in packages if f" {name}/ " not in tree} == set()
