"""Write, read and clear the notes of a todo, in the words of a message."""

import re

from todo_backend.filters import data
from todo_backend.intents import Request
from todo_backend.references import Turn, everything, resolve_one, unquote
from todo_backend.replies import Reply, Todo, quote

_RUN_ON = re.compile(
    r"(?:add|put|write|make|attach) (?:an? )?notes? (?:to|on|for) (?:the |my )?(?P<said>.+)", re.IGNORECASE
)


async def note(turn: Turn, request: Request) -> Reply:
    """Add to the notes; what is there stays."""
    todo = await resolve_one(turn, request.said["which"], "all")
    added = unquote(request.said["note"])
    changed = await _write(turn, todo, f"{todo['notes']}\n{added}" if todo["notes"] else added)
    return Reply(f"Noted at {quote(changed)}: {added}", mentioned=[changed])


async def note_behind_title(turn: Turn, words: str) -> Request | None:
    """Understand "add a note to pay rent the account is new": the title of an open todo tells where its note begins."""
    if not (found := _RUN_ON.fullmatch(words)):
        return None
    said = found["said"]
    named = [
        todo for todo in await everything(turn, "open") if said.casefold().startswith(f"{todo['title']} ".casefold())
    ]
    if len(named) != 1:
        return None
    title = named[0]["title"]
    note = re.sub(r"^(?:that|saying|which says)\s+", "", said[len(title) :].lstrip(" ,:-"), flags=re.IGNORECASE)
    return Request("note", {"which": f'"{title}"', "note": note}, words) if note else None


async def read_note(turn: Turn, request: Request) -> Reply:
    """Say what the notes are."""
    todo = await resolve_one(turn, request.said["which"], "all")
    says = f"Notes of {quote(todo)}:\n{todo['notes']}" if todo["notes"] else f"{quote(todo)} has no notes."
    return Reply(says, mentioned=[todo])


async def clear_note(turn: Turn, request: Request) -> Reply:
    """Take the notes away, not the todo."""
    changed = await _write(turn, await resolve_one(turn, request.said["which"], "all"), "")
    return Reply(f"{quote(changed)} has no notes any more.", mentioned=[changed])


async def _write(turn: Turn, todo: Todo, notes: str) -> Todo:
    written = await turn.toolbox.call("update_todo", todo_id=todo["id"], version=todo["version"], notes=notes)
    return data(written)
