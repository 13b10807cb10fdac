"""A sentence that is plainly a new todo with fields behind it: "pay rent, high priority, due friday, tag home"."""

from todo_backend.each_its_own import each_its_own
from todo_backend.intents import Request, begins_as_command, understand
from todo_backend.phrases import parse_phrase
from todo_backend.proposals import is_errand, propose
from todo_backend.references import LONGEST, Turn, find
from todo_backend.replies import Reply
from todo_backend.spoken_fields import split_fields

_CHANGES = ("reschedule", "reschedule_at_end", "prioritise", "tag", "set_to")


async def new_with_fields(turn: Turn, words: str) -> Reply | None:
    """Offer the whole of it, where it would be taken for a change and no open todo is called so."""
    if len(words) > LONGEST or not is_errand(words) or begins_as_command(words):
        return None
    parts = each_its_own(turn, words)
    change = understand(parts.said["parts"].partition("\n")[0] if parts else words)
    if change.kind not in _CHANGES or not words.startswith(
        change.said["which"]
    ):  # "bring the permit forward to monday"
        return None
    phrase = parse_phrase(split_fields(words, turn.now)[0], turn.now)
    if not (phrase.due_date or phrase.priority or phrase.tags):
        return None
    for name in (phrase.title, change.said["which"]):  # "rent is due on friday" may be of "pay rent"
        todos, _ = await find(turn, name, "open")
        if todos:
            return None
    return await propose(turn, Request("unknown", {}, words))
