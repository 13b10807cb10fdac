"""The clauses of a constitution, as its own text has them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r"^## +(?P<title>.+?) *$")
_CLAUSE = re.compile(r"^(?:[0-9]+\.|-) +(?P<text>.+?) *$")


@dataclass(frozen=True)
class Clause:
    """One clause: its name (`security-2`), its section's title, and its words without marks of Markdown."""

    name: str
    section: str
    text: str

    @property
    def title(self) -> str:
        """The words before the first colon, or all of them: what a row has room for."""
        return self.text.partition(":")[0]


def clauses(text: str) -> list[Clause]:
    """Return the clauses of a constitution in Markdown: the lists under its headings of the second level, in their order."""
    found: list[Clause] = []
    section, number = "", 0
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            section, number = heading["title"], 0
        elif section and (clause := _CLAUSE.match(line)):
            number += 1
            found.append(Clause(f"{section.split()[0].lower()}-{number}", section, clause["text"].replace("**", "")))
    return found
