"""Rules that say that todos are done, or not, and that delete them."""

import re
from contextlib import suppress
from dataclasses import replace

from todo_backend.deeds import Deed, change_all, versioned
from todo_backend.filters import data
from todo_backend.intents import Request
from todo_backend.references import (
    REASON,
    Turn,
    find,
    names_set,
    resolve,
    resolve_one,
    unquote,
)
from todo_backend.replies import (
    WHATS_LEFT,
    Reply,
    Todo,
    UnclearError,
    choice,
    quote,
)
from todo_backend.said_done import several_done
from todo_backend.slips import corrected
from todo_backend.stems import ERRANDS, is_past, same_deeds, stem, synonyms


async def complete(turn: Turn, request: Request) -> Reply:
    """Complete what is named."""
    which = re.sub(r"\s+(?:already|now|finally)$", "", request.said["which"])
    try:
        meant = await resolve(turn, which, "open")
    except UnclearError as unclear:
        if unclear.is_missing and (done := await _done_before(turn, which)):
            return done
        raise
    return await change_all(
        turn,
        meant,
        Deed(
            "complete_todo",
            lambda todo: {"todo_id": todo["id"]},
            "Complete",
            "Completed",
            lambda todo: f"Done: {quote(todo)}.",
            keep=lambda todo: not todo["done"],
        ),
    )


async def did(turn: Turn, request: Request) -> Reply:
    """Complete what "I already called mom" speaks of, when a todo is about it."""
    which = re.sub(
        r"\s+(?:already|now|today|yesterday|tonight|just now|this morning|this afternoon|this evening|last night|earlier|finally|on \w+day|last \w+day|an hour ago|(?:so|and) (?:that|it)(?:'s| is) done)+$",
        "",
        corrected(request.said["which"]),
        flags=re.IGNORECASE,
    )
    if several := await several_done(turn, request.words):  # "called grandma and did the groceries"
        return await complete(turn, several)
    which = re.sub(r"^(?:done|finished|completed|did)\s+(?:with\s+)?", "", which)
    try:
        meant = await resolve(turn, which, "open")
    except UnclearError as unclear:
        verb, _, things = which.partition(" ")
        if len(unclear.candidates) < 2 and (todo := await _named_without_its_verb(turn, verb, things)):
            return await _complete_one(turn, todo)
        if unclear.candidates:
            raise
        if done := await _done_before(turn, which):
            return done
        if is_past(verb.lower()) and names_set(things):  # "sent both invoices"
            return await complete(turn, replace(request, said={"which": things}))
        for other in synonyms(which.casefold()):  # "got the milk"
            with suppress(UnclearError):
                return await _complete_one(turn, await resolve_one(turn, other, "open"))
        raise replace(unclear, question=f"{unclear.question} Which todo is done?", choices=[WHATS_LEFT]) from None
    return (
        await complete(turn, replace(request, said={"which": which}))
        if meant.is_set or len(meant.todos) > 1
        else await _complete_one(turn, meant.todos[0])
    )


async def _done_before(turn: Turn, which: str) -> Reply | None:
    """Say that what is named is done already, where one todo is called so, and none that is open."""
    name = re.sub(r"^(?:the|my|our|an?|that|this) ", "", unquote(which), flags=re.IGNORECASE)
    todos, how = await find(turn, name, "done")
    if len(todos) != 1 or how not in ("exact", "words"):
        return None
    todo = todos[0]
    reopen = choice("Reopen it", f'reopen "{todo["title"]}"')
    return Reply(f"{quote(todo)} is done already.", listed=[todo], mentioned=[todo], choices=[reopen, WHATS_LEFT])


async def _named_without_its_verb(turn: Turn, verb: str, things: str) -> Todo | None:
    """Find "card for Ruth" by "wrote the card for Ruth": a todo that names no deed, so any may be its own."""
    name = re.sub(r"^(?:the|my|our|an?|that|this) ", "", things, flags=re.IGNORECASE)
    todos, how = await find(turn, name, "open") if name else ([], "near")
    if len(todos) != 1:
        return None
    own = todos[0]["title"].casefold().split()
    # "Sent the email to HR" does "email HR about the payslip".
    does_it = how == "words" and stem(own[0]) in same_deeds(verb.casefold()) and own[0] in name.casefold().split()
    return todos[0] if does_it or (how == "exact" and not set(own) & ERRANDS) else None


async def _complete_one(turn: Turn, todo: Todo) -> Reply:
    done = data(await turn.toolbox.call("complete_todo", todo_id=todo["id"]))
    return Reply(f"Done: {quote(done)}.", mentioned=[done])


# In "trash out" it may be what "take out the trash" is about.
_NOUNS = ("trash", "bin", "bins", "dump", "drop", "scrap")


async def delete(turn: Turn, request: Request) -> Reply:
    """Delete what is named."""
    which = request.said["which"]
    if re.fullmatch(r"(?:up|out|away|off)", which):
        raise UnclearError("What shall I delete? Say a word from it.")
    if (bare := REASON.sub("", which)) != which and unquote(which) == which:
        todos, how = await find(turn, bare, "open")
        if len(todos) != 1 or how != "exact":
            return await drop(turn, replace(request, said={"which": bare}))
        which = bare
    meant = await resolve(turn, which, "all")
    verb = request.words.partition(" ")[0].casefold()
    if verb in _NOUNS and len(meant.todos) == 1 and verb in meant.todos[0]["title"].casefold().split():
        return await drop(turn, Request("drop", {"which": f'"{meant.todos[0]["title"]}"'}, request.words))
    return await change_all(
        turn,
        meant,
        Deed(
            "delete_todo",
            lambda todo: {"todo_id": todo["id"]},
            "Delete",
            "Deleted",
            lambda todo: f"Deleted {quote(todo)}.",
        ),
    )


async def reopen(turn: Turn, request: Request) -> Reply:
    """Reopen what is named."""
    meant = await resolve(turn, request.said["which"], "done")
    return await change_all(
        turn,
        meant,
        Deed(
            "update_todo",
            lambda todo: versioned(todo, done=False),
            "Reopen",
            "Reopened",
            lambda todo: f"Reopened {quote(todo)}.",
        ),
    )


async def may_reopen(turn: Turn, request: Request) -> Reply:
    """Ask what "the room isn't booked yet" means for a todo that is done."""
    todo = await resolve_one(turn, request.said["which"], "done")
    title = todo["title"]
    return Reply(
        f"{quote(todo)} is done. Shall I reopen it?",
        mentioned=[todo],
        choices=[choice("Yes, reopen it", f'reopen "{title}"')],
    )


async def drop(turn: Turn, request: Request) -> Reply:
    """Ask what "no more pediatrician" means: a deletion is not made of words that may say something else."""
    todo = await resolve_one(turn, request.said["which"], "open")
    title = todo["title"]
    return Reply(
        f"Shall I delete “{title}”?",
        mentioned=[todo],
        choices=[choice("Yes, delete it", f'delete "{title}"'), choice("It is done", f'complete "{title}"')],
    )
