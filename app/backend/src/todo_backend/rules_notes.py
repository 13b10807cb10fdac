"""Write, read and clear the notes of a todo, in the words of a message."""

from todo_backend.filters import data
from todo_backend.intents import Request
from todo_backend.references import Turn, resolve_one, unquote
from todo_backend.replies import Reply, Todo, quote


async def note(turn: Turn, request: Request) -> Reply:
    """Add to the notes; what is there stays."""
    todo = await resolve_one(turn, request.said["which"], "all")
    added = unquote(request.said["note"])
    changed = await _write(turn, todo, f"{todo['notes']}\n{added}" if todo["notes"] else added)
    return Reply(f"Noted at {quote(changed)}: {added}", mentioned=[changed])


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
