"""The figures as a page and as a picture: pure text."""

from __future__ import annotations

import html
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from scripts.bench.measure import Measured

OURS, PLAIN, FLOOR = "invoke", "plain commands", "floor"
COLOURS = {OURS: "#2b7de9", PLAIN: "#9aa4b2", FLOOR: "#c9d2dd"}
OTHER = "#e0a030"
WIDTH, LABEL, BAR, GAP = 760, 190, 18, 14
FONT = "ui-sans-serif, system-ui, sans-serif"


def ways(found: Sequence[Measured]) -> list[str]:
    """Return all ways that were taken, ours first."""
    return list(dict.fromkeys(way for each in found for way in each.seconds))


def rows(found: Sequence[Measured]) -> tuple[list[str], list[list[str]]]:
    """Return the columns and the rows of the table of figures."""
    taken = ways(found)
    others = [way for way in taken if way != OURS]
    columns = ["what", *taken, *(f"invoke / {way}" for way in others), "programs started"]
    return columns, [
        [
            each.what,
            *(_seconds(each.median(way)) for way in taken),
            *(_ratio(each.ratio(OURS, way)) for way in others),
            str(each.programs or ""),
        ]
        for each in found
    ]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def machine() -> str:
    """Return what the figures were taken on, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} on {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} processors, {memory:.0f} GiB of memory, {system}"


def page(found: Sequence[Measured], about: str, picture: str) -> str:
    """Return the document with the figures. picture: the name of the file beside it."""
    columns, cells = rows(found)
    table = [columns, ["---"] * len(columns), *cells]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in table)
    return f"""# Performance

Written by `invoke bench --write`, which measures all of it in one run: each figure is the median of whole processes, ours and the others in
turn on the same cluster. What counts is the ratio; the seconds are those of the machine: {about}.

{lines}

![The figures as bars]({picture})

- **plain commands**: what a careful person would chain, without knowing what changed: `docker build` of each image, `docker save`, load
  into the nodes, `helm upgrade`, `kubectl rollout status`, a request to each service. They prove less: no check of the machine and of
  `.env`, no Secrets, no drift, no smoke test.
- **floor**: the same for the one service that changed, by one who knows it: the least that any way must do.
- **dev**: while `invoke dev` runs, from the change of a file until the restarted service is ready. Skaffold's file sync has no row: it
  copies with `tar` into the folder of the sources, which no container here may write to outside of `invoke dev`, and restarts nothing.
- **programs started**: by `invoke`, in the last round.
- Other tools join with `--beside`, such as `invoke bench --beside "skaffold run"`: `python -m scripts.bench.skaffold >skaffold.yaml`
  describes the same app for Skaffold.
"""


def picture(found: Sequence[Measured]) -> str:
    """Return the figures as an SVG: a group of bars for each thing that was done."""
    longest = max((each.median(way) or 0.0 for each in found for way in each.seconds), default=0.0) or 1.0
    y, parts = GAP, []
    for each in found:
        parts.append(_text(0, y + BAR - 5, each.what, weight="bold"))
        for way in each.seconds:
            y += BAR + 4
            value = each.median(way) or 0.0
            width = max(2.0, (WIDTH - LABEL - 80) * value / longest)
            parts.append(_text(12, y + BAR - 5, way))
            parts.append(f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" fill="{COLOURS.get(way, OTHER)}"/>')
            parts.append(_text(LABEL + width + 6, y + BAR - 5, f"{value:.2f} s"))
        y += BAR + GAP + 4
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="{FONT}" font-size="13" role="img" '
        f'aria-label="seconds of each way">\n<rect width="{WIDTH}" height="{y}" fill="white"/>\n{body}\n</svg>\n'
    )


def _text(x: float, y: float, text: str, *, weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}" fill="#1c2430">{html.escape(text)}</text>'


def write(found: Sequence[Measured], about: str, document: Path, svg: Path) -> None:
    """Write the document and its picture."""
    document.write_text(page(found, about, svg.name), encoding="utf-8")
    svg.write_text(picture(found), encoding="utf-8")
