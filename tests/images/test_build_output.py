"""A failing build shows the lines of the step that failed: outputs of BuildKit (buildx 0.13 on engine 20.10) and of the classic builder."""

from __future__ import annotations

import pytest

from scripts.images.build_output import SHOWN_LINES, BuildOutput

pytestmark = pytest.mark.unit

BUILDKIT = (
    """\
#0 building with "default" instance using docker driver
#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s
#5 [b 2/2] RUN sleep 3; echo other
#6 [a 2/2] RUN npm run build
#6 0.381 one
#5 0.400 of another step
#6 1.384 ./src/app/page.tsx:10:24
#6 1.384 Error: Unexpected token
#5 CANCELED
#6 ERROR: executor failed running [/bin/sh -c npm run build]: exit code: 1
------
 > [a 2/2] RUN npm run build:
0.381 one
1.384 ./src/app/page.tsx:10:24
1.384 Error: Unexpected token
------
"""
    + "\n".join(f"  {n} |     a line of the Dockerfile" for n in range(20))
    + """
ERROR: failed to solve: executor failed running [/bin/sh -c npm run build]: exit code: 1
"""
)
NO_STEP = """\
#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s
ERROR: failed to solve: rpc error: dockerfile parse error line 2: unknown instruction: RUNN
"""
MISSING_FILE = """\
#7 [2/2] COPY nothing /
#7 ERROR: failed to calculate checksum of ref x: "/nothing": not found
------
 > [2/2] COPY nothing /:
------
"""
CLASSIC = """\
Step 2/2 : RUN npm run build
\x1b[91mError: Unexpected token
\x1b[0m
The command '/bin/sh -c npm run build' returned a non-zero code: 1
"""


def shown(text: str) -> list[str]:
    output = BuildOutput()
    for line in text.splitlines():
        output.take(line)
    return output.shown()


def test_buildkit_shows_what_the_failed_step_wrote_and_nothing_around_it() -> None:
    assert shown(BUILDKIT) == ["one", "./src/app/page.tsx:10:24", "Error: Unexpected token"]


def test_a_build_that_fails_before_any_step_shows_its_error() -> None:
    assert "unknown instruction: RUNN" in shown(NO_STEP)[-1]


def test_a_step_that_wrote_nothing_shows_why_it_failed() -> None:
    assert any('"/nothing": not found' in line for line in shown(MISSING_FILE))


def test_the_classic_builder_shows_its_last_lines_without_colours() -> None:
    assert "Error: Unexpected token" in shown(CLASSIC)


def test_of_many_lines_the_last_are_shown() -> None:
    lines = shown("\n".join(["#1 [1/1] RUN x", *(f"#1 0.1 {n}" for n in range(100)), "#1 ERROR: x"]))
    assert lines == [str(n) for n in range(100 - SHOWN_LINES, 100)]
