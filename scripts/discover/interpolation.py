"""The variables in values of a compose file: `$X`, `${X}`, `${X:-y}`, `${X-y}`, `${X:?why}`, `${X:+y}`, `$$`; they nest."""

from __future__ import annotations

import re

from scripts.discover.found import Ref, Value

_START = re.compile(r"\$(?:\$|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<brace>\{))")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])(.*))?", re.DOTALL)
DEEPEST = 8


def read(text: str, depth: int = 0) -> Value:
    """Return the value that a text means. What is no variable is text, as it stands."""
    pieces: list[str | Ref] = []
    at = 0
    while match := _START.search(text, at):
        pieces.append(text[at : match.start()])
        at = match.end()
        if match["name"]:
            pieces.append(Ref(match["name"]))
        elif match["brace"]:
            end = _closing(text, at)
            ref = _ref(text[at:end], depth) if end >= 0 else None
            pieces.append(ref if ref is not None else match[0])
            at = end + 1 if ref is not None else at
        else:
            pieces.append("$")
    pieces.append(text[at:])
    return Value(tuple(_joined(pieces)))


def plain(text: str) -> str:
    """Return a text with the default of every variable, or nothing, in its place."""
    return read(text).text


def _ref(inside: str, depth: int) -> Ref | str | None:
    match = _INSIDE.fullmatch(inside)
    if match is None or depth > DEEPEST:
        return None
    name, sign, rest = match.groups()
    if sign in ("+", ":+"):  # where it is not set, nothing
        return ""
    return Ref(name, read(rest, depth + 1).text if sign in ("-", ":-") else "")


def _closing(text: str, at: int) -> int:
    """Return where the brace ends that was opened before `at`; -1 where it does not."""
    depth = 1
    for position in range(at, len(text)):
        if text[position] == "}":
            depth -= 1
        elif text.startswith("${", position):
            depth += 1
        if depth == 0:
            return position
    return -1


def _joined(pieces: list[str | Ref]) -> list[str | Ref]:
    found: list[str | Ref] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece != "":
            found.append(piece)
    return found
