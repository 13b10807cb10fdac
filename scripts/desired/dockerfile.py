"""What a Dockerfile is built on: the images that FROM and --from name, and what of it the classic builder cannot read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_FROM = re.compile(r"FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*$", re.IGNORECASE)
_ARG = re.compile(r"ARG\s+(?P<name>\w+)(?:=(?P<value>\S*))?", re.IGNORECASE)
_COPY_FROM = re.compile(r"(?:COPY|ADD)\s+(?:--\S+\s+)*?--from=(\S+)", re.IGNORECASE)
_MOUNT_FROM = re.compile(r"--mount=\S*?\bfrom=([^,\s]+)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?([-+])([^}]*))?\})")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])", re.IGNORECASE)
_HEREDOC = re.compile(r"(?<=\s)\d*<<-?[\"']?([A-Za-z_]\w*)[\"']?")
_WITH_HEREDOCS = ("RUN ", "COPY ", "ADD ")
_FOR_BUILDKIT = re.compile(
    r"(?P<mount>RUN\s+--(?:mount|network|security)\b)|(?P<flag>(?:COPY|ADD)\s+(?:--\S+\s+)*--(?:link|chmod|parents|exclude|checksum)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Needed:
    """An image of another maker, and the line that names it."""

    image: str
    line: int


@dataclass(frozen=True)
class Dockerfile:
    """What a build of a Dockerfile needs."""

    images: tuple[Needed, ...]
    buildkit: str
    """What only BuildKit can read, with its line; empty: nothing."""


def read(text: str, arguments: Mapping[str, str], target: str = "") -> Dockerfile:
    r"""Read a Dockerfile, as far as a build of `target` (empty: the last stage) with these build arguments goes.

    >>> read("ARG V=3\nFROM python:$V AS a\nFROM a\nCOPY --from=busybox:1 /a /b", {}).images
    (Needed(image='python:3', line=2), Needed(image='busybox:1', line=4))
    """
    values: dict[str, str] = {}
    stages: list[str] = []
    found: dict[str, int] = {}
    buildkit = ""
    for number, word, rest in instructions(text):
        line = f"{word} {rest}"
        if match := _FROM.match(line):
            if target and stages and target.lower() in (stages[-1], str(len(stages) - 1)):
                break
            _add(found, filled(match["image"], values), number, stages)
            stages.append((match["stage"] or f"stage {len(stages)}").lower())
        elif not stages and (match := _ARG.match(line)):
            default = filled((match["value"] or "").strip("\"'"), values)
            values[match["name"]] = arguments.get(match["name"], default)
        for reference in (*_COPY_FROM.findall(line), *_MOUNT_FROM.findall(line)):
            if not reference.isdigit():
                _add(found, filled(reference, values), number, stages)
        buildkit = buildkit or _for_buildkit(line, number)
    return Dockerfile(tuple(Needed(image, number) for image, number in found.items()), buildkit)


def _for_buildkit(line: str, number: int) -> str:
    if match := _FOR_BUILDKIT.match(line):
        return f"`{match[0].split()[-1]}` on line {number}"
    heredoc = _HEREDOC.search(line) if line.startswith(_WITH_HEREDOCS) else None
    return f"`{heredoc[0]}` on line {number}" if heredoc else ""


def _add(found: dict[str, int], image: str, number: int, stages: list[str]) -> None:
    if image and image.lower() != "scratch" and image.lower() not in stages and "$" not in image:
        found.setdefault(image, number)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text with the values of its variables; unknown ones are empty."""

    def value(match: re.Match[str]) -> str:
        known = values.get(match[1] or match[2], "")
        if match[3] == "-":
            return known or match[4]
        return (match[4] if known else "") if match[3] == "+" else known

    return _VARIABLE.sub(value, text)


def instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each instruction: the number of its first line, its word in upper case, and its arguments on one line.

    Comments and the bodies of here-documents are passed over. Source: docs.docker.com/reference/dockerfile
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    directive = _ESCAPE.fullmatch(lines[0].strip())
    escape = directive[1] if directive else "\\"
    numbered = ((number, line.strip()) for number, line in enumerate(lines, 1))
    for number, line in numbered:
        if not line or line.startswith("#"):
            continue
        whole = line
        while whole.endswith(escape):
            following = next((each for _, each in numbered if each and not each.startswith("#")), "")
            whole = f"{whole[:-1].rstrip()} {following}"
        word, arguments = (*whole.split(maxsplit=1), "", "")[:2]
        for end in _HEREDOC.findall(f" {arguments}") if f"{word.upper()} " in _WITH_HEREDOCS else ():
            next((each for _, each in numbered if each == end), None)
        yield number, word.upper(), arguments
