"""Bring back a todo by its name: what is done is reopened, what was deleted lately is asked about."""

from contextlib import suppress

from todo_backend import rules_done
from todo_backend.filters import data
from todo_backend.intents import Request
from todo_backend.references import Turn, among, find, unquote
from todo_backend.replies import WHATS_LEFT, Reply, Todo, UnclearError, choice, quote

_MOST = 3  # buttons
_LATELY = 3  # answers: what was deleted so lately is brought back without being asked about


async def reopen(turn: Turn, request: Request) -> Reply:
    """Reopen what is named; where nothing done is called so, ask about what was deleted."""
    try:
        return await rules_done.reopen(turn, request)
    except UnclearError as unclear:
        if unclear.is_missing and (asked := await _deleted(turn, request.said["which"])):
            return asked
        raise


async def restore(turn: Turn, request: Request) -> Reply:
    """Ask whether what is done is to be reopened, or bring back what was deleted."""
    with suppress(UnclearError):
        return await rules_done.may_reopen(turn, request)
    which = request.said["which"]
    if back := await _deleted(turn, which):
        return back
    said = turn.dialogue.utterances
    question = f"I found no completed or deleted todo about “{unquote(which)}”."
    if len(said) > 1 and said[-2].changed:
        undo = choice("Undo the last change", "undo")
        return Reply(f"{question} Shall I take back my last change?", choices=[undo, WHATS_LEFT])
    return Reply(question, choices=[WHATS_LEFT])


async def _deleted(turn: Turn, which: str) -> Reply | None:
    """Bring back the deleted todo that is named whole, or was just deleted; ask about those that words name."""
    there, how = await find(turn, unquote(which), "open")
    if there and how != "near":
        return None
    latest: dict[str, Todo] = {}
    for todo in await turn.toolbox.deleted_lately():
        latest.setdefault(todo["title"].casefold(), todo)
    named = among(list(latest.values()), unquote(which))
    if not named:
        return None
    # Of several, those that this conversation has spoken of: what it has deleted itself, above all.
    told = [each.text for each in turn.dialogue.utterances if each.role == "assistant"]
    named = [todo for todo in named if any(quote(todo) in text for text in told)] or named
    if unquote(which) != which and named[0]["title"] == unquote(which):
        return await _bring_back(turn, named[0])
    ways = [choice(todo["title"], f'bring back "{todo["title"]}"') for todo in named[:_MOST]]
    if len(named) == 1 and any(text.startswith("Deleted ") and quote(named[0]) in text for text in told[-_LATELY:]):
        return await _bring_back(turn, named[0])
    if len(named) > 1:
        return Reply("Which of the deleted todos shall I bring back?", choices=ways)
    yes = choice("Yes, bring it back", ways[0].message)
    return Reply(f"{quote(named[0])} was deleted. Shall I bring it back?", choices=[yes, WHATS_LEFT])


async def _bring_back(turn: Turn, todo: Todo) -> Reply:
    restored = data(await turn.toolbox.call("restore_todo", todo_id=todo["id"]))
    return Reply(f"{quote(restored)} is back.", mentioned=[restored])
