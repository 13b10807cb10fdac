"""`.dockerignore` means what Docker's own matcher says; the cases are moby/patternmatcher's, and what people's machines drop."""

from __future__ import annotations

import pytest

from scripts.core.errors import InputError
from scripts.desired.dockerignore import Dockerignore

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("patterns", "path", "left_out"),
    [
        ("**", "file", True),
        ("**", "dir/file", True),
        ("**/**", "dir/file", True),
        ("dir/**", "dir/file", True),
        ("dir/**", "dir/dir2/file", True),
        ("**/dir", "dir", True),
        ("**/dir", "dir/file", True),
        ("**/dir2/*", "dir/dir2/dir3/file", True),
        ("**file", "dir/dir/file", True),
        ("**/file", "dir/afile", False),
        ("**/file*txt", "dir/dir/file.txt", True),
        ("**/**/*.txt", "dir/dir/file.txt", True),
        ("a**/*.txt", "a/dir/file.txt", True),
        ("a/*.txt", "a/dir/file.txt", False),
        ("*", "dir/file", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[^b]", "a", True),
        ("[!b]", "!", True),
        ("[!b]", "a", False),
        ("a[b-d]e", "ace", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        ("a.b", "aXb", False),
        ("a+(b)|{c}$", "a+(b)|{c}$", True),
        (".*", ".foo", True),
        (".*", "foo", False),
        ("/leading", "leading", True),
        ("trailing/", "trailing/file", True),
        ("./a/../b", "b", True),
        ("  spaced  ", "spaced", True),
        ("file\r", "file", True),
        ("#comment", "#comment", False),
        (" #not", "#not", True),
        ("*\n!src", "src/file", False),
        ("*\n!src\nsrc/x", "src/x", True),
        ("*\n! src", "src/file", False),
        ("dir\n!dir/keep", "dir/keep", False),
        ("one\u2028two", "two", False),
        ("\ufeffbom", "bom", True),
    ],
)
def test_a_pattern_means_what_moby_says(patterns: str, path: str, left_out: bool) -> None:
    assert Dockerignore(patterns.encode()).leaves_out(path) is left_out


def test_case_counts() -> None:
    assert not Dockerignore(b"src/App.py").leaves_out("src/app.py")


@pytest.mark.parametrize("dropping", [".DS_Store", "a/.DS_Store", "src/.app.py.swp", "src/app.py~", ".mypy_cache/x", "a/__pycache__/a.pyc"])
def test_what_tools_drop_reaches_no_image_even_where_the_folder_is_brought_back(dropping: str) -> None:
    assert Dockerignore(b"*\n!src\n!a").leaves_out(dropping)


@pytest.mark.parametrize("line", ["!", "[", "a\\"])
def test_what_docker_refuses_is_refused_with_the_line(line: str) -> None:
    with pytest.raises(InputError, match=r"\.dockerignore"):
        Dockerignore(line.encode())


def test_bytes_that_are_no_utf_8_are_a_pattern_like_any_other() -> None:
    assert Dockerignore(b"caf\xe9").leaves_out(b"caf\xe9".decode(errors="surrogateescape"))


def test_below_a_folder_that_is_left_out_only_what_may_come_back_is_looked_at() -> None:
    ignore = Dockerignore(b"*\n!src/app")
    assert ignore.may_bring_back_below("src")
    assert not ignore.may_bring_back_below("node_modules")
    assert Dockerignore(b"*\n!**/kept").may_bring_back_below("node_modules")
