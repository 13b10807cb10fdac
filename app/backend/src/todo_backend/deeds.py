"""A change that can be made to one todo or to several: one is made at once, several are asked about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from todo_backend.confirmation import ask_to_confirm
from todo_backend.filters import data
from todo_backend.references import Meant, Turn
from todo_backend.replies import SHOWN, Reply, Todo, count, numbered, quoted
from todo_backend.schemas import ToolName


@dataclass(frozen=True)
class Deed:
    """A change that can be made to one todo or to several: the tool, its arguments, and the words for it."""

    tool: ToolName
    arguments: Callable[[Todo], dict[str, Any]]
    verb: str  # "Delete"
    past: str  # "Deleted"
    one: Callable[[Todo], str]  # what is said of one
    tail: str = ""  # "to tomorrow"
    keep: Callable[[Todo], bool] = lambda _: True


async def change_all(turn: Turn, meant: Meant, deed: Deed) -> Reply:
    """Change the one todo that is meant; name several, and ask."""
    todos = list({todo["id"]: todo for todo in meant.todos if deed.keep(todo)}.values())
    if not todos:
        verb = "is" if len(meant.todos) == 1 else "are"
        return Reply(f"{quoted(meant.todos)} {verb} done already.", mentioned=meant.todos)
    if len(todos) == 1 and not meant.is_set:
        changed = data(await turn.toolbox.call(deed.tool, **deed.arguments(todos[0])))
        told = todos[0] if deed.tool == "delete_todo" else changed  # also of what is gone: "it" is no other todo then
        return Reply(deed.one(told), mentioned=[told])
    named_one = quoted(todos) if len(todos) == 1 else ""
    many = f"{named_one or count(len(todos), 'todo')}{deed.tail}"
    calls = [deed.arguments(todo) for todo in todos]
    pending, choices = ask_to_confirm(deed.tool, calls, do=f"{deed.verb} {many}", done=f"{deed.past} {many}.")
    if named_one:
        return Reply(f"{deed.verb} {many}?", mentioned=todos, choices=choices, pending=pending)
    more = f"\nand {len(todos) - SHOWN} more." if len(todos) > SHOWN else ""
    named = numbered(todos[:SHOWN], turn.wording)
    question = f"{deed.verb} {many}? I ask before I change several at once:\n{named}{more}"
    return Reply(question, todos[:SHOWN], todos, choices, pending)


def versioned(todo: Todo, **values: Any) -> dict[str, Any]:
    """Return the arguments of a change of the todo as it was read."""
    return {"todo_id": todo["id"], "version": todo["version"], **values}
