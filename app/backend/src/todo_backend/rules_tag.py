"""Tag todos and take tags away."""

import re
from collections.abc import Sequence

from todo_backend.deeds import Deed, change_all, versioned
from todo_backend.filters import data
from todo_backend.intents import Request
from todo_backend.references import Turn, everything, find, resolve, resolve_one
from todo_backend.replies import Reply, Todo, UnclearError, choice, quote


async def tag(turn: Turn, request: Request) -> Reply:
    """Add tags."""
    tags = _tags(request.said["tags"])
    return await change_all(
        turn,
        await resolve(turn, request.said["which"], "all"),
        Deed(
            "update_todo",
            lambda todo: versioned(todo, tags=[*todo["tags"], *tags]),
            "Tag",
            "Tagged",
            lambda todo: f"{quote(todo)} is tagged {', '.join(todo['tags'])}.",
            tail=f" with {' '.join(f'#{tag}' for tag in tags)}",
        ),
    )


async def untag(turn: Turn, request: Request) -> Reply:
    """Take tags away."""
    todo = await resolve_one(turn, request.said["which"], "all")
    if "tags" not in request.said and len(todo["tags"]) != 1:
        raise UnclearError(
            f"Which tag shall I remove from “{todo['title']}”?",
            choices=[choice(f"#{tag}", f'remove #{tag} from "{todo["title"]}"') for tag in todo["tags"][:3]],
        )
    gone = _tags(request.said["tags"].lower()) if "tags" in request.said else todo["tags"]
    changed = await _write(turn, todo, [tag for tag in todo["tags"] if tag not in gone])
    return Reply(
        f"{quote(changed)} is tagged {', '.join(changed['tags'])}."
        if changed["tags"]
        else f"{quote(changed)} has no tag any more.",
        mentioned=[changed],
    )


def _tags(text: str) -> list[str]:
    return [
        tag.lstrip("#")
        for tag in re.split(r"[\s,]+(?:and\s+)?", text)
        if tag.lstrip("#") and tag not in ("and", "the", "tag")
    ]


async def known_tag(turn: Turn, what: str) -> Request | None:
    """Understand "add ward3 to gloves" when there is such a tag."""
    found = re.fullmatch(r"(?P<tags>[\w-]+) (?:to|on) (?P<which>.+)", what)
    if found and await is_tag(turn, found["tags"]):
        return Request("tag", {"which": found["which"], "tags": found["tags"]}, what)
    return None


_ON_LIST = re.compile(
    r"(?:put|add|stick) (?P<which>.+?) (?:on|onto|to|in) (?:my|the|our) (?P<tags>[\w-]+) list(?: too| as well| also)?",
    re.IGNORECASE,
)


async def put_on_list(turn: Turn, words: str) -> Request | None:
    """Understand "put coffee on the groceries list too", where there is such a tag, and one open todo is called so."""
    found = _ON_LIST.fullmatch(words)
    if not found or not await is_tag(turn, found["tags"]):
        return None
    todos, how = await find(turn, found["which"], "open")
    if len(todos) != 1 or how not in ("exact", "words"):
        return None
    return Request("tag", {"which": f'"{todos[0]["title"]}"', "tags": found["tags"]}, words)


async def is_tag(turn: Turn, word: str) -> bool:
    """Tell whether any todo has this tag."""
    return any(word.lower() in todo["tags"] for todo in await everything(turn, "all"))


async def _write(turn: Turn, todo: Todo, tags: Sequence[str]) -> Todo:
    written = await turn.toolbox.call("update_todo", todo_id=todo["id"], version=todo["version"], tags=list(tags))
    return data(written)
