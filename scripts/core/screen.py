"""How text is laid out for a person: as wide as the terminal, and as wide as it needs where there is none."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

NO_TERMINAL_WIDTH = 10_000
"""A pipe has no width: its reader wants whole lines."""
GAP = 2
NARROWEST_LAST = 24
"""The last column of a table may be folded to this width."""


OBEYED = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?"  # sequences: colours, titles, links, and their like
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"  # and single characters, some unseen
)
"""What a terminal would obey, or show in another order, instead of printing it."""


class PatientConsole(Console):
    """A console whose reader may go away, as `| head` does: the work goes on, and what is said from then on is lost.

    Of what it prints a terminal obeys nothing: texts come from logs, events and models, and may want more than to be read.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render without what a terminal would obey."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=OBEYED.sub("", segment.text))

    def on_broken_pipe(self) -> None:
        """Let the rest go nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


def console(file: TextIO, *, plain: bool = False) -> PatientConsole:
    """Return a console that prints text as it is. plain: as into a pipe, terminal or not."""
    found = PatientConsole(file=file, highlight=False, soft_wrap=True, force_terminal=False if plain else None)
    if not found.is_terminal:
        found.width = NO_TERMINAL_WIDTH
    return found


def fits(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Return whether a table can be read at this width: no column but the last needs to be folded."""
    *others, last = (max(map(cell_len, column)) for column in zip(columns, *rows, strict=True))
    return sum(other + GAP for other in others) + min(last, NARROWEST_LAST) <= width


def narrowed(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, importance: Sequence[str]
) -> tuple[list[str], list[list[str]], list[str]]:
    """Return the most important columns that fit whole, their cells, and the columns that gave way. The first always stays.

    importance: all columns, the most important first.
    """
    need = {name: max(map(cell_len, column)) + GAP for name, column in zip(columns, zip(columns, *rows, strict=True), strict=True)}
    kept: list[str] = []
    for name in importance:
        if kept and sum(need[each] for each in (*kept, name)) - GAP > width:
            break
        kept.append(name)
    places = [place for place, name in enumerate(columns) if name in kept]
    shown = [[row[place] for place in places] for row in rows]
    return [columns[place] for place in places], shown, [name for name in columns if name not in kept]


def as_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return rows under the titles of their columns."""
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for position, column in enumerate(columns, start=1):
        table.add_column(column, overflow="fold", no_wrap=position < len(columns))
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def as_blocks(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Group:
    """Return each row as a block: its first two cells in a line, and the others, named, below it."""
    return Group(*(block for row in rows for block in _block(columns, row)))


def _block(columns: Sequence[str], row: Sequence[str]) -> tuple[Text, Padding]:
    rest = ", ".join(f"{column} {cell}" for column, cell in zip(columns[2:], row[2:], strict=True))
    return Text(f"{row[0]}: {row[1]}", style="bold"), Padding(Text(rest), (0, 0, 0, GAP))


def beside(line: Text, detail: Text) -> Table:
    """Return the detail to the right of the line, folded between words."""
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(line, detail)
    return grid
