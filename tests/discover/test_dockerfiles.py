"""Dockerfiles as people write them."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.desired.dockerfile import instructions
from scripts.discover.dockerfiles import Dockerfile, parse

pytestmark = pytest.mark.unit


def read(text: str, target: str = "") -> Dockerfile:
    found = parse(textwrap.dedent(text), target)
    assert found
    return found


def test_the_last_stage_counts_with_what_it_is_built_on() -> None:
    found = read(
        """\
        ARG VERSION=20
        FROM node:${VERSION}-alpine AS base
        WORKDIR /srv
        USER node
        FROM base AS builder
        ARG NEXT_PUBLIC_API_URL=http://x
        USER root
        FROM base
        WORKDIR app
        ENV PORT=3000 HOSTNAME="0.0.0.0"
        ENV OLD style of it
        EXPOSE $PORT 53/udp
        HEALTHCHECK --interval=30s --timeout=3s CMD wget -qO- http://localhost:$PORT/ || exit 1
        CMD ["node", "server.js"]
        """
    )
    assert (found.base, found.user, found.workdir, found.ports) == ("node:20-alpine", "node", "/srv/app", (3000,))
    assert found.env == {"PORT": "3000", "HOSTNAME": "0.0.0.0", "OLD": "style of it"}
    assert found.args == {"VERSION": "20", "NEXT_PUBLIC_API_URL": "http://x"}
    assert found.health == ("CMD-SHELL", "wget -qO- http://localhost:3000/ || exit 1")
    assert found.cmd == ("node", "server.js")


def test_a_target_ends_the_reading() -> None:
    text = "FROM a AS one\nUSER x\nFROM b AS Two\nUSER y\n"
    assert read(text, "one").user == "x"
    assert read(text, "two").user == "y"
    assert parse(text, "three") is None


def test_lines_that_go_on_comments_and_heredocs() -> None:
    text = textwrap.dedent(
        """\
        # syntax=docker/dockerfile:1
        from x
        run apt-get update && \\
            # a comment between
            apt-get install y \\

            && true
        RUN <<EOF
        USER nobody
        EOF
        COPY <<-"END" /file
        EXPOSE 1
        END
        User app
        entrypoint exec thing
        """
    )
    assert [name for _, name, _ in instructions(text)] == ["FROM", "RUN", "RUN", "COPY", "USER", "ENTRYPOINT"]
    assert read(text).user == "app"
    assert read(text).started == "sh -c exec thing"


def test_another_escape_and_the_line_ends_of_windows() -> None:
    assert read("# escape=`\r\nFROM x\r\nENV A=1 `\r\n  B=2\r\n").env == {"A": "1", "B": "2"}


def test_an_entrypoint_takes_the_command_of_the_base_away() -> None:
    assert read('FROM a AS b\nCMD ["one"]\nFROM b\nENTRYPOINT ["two"]\n').started == "two"


@pytest.mark.parametrize("text", ["", "# nothing", "RUN x", "FROM", "USER"])
def test_what_is_no_dockerfile_makes_no_image(text: str) -> None:
    found = parse(text)
    assert found is None or found.base == ""


@given(
    st.lists(
        st.sampled_from(
            ["FROM x AS y", "FROM y", "USER $", "ENV A", "ENV =", "EXPOSE ${A:-1", "CMD [", "ARG", "RUN <<E", "HEALTHCHECK", "\\"]
        )
    )
)
def test_any_lines_are_read(lines: list[str]) -> None:
    parse("\n".join(lines))
