"""What "schedule lunch with Sara on friday noon at Luigi's" adds, where no todo is called so."""

import re
from dataclasses import replace

from todo_backend.intents import Request
from todo_backend.phrases import parse_phrase
from todo_backend.references import Turn, find
from todo_backend.replies import Reply, UnclearError, choice
from todo_backend.rules_add import add, add_message, draft_words

_SCHEDULES = re.compile(r"(?:schedule|put)\s+(?:an?\s+)?(?P<what>(?!the\b|my\b).+)", re.IGNORECASE)


async def scheduled(turn: Turn, request: Request) -> Reply | None:
    """Add what is named with a day; None when an open todo may be meant."""
    found = _SCHEDULES.fullmatch(request.words)
    phrase = parse_phrase(found["what"], turn.now) if found else None
    if not found or not phrase or not phrase.due_date:
        return None
    for name in (request.said.get("which", phrase.title), phrase.title):
        if (await find(turn, name, "open"))[0]:
            return None
    return await add(turn, Request("add", {"what": found["what"]}, request.words))


def may_schedule(turn: Turn, request: Request, unclear: UnclearError) -> UnclearError:
    """Offer to add what is named without a day, where no todo is called so."""
    found = _SCHEDULES.fullmatch(request.words)
    if not unclear.is_missing or not found:
        return unclear
    phrase = parse_phrase(found["what"], turn.now)
    new = choice(f"Add {draft_words(phrase, turn)}", add_message(phrase))
    return replace(unclear, question=f"{unclear.question} Shall I add it?", choices=[new])
