"""What a Dockerfile of anybody is built on is read from it: it counts in the tag, and must be there before a build."""

from __future__ import annotations

import pytest

from scripts.desired.dockerfile import Needed, read

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM python:3.13-slim\n", ["python:3.13-slim"]),
        ("# a comment\n\nfrom node:20-alpine as build\nFROM build\nFROM scratch\n", ["node:20-alpine"]),
        ("ARG V=3.11\nARG BASE=python:${V}-slim\nFROM ${BASE}\n", ["python:3.11-slim"]),
        ("ARG V\nFROM python:${V:-3.12}\n", ["python:3.12"]),
        ('ARG V="3.11"\nFROM python:$V\n', ["python:3.11"]),
        (
            "FROM --platform=$BUILDPLATFORM golang:1 AS go\nFROM alpine:3\nCOPY --from=go /a /a\nCOPY --from=0 /b /b\n",
            ["golang:1", "alpine:3"],
        ),
        ("FROM python:3\nCOPY --chown=a:a --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/\n", ["python:3", "ghcr.io/astral-sh/uv:0.5"]),
        ("FROM python:3\nRUN --mount=type=bind,from=busybox:1,target=/x true\n", ["python:3", "busybox:1"]),
        ("FROM a:1\nRUN <<EOF\nFROM b:1\nEOF\nRUN echo \\\nFROM c:1\n", ["a:1"]),
        ("FROM redis:8@sha256:abc\r\n", ["redis:8@sha256:abc"]),
    ],
)
def test_each_image_of_another_maker_is_found(text: str, images: list[str]) -> None:
    assert [needed.image for needed in read(text, {}).images] == images


def test_build_arguments_and_the_stage_that_is_built_count() -> None:
    text = "ARG V=3\nFROM python:$V AS base\nFROM base AS dev\nFROM node:20 AS page\n"
    assert [needed.image for needed in read(text, {"V": "4"}).images] == ["python:4", "node:20"]
    assert [needed.image for needed in read(text, {}, "dev").images] == ["python:3"]


def test_the_line_of_each_is_known() -> None:
    assert [needed.line for needed in read("# first\nFROM \\\n  a:1\nFROM b:1\n", {}).images] == [2, 4]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("RUN --mount=type=cache,target=/cache pip install x", "`--mount` on line 2"),
        ("COPY --link . /app", "`--link` on line 2"),
        ("COPY --chown=1:1 --chmod=755 . /app", "`--chmod` on line 2"),
        ("RUN <<EOF\necho\nEOF", "`<<EOF` on line 2"),
        ("COPY --from=a --chown=1:1 . /app", ""),
        ("RUN echo $((1<<2))", ""),
        ("RUN cat --mount", ""),
    ],
)
def test_what_only_buildkit_reads_is_told_with_its_line(line: str, reason: str) -> None:
    assert read(f"FROM a:1\n{line}\n", {}).buildkit == reason


def test_lines_go_on_over_blank_ones_and_with_the_escape_that_the_file_names() -> None:
    text = "# escape=`\r\nARG V=3\r\nFROM `\r\n\r\n  python:${V-2}\r\nRUN <<EOF\r\nFROM never\r\nEOF\r\nCOPY --from=busybox:1 /a /b\r\n"
    assert read(text, {}).images == (Needed("python:3", 3), Needed("busybox:1", 9))
