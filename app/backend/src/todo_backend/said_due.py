"""Which todos a sentence says are due at another time: "the flight is on dec 6 now", "kitchen: not the 3rd, the 4th"."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from todo_backend.dates import Span, find_dates, parse_when
from todo_backend.intents import DO_EACH, Request
from todo_backend.phrases import parse_phrase, without_end
from todo_backend.proposals import instead_of, is_errand
from todo_backend.references import Turn, find
from todo_backend.replies import Reply, Todo, UnclearError, choice, quote
from todo_backend.rules_add import add_message, draft_words, said_when, split_at_dates
from todo_backend.rules_change import moved_to
from todo_backend.said_done import NOT
from todo_backend.stems import IS_CANCELLED

Act = Callable[[Turn, Request], Awaitable[Reply]]
"""Does what a request asks for."""

_IS_NOW = re.compile(
    r"\b(?:(?:can|could|must|has to|needs to) (?:now )?be|is|are|was|were|will be|should be|must be|has been|have been|got|gets|is now|ist|sind|wird|takes place|happens|starts|begins|opens|closes|(?:moved|changed|rescheduled|postponed|pushed|shifted|extended|delayed)(?= (?:to|until|back|up|forward|out)\b))\b(?: (?:coming|arriving|starting|leaving|up|forward|out|now|jetzt|nun|moved|changed|rescheduled|postponed|pushed|back|delayed|brought forward|actually|to|on|until))*",
    re.IGNORECASE,
)

_AROUND = re.compile(
    r"^(?:do|the|my|our|so|but|actually)\s+|,?\s+(?:can|could) (?:we|i|you) (?:do|make it|say|make that)$|\s+(?:needs|has|must|can wait|till|until|deadline|due date|date|now|instead|then|again|to|on|for|(?:at )?(?:the )?same time)$",
    re.IGNORECASE,
)

# "It doesn't have to be today, monday's fine"
_FINE = re.compile(
    r"\b(\w+day)(?:'s| is| would be| works| will be)(?: also| totally)?(?: (?:fine|ok|okay|good|better|enough|early enough))\b",
    re.IGNORECASE,
)

_NOT_THEN = re.compile(
    r"\b(?:doesn't|does not|don't|needn't|need not)(?: (?:have|need) to)?(?: be)?(?: done| finished)?(?: on| by)? (?:today|tonight|tomorrow|\w+day|this week)\b,?",
    re.IGNORECASE,
)


_CONTRACTED = re.compile(r"(\w)'s (?=(?:at|on|due|now|moved|postponed|pushed)\b)", re.IGNORECASE)  # "the flight's at 7"


# "The call was moved to 3": an hour.
_TO_HOUR = re.compile(
    r"\b((?:moved|changed|pushed|rescheduled|postponed|brought)(?: up| back| forward)? to) (?=\d{1,2}(?::\d\d)?$)",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(r"\bnot (?:on |for |at |by )?(?P<old>(?:the )?\w+)(?: but|,) (?P<new>.+)$", re.IGNORECASE)


def _without_old_day(words: str, now: datetime) -> str:
    """Say "the cake is not for tuesday but for wednesday" with the day alone that is meant."""
    found = _NOT_BUT.search(words)
    if not found or not parse_when(found["old"], now) or not parse_when(found["new"], now):
        return words
    return f"{words[: found.start()]}{found['new']} instead"


_WAS_MOVED = re.compile(
    r"\b(?:moved|changed|rescheduled|postponed|pushed|shifted|extended|delayed|brought forward|verschoben|verlegt)\b",
    re.IGNORECASE,
)
# "I can't do the report today, tomorrow": the first day is not the one that is meant.
_CANNOT_THEN = re.compile(
    r"\b(?:i|we) (?:can't|cannot|can not|won't|couldn't)(?: (?:do|make|finish|get to|manage))? (?P<name>.+?) (?:today|tonight|tomorrow|\w+day|this week)\b,?",
    re.IGNORECASE,
)


async def todo_and_date(turn: Turn, words: str, act: Act) -> Reply | None:
    """Understand "the flight is on dec 6 now"; "call mom at 6pm" may also be a new todo, so that is asked."""
    words = _CANNOT_THEN.sub(r"\g<name>", _CONTRACTED.sub(r"\1 is ", words))
    words = _TO_HOUR.sub(r"\g<1> at ", words)
    words = _without_old_day(words, turn.now)
    words, _ = without_end(_NOT_THEN.sub("", _FINE.sub(r"\1 instead", words)), turn.now)
    spans = [span for span in find_dates(words, turn.now) if span.when.exists and not span.when.repeats]
    if len(spans) == 2 and (moved := await _from_its_day(turn, words, spans[0], spans[1])):
        return await act(turn, moved)
    if len(spans) != 1 or IS_CANCELLED.search(words):
        return None
    when = words[spans[0].start : spans[0].end].strip()
    rest = f"{words[: spans[0].start].strip()} {words[spans[0].end :].strip()}".strip()
    is_sure = not re.match(r"(?:at )?\d{1,2}\b(?!:| ?[ap]\.?m)", when)  # "at 7 instead of 6": in the morning?
    states_it = _IS_NOW.search(rest) or re.search(r"\binstead\b", rest) or (spans[0].instead and is_sure)
    name = _IS_NOW.sub(" ", rest, count=1).strip()
    while name != (name := _AROUND.sub("", name).strip()):
        pass
    todos, how = await find(turn, name, "open")
    if len(todos) != 1 and spans[0].instead and not is_errand(words):
        raise await _of_which(turn, Request("reschedule", {"which": name, "when": when}, words), todos)
    if len(todos) != 1:
        return None
    title = todos[0]["title"]
    is_named = how in ("exact", "words") or (how == "typed" and _WAS_MOVED.search(rest))
    if is_named and states_it and not NOT.search(rest):
        return await act(turn, Request("reschedule", {"which": f'"{title}"', "when": when}, words))
    return _ask_which_of_two(turn, words, todos[0], when)


async def _of_which(turn: Turn, moved: Request, todos: Sequence[Todo]) -> UnclearError:
    """Return the question which todo "the recital is on saturday, not sunday" puts right: it adds none."""
    if todos:
        ways = [choice(todo["title"], f'"{todo["title"]}" is due {moved.said["when"]}') for todo in todos[:3]]
        return UnclearError(f"Which todo is due {moved.said['when']}?", choices=ways)
    missing = f"I found no open todo about “{moved.said['which']}”, so I changed nothing."
    return await instead_of(turn, moved, UnclearError(missing, is_missing=True))


async def _from_its_day(turn: Turn, words: str, its_own: Span, new: Span) -> Request | None:
    """Understand "the meeting tomorrow is at 5 now": the first date tells which todo is meant."""
    between = words[its_own.end : new.start]
    if not _IS_NOW.match(between.strip()) or NOT.search(words) or not its_own.when.day:
        return None
    todos, how = await find(turn, _AROUND.sub("", words[: its_own.start].strip()), "open")
    its = [todo for todo in todos if how != "near" and todo["due_date"] == its_own.when.day.isoformat()]
    if len(its) != 1:
        return None
    return Request("reschedule", {"which": f'"{its[0]["title"]}"', "when": words[new.start : new.end].strip()}, words)


def _ask_which_of_two(turn: Turn, words: str, todo: Todo, when: str) -> Reply:
    phrase = parse_phrase(words, turn.now)
    meant = parse_when(when, turn.now)
    day = moved_to(turn, todo, meant) if meant and meant.day else when
    return Reply(
        f"Shall I make “{todo['title']}” due {day}, or is this another todo?",
        mentioned=[todo],
        choices=[
            choice(f"It is due {day}", f'"{todo["title"]}" is due {when}'),
            choice(f"Add {draft_words(phrase, turn)}", add_message(phrase)),
        ],
    )


async def several_moved(turn: Turn, words: str) -> Reply | None:
    """Ask about "flour on monday and the landlord on friday" when each part names a todo and its day."""
    moves: list[tuple[Todo, Span, str]] = []
    for part in split_at_dates(words, turn.now):
        spans = find_dates(part, turn.now)
        name = _AROUND.sub("", f"{part[: spans[0].start]} {part[spans[0].end :]}".strip()) if len(spans) == 1 else ""
        todos, how = await find(turn, name, "open")
        if len(todos) != 1 or how not in ("exact", "words"):
            return None
        moves.append((todos[0], spans[0], part))
    if len({todo["id"] for todo, _, _ in moves}) < 2:
        return None
    said = " and ".join(f"{quote(todo)} to {said_when(span.when, turn)}" for todo, span, _ in moves)
    each = "; ".join(f'move "{todo["title"]}" to {part[span.start : span.end].strip()}' for todo, span, part in moves)
    return Reply(
        f"Shall I move {said}?",
        mentioned=[todo for todo, _, _ in moves],
        choices=[choice("Yes, move them", f"{DO_EACH}{each}")],
    )
