"""How the rules assistant words todos."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from todo_backend.assistant import Closing, Pending
from todo_backend.schemas import Choice
from todo_backend.wording import Wording

Todo = dict[str, Any]

SHOWN = 20  # todos in one answer
_LABEL = 60  # characters of a button


@dataclass
class Reply:
    """What the assistant says, and what it leaves for the next answer."""

    text: str
    listed: Sequence[Todo] | None = None
    mentioned: Sequence[Todo] = ()
    choices: Sequence[Choice] = ()
    pending: Pending | None = None

    def closing(self) -> Closing:
        """Return what the next answer needs of this one."""
        listed = None if self.listed is None else ids(self.listed)
        return Closing(listed, ids(self.mentioned or self.listed or ()), self.pending, list(self.choices)[:3])


def together(replies: Sequence[Reply]) -> Reply:
    """Say several replies as one; what the last ones list and ask is what the next answer goes by."""
    return Reply(
        "\n".join(reply.text for reply in replies),
        next((reply.listed for reply in reversed(replies) if reply.listed), None),
        list({todo["id"]: todo for reply in replies for todo in reply.mentioned}.values()),
        [choice for reply in reversed(replies) for choice in reply.choices],
        next((reply.pending for reply in reversed(replies) if reply.pending), None),
    )


@dataclass
class UnclearError(Exception):
    """The words do not say enough; `question` asks for better ones, `candidates` are the todos that they could mean."""

    question: str
    candidates: Sequence[Todo] = ()
    choices: Sequence[Choice] = field(default_factory=list)
    is_missing: bool = False  # there is no todo as was said

    def reply(self, wording: Wording) -> Reply:
        """Return the question as an answer; each candidate is a button that sends its number."""
        if not self.candidates:
            return Reply(self.question, choices=self.choices or [WHATS_LEFT])
        choices = self.choices or [choice(todo["title"], str(n)) for n, todo in enumerate(self.candidates[:3], 1)]
        return Reply(
            f"{self.question}\n{numbered(self.candidates[:SHOWN], wording)}", self.candidates[:SHOWN], (), choices
        )


def choice(label: str, message: str) -> Choice:
    """Make a button."""
    return Choice(label=label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…", message=message)


WHATS_LEFT = choice("What's left?", "what's left?")
HELP = choice("What can you do?", "help")


def page(todos: Sequence[Todo], total: int, kind: str, wording: Wording) -> Reply:
    """List todos, numbered."""
    if not todos:
        return Reply(f"There is no {kind}.")
    shown = todos[:SHOWN]
    more = f"\nand {total - len(shown)} more." if total > len(shown) else ""
    return Reply(f"{count(total, kind).capitalize()}:\n{numbered(shown, wording)}{more}", shown)


def numbered(todos: Sequence[Todo], wording: Wording) -> str:
    """Write one todo a line, with its number."""
    return "\n".join(f"{number}. {_marked(todo, wording)}" for number, todo in enumerate(todos, 1))


def describe(todo: Todo, wording: Wording) -> str:
    """Write a todo in a sentence."""
    return ", ".join([quote(todo), *_marks(todo, wording)])


def due(todo: Todo, wording: Wording) -> str:
    """Say when a todo is due."""
    clock = time.fromisoformat(todo["due_time"]) if todo["due_time"] else None
    return wording.moment(date.fromisoformat(todo["due_date"]), clock)


def quote(todo: Todo) -> str:
    """Write a title in a sentence."""
    return f"“{todo['title']}”"


def quoted(todos: Sequence[Todo]) -> str:
    """Write the titles of some todos in a sentence."""
    return quoted_titles([todo["title"] for todo in todos])


def quoted_titles(titles: Sequence[str]) -> str:
    """Write some titles in a sentence."""
    names = [f"“{title}”" for title in titles[:5]]
    if len(titles) > len(names):
        return f"{', '.join(names)} and {len(titles) - len(names)} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def count(number: int, noun: str) -> str:
    """Say how many there are."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ids(todos: Sequence[Todo]) -> list[uuid.UUID]:
    """Return the ids of todos."""
    return [uuid.UUID(todo["id"]) for todo in todos]


def _marked(todo: Todo, wording: Wording) -> str:
    marks = _marks(todo, wording)
    return f"{todo['title']} ({', '.join(marks)})" if marks else str(todo["title"])


def _marks(todo: Todo, wording: Wording) -> list[str]:
    marks = ["done"] if todo["done"] else []
    if todo["due_date"]:
        marks.append(f"due {due(todo, wording)}")
    if todo["priority"] != "normal":
        marks.append(f"{todo['priority']} priority")
    return marks + [f"#{tag}" for tag in todo["tags"]]
