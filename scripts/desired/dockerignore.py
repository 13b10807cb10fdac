"""Which paths of a build context a `.dockerignore` leaves out, by the rules of moby/patternmatcher: case-sensitive, the last match wins."""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scripts.core.errors import InputError

ALWAYS_LEFT_OUT = (
    *("**/.DS_Store", "**/._*", "**/Thumbs.db", "**/desktop.ini"),
    *("**/*.swp", "**/*.swo", "**/*.swx", "**/*~", "**/.#*", "**/#*#", "**/.nfs*", "**/.fuse_hidden*"),
    *("**/__pycache__", "**/.mypy_cache", "**/.ruff_cache", "**/.pytest_cache"),
)
"""What systems, editors and tools drop beside sources. It reaches no image, whatever `.dockerignore` says, so no tag depends on it."""
BOM = b"\xef\xbb\xbf"
ESCAPED = ".+()|{}$"
WILDCARDS = "*?[\\"


@dataclass(frozen=True)
class _Pattern:
    text: str
    brings_back: bool
    matches: Callable[[str], bool]


class Dockerignore:
    """The patterns of one `.dockerignore`, and ours."""

    def __init__(self, content: bytes = b"", name: str = ".dockerignore") -> None:
        """Read the patterns. Raises InputError for one that Docker would refuse."""
        self._patterns = [*_read(content, name), *(_Pattern(p, brings_back=False, matches=_compile(p)) for p in ALWAYS_LEFT_OUT)]

    def leaves_out(self, path: str) -> bool:
        """Return whether a path (relative, with slashes) is left out, alone or with a folder that it is in."""
        parents = path.split("/")
        candidates = [path, *("/".join(parents[:depth]) for depth in range(1, len(parents)))]
        left_out = False
        for pattern in self._patterns:
            if pattern.brings_back == left_out and any(map(pattern.matches, candidates)):
                left_out = not pattern.brings_back
        return left_out

    def may_bring_back_below(self, folder: str) -> bool:
        """Return whether something below a folder that is left out may come back by a `!` pattern."""
        return any(
            pattern.brings_back and (any(c in pattern.text for c in WILDCARDS) or f"{pattern.text}/".startswith(f"{folder}/"))
            for pattern in self._patterns
        )


def find(context: Path, dockerfile: Path) -> Dockerignore:
    """Return the patterns for a build: those beside the Dockerfile (`NAME.dockerignore`) where it has some, else the context's."""
    for file in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"):
        if file.is_file():
            return Dockerignore(file.read_bytes(), str(file))
    return Dockerignore()


def _read(content: bytes, name: str) -> list[_Pattern]:
    patterns = []
    for raw in content.removeprefix(BOM).decode(errors="surrogateescape").split("\n"):
        line = raw.strip()
        if not line or raw.startswith("#"):
            continue
        brings_back = line.startswith("!")
        text = line[1:].strip() if brings_back else line
        if not text:
            raise InputError(
                f"{name} has a line that is only `!`", "name what to include again, or delete the line", code="build-context-invalid"
            )
        text = posixpath.normpath(text).lstrip("/") or "/"
        try:
            patterns.append(_Pattern(text, brings_back, _compile(text)))
        except re.error as error:
            raise InputError(
                f"{name}: `{line}` is not a pattern: {error}", "use Docker's syntax, e.g. **/*.log", code="build-context-invalid"
            ) from None
    return patterns


@lru_cache
def _compile(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether the pattern matches a whole path. Raises re.error.

    As in Go's filepath.Match, `*` and `?` stop at slashes; `**` does not. As in moby, `**` at the end takes everything, and a pattern that
    is plain after a leading `**` is any path that ends like this.
    """
    plain_rest = pattern[2:]
    if pattern.startswith("**") and plain_rest and not any(c in plain_rest for c in WILDCARDS + "]"):
        return lambda path: path.endswith(plain_rest) or f"/{path}" == plain_rest
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of `[[`, which Go reads as Python does
        expression = re.compile(_expression(pattern))
    return lambda path: expression.fullmatch(path) is not None


def _expression(pattern: str) -> str:
    made, position = "", 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*" and pattern[position : position + 1] == "*":
            position += 2 if pattern[position + 1 : position + 2] == "/" else 1
            made += ".*" if position >= len(pattern) else "(.*/)?"
        elif character == "*":
            made += "[^/]*"
        elif character == "?":
            made += "[^/]"
        elif character in ESCAPED:
            made += f"\\{character}"
        elif character == "\\":
            made += character + pattern[position : position + 1]
            position += 1
        else:
            made += character
    return made
