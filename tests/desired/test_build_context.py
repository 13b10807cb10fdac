"""A tag changes with everything that goes into an image, and with nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.core.errors import InputError
from scripts.desired.build_context import content_hash, entries

pytestmark = pytest.mark.unit

INPUTS = {"platform": "linux/amd64", "base": "sha256:1"}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.py").write_text("a")
    (folder / "run.sh").write_text("run")
    (folder / "notes.md").write_text("ignored")
    (folder / "link").symlink_to("run.sh")
    (folder / ".dockerignore").write_text("*.md\n")
    (tmp_path / "Dockerfile").write_text("FROM base")
    return folder


def tag(context: Path, inputs: dict[str, str] = INPUTS) -> str:
    return content_hash(context, context.parent / "Dockerfile", inputs)


def names(context: Path) -> list[str]:
    return [entry.relative for entry in entries(context, context.parent / "Dockerfile")]


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte": lambda c: (c / "src/a.py").write_text("b"),
    "a mode": lambda c: (c / "run.sh").chmod(0o755),
    "a name": lambda c: (c / "src/a.py").rename(c / "src/b.py"),
    "a new file": lambda c: (c / "new").write_text(""),
    "a lost file": lambda c: (c / "run.sh").unlink(),
    "a link's target": lambda c: ((c / "link").unlink(), (c / "link").symlink_to("src/a.py")),
    "the Dockerfile": lambda c: (c.parent / "Dockerfile").write_text("FROM other"),
    "a new folder": lambda c: (c / "empty").mkdir(),
    "patterns beside the Dockerfile, which count before the context's": lambda c: (c.parent / "Dockerfile.dockerignore").write_text("src"),
    "bytes moved between two files": lambda c: ((c / "src/a.py").write_text("arun"), (c / "run.sh").write_text("")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_tag_changes_with(name: str, context: Path) -> None:
    before = tag(context)
    CHANGES[name](context)
    assert tag(context) != before


@pytest.mark.parametrize("key", INPUTS)
def test_the_tag_changes_with_the_input(key: str, context: Path) -> None:
    assert tag(context, {**INPUTS, key: "other"}) != tag(context)


def test_the_tag_does_not_change_with_times_or_ignored_files(context: Path) -> None:
    before = tag(context)
    (context / "notes.md").write_text("changed")
    os.utime(context / "src/a.py", (1, 1))
    (context / "src/a.py").chmod(0o600)
    assert tag(context) == before
    assert len(before) == 12


def test_the_context_is_what_dockerignore_leaves(context: Path) -> None:
    (context / ".dockerignore").write_text("*\n!src\n# a comment\n")
    assert names(context) == ["src", "src/a.py"]


DROPPINGS: dict[str, Callable[[Path], object]] = {
    "what macOS leaves": lambda c: (c / "src/.DS_Store").write_text("x"),
    "an editor's swap file": lambda c: (c / "src/.a.py.swp").write_text("x"),
    "an editor's lock, a link that leads nowhere": lambda c: (c / "src/.#a.py").symlink_to("me@host.1"),
    "a type checker's cache": lambda c: ((c / "src/.mypy_cache").mkdir(), (c / "src/.mypy_cache/x").write_text("x")),
    "bytecode": lambda c: ((c / "src/__pycache__").mkdir(), (c / "src/__pycache__/a.pyc").write_text("x")),
    "a named pipe": lambda c: os.mkfifo(c / "src/pipe"),
    "line ends of the Dockerfile": lambda c: (c.parent / "Dockerfile").write_bytes(b"FROM base\r\n"),
}


@pytest.mark.parametrize("name", DROPPINGS)
def test_the_tag_does_not_change_with(name: str, context: Path) -> None:
    (context.parent / "Dockerfile").write_text("FROM base\n")
    (context / ".dockerignore").write_text("*\n!src\n")
    before = tag(context)
    DROPPINGS[name](context)
    assert tag(context) == before


def test_a_file_that_dockerignore_names_in_other_letters_counts(context: Path) -> None:
    (context / ".dockerignore").write_text("src/A.py\n")
    before = tag(context)
    (context / "src/a.py").write_text("edited")
    assert tag(context) != before


@pytest.mark.parametrize("name", ["mein Ordner/ä ö.py", "$x/'quoted'", "new\nline"])
def test_any_path_that_people_have_is_read(name: str, context: Path) -> None:
    before = tag(context)
    (context / name).parent.mkdir(exist_ok=True)
    (context / name).write_text("content")
    assert name in names(context)
    assert tag(context) != before


def test_a_name_that_is_no_utf_8_is_refused_by_name_unless_it_is_left_out(context: Path) -> None:
    before = tag(context)
    Path(os.fsdecode(os.fsencode(context) + b"/caf\xe9.txt")).write_text("content")
    with pytest.raises(InputError, match=r"the name of `caf\\xe9.txt` is not UTF-8"):
        tag(context)
    (context / ".dockerignore").write_text("*.md\n*.txt\n")
    assert tag(context) == before


def test_links_that_lead_nowhere_in_a_circle_or_to_a_folder_are_links(context: Path) -> None:
    for name, target in (("dangling", "nowhere"), ("circle", "circle"), ("folder", "src"), ("up", "..")):
        (context / name).symlink_to(target)
    kinds = {entry.relative: entry.kind for entry in entries(context, context.parent / "Dockerfile")}
    assert {kinds[name] for name in ("dangling", "circle", "folder", "up")} == {"link"}
    assert "folder/a.py" not in kinds
    assert tag(context)


def test_a_context_that_is_a_link_is_its_target(context: Path) -> None:
    (context.parent / "linked").symlink_to(context)
    assert content_hash(context.parent / "linked", context.parent / "Dockerfile", INPUTS) == tag(context)


def test_what_cannot_be_read_is_named(context: Path) -> None:
    with pytest.raises(InputError, match="nowhere cannot be read"):
        content_hash(context / "nowhere", context.parent / "Dockerfile", INPUTS)
