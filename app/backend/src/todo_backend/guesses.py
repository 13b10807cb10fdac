"""What a message may mean that is no known request: from the todos that are there and what was said before.

A guess changes something only when all that was said is accounted for: the words name one todo, and the rest is a
date, a priority or its own verb. Nothing is deleted on a guess. Otherwise it is a question with choices.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from todo_backend import slips
from todo_backend.dates import Span, find_dates, parse_when
from todo_backend.filters import parse_filter, select, without_strange_words
from todo_backend.follow_ups import about_it, as_before, of_another
from todo_backend.intents import DO_EACH, Request, understand
from todo_backend.phrases import parse_phrase, parse_priority, without_end
from todo_backend.references import (
    IT,
    LONGEST,
    POSITION,
    Turn,
    by_ids,
    content,
    everything,
    find,
    resolve_one,
    unquote,
)
from todo_backend.replies import Reply, Todo, choice, quote
from todo_backend.rules_add import add_message, draft_words, said_when, split_at_dates
from todo_backend.said_done import NOT, TO_COME, done_by_its_verb, not_done
from todo_backend.stems import ERRANDS, IS_CANCELLED
from todo_backend.ways import Kind

Act = Callable[[Turn, Request], Awaitable[Reply]]


async def guess(turn: Turn, request: Request, act: Act) -> Reply | None:
    """Answer a message that was not understood as such; None when there is no guess.

    `act` does what a request asks for.
    """
    words = request.words
    if len(words) > LONGEST:
        return None
    for understood in (as_before, _leading_date, _trailing_date, _mistyped, about_it):
        if again := understood(turn, words):
            return await act(turn, again)
    if place := await _bare_place(turn, words):
        return place
    for looked_up in (of_another, _field_of, done_by_its_verb, not_done, _last_clause, _selection):
        if again := await looked_up(turn, words):
            return await act(turn, again)
    if asked := await _asked_of_a_day(turn, words):
        return await act(turn, asked)
    return await _several_moved(turn, words) or await _todo_and_date(turn, words, act)


async def _bare_place(turn: Turn, words: str) -> Reply | None:
    """Ask what "the third" is named for, and which one of a list is "done"."""
    last = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    if last and last.listed and re.fullmatch(r"(?:all )?(?:done|finished|completed)", words, re.IGNORECASE):
        listed = await by_ids(turn, [str(todo_id) for todo_id in last.listed])
        ways = [choice(todo["title"], f'complete "{todo["title"]}"') for todo in listed if not todo["done"]]
        return Reply("Which one is done?", listed, choices=ways[:3])
    if not POSITION.fullmatch(words):
        return None
    todo = await resolve_one(turn, words, "all")
    title, deed = todo["title"], "reopen" if todo["done"] else "complete"
    return Reply(
        f"What shall I do with {quote(todo)}?",
        mentioned=[todo],
        choices=[choice(f"{deed.capitalize()} it", f'{deed} "{title}"'), choice("Delete it", f'delete "{title}"')],
    )


async def _several_moved(turn: Turn, words: str) -> Reply | None:
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


async def _asked_of_a_day(turn: Turn, words: str) -> Request | None:
    """Understand a question that names a day and no todo as one about that day, whatever its words are."""
    spans = [span for span in find_dates(words, turn.now) if span.when.said_day and span.when.exists]
    if not spans or not turn.dialogue.question.rstrip().endswith("?") or words.split(maxsplit=1)[0].lower() in ERRANDS:
        return None
    said = content(words)
    if any(content(todo["title"]) & said for todo in await everything(turn, "open")):
        return None
    return Request("list", {}, f"show {words[spans[0].start : spans[0].end].strip()}")


_CLAUSE = re.compile(r"(?:\s*[,;:!]|(?<=\w\w\w\w)\.|\s[–—-])\s+(?:(?:also|so|and|then|please)\s+)*", re.IGNORECASE)


async def _last_clause(turn: Turn, words: str) -> Request | None:
    """Understand "the invoice bounced, reopen it": an order at the end, of the todo that was spoken of before it.

    A deletion is asked about.
    """
    *before, last = _CLAUSE.split(words)
    if not before and _TICK_IT_OFF.search(turn.dialogue.question):  # which `clean` takes for politeness
        before, last = [words], "complete it"
    request = understand(_OBJECTLESS.sub(r"\1 it", last))
    which = request.said.get("which", "")
    told = " ".join(before)
    if not told or request.kind not in _OF_ONE or not which or TO_COME.search(told):  # "if it rains, push it"
        return None
    if not IT.fullmatch(which):
        found, how = await find(turn, unquote(which), "all")
        return request if len(found) == 1 and how == "exact" else None
    shared = [(todo, content(told) & content(todo["title"])) for todo in await everything(turn, "all")]
    most = max((len(common) for _, common in shared), default=0)
    best = [todo for todo, common in shared if common and len(common) == most]
    if len(best) != 1:
        return None
    kind: Kind = "drop" if request.kind == "delete" else request.kind
    return replace(request, kind=kind, said={**request.said, "which": f'"{best[0]["title"]}"'})


_TICK_IT_OFF = re.compile(
    r", (?:so |please )?(?:tick|check|cross|mark) (?:it|that) (?:off|(?:as )?done)[ .!]*$", re.IGNORECASE
)

# A verb alone, or one that goes on with a preposition: "push by two days".
_OBJECTLESS = re.compile(r"^(\w+)(?=$| (?:to|by|back|until|till|for|as|with|on)\b)", re.IGNORECASE)

_OF_ONE = frozenset(
    {
        "complete",
        "reopen",
        "delete",
        "reschedule",
        "reschedule_at_end",
        "prioritise",
        "tag",
        "unschedule",
        "note",
        "rename",
        "set_to",
    }
)


def _leading_date(turn: Turn, words: str) -> Request | None:
    """Understand "tomorrow I have to return the drill" as if the day came last."""
    spans = find_dates(words, turn.now)
    if not spans or spans[0].start != 0 or spans[0].end == len(words):
        return None
    rest, day = words[spans[0].end :].strip(" ,:"), words[: spans[0].end].strip()
    again = understand(rest)
    return _with_day(again, day) if again.kind in ("add", "list") else None


def _trailing_date(turn: Turn, words: str) -> Request | None:
    """Understand "sabzi lana yaad dilao kal", where the day follows the command."""
    spans = find_dates(words, turn.now)
    if not spans or spans[-1].end != len(words) or spans[-1].start == 0:
        return None
    again = understand(words[: spans[-1].start].strip(" ,"))
    return _with_day(again, words[spans[-1].start :].strip()) if again.kind in ("add", "list") else None


def _with_day(request: Request, day: str) -> Request:
    if request.kind == "list":
        return replace(request, words=f"{request.words} {day}")
    return replace(request, said={**request.said, "what": f"{request.said['what']} {day}"})


def _mistyped(_turn: Turn, words: str) -> Request | None:
    """Understand "hihg priority tasks" by the words that requests are made of; a title is never corrected."""
    if (right := slips.corrected(words)) == words:
        return None
    again = understand(right)
    return None if again.kind in ("unknown", "add", "did", "help", "thanks", "keep") else again


async def _field_of(turn: Turn, words: str) -> Request | None:
    """Understand "roses: high" when one open todo is called so; "roses: friday" may be a new one, so that is asked."""
    found = re.fullmatch(r"(?P<which>[^:]+?)(?::|\s[-–—]+|\s*[=-]>) (?P<level>.+)", words)
    if not found or not parse_priority(found["level"]):
        return None
    todos, how = await find(turn, found["which"], "open")
    if len(todos) != 1 or how not in ("exact", "words"):
        return None
    return Request("prioritise", {"which": f'"{todos[0]["title"]}"', "level": found["level"]}, words)


_ITEM = re.compile(
    r"\b(?:stuff|chores|errands|jobs|things?|items?|tasks?|todos?|to-dos?|ones|everything|list)\b", re.IGNORECASE
)


async def _selection(turn: Turn, words: str) -> Request | None:
    """Understand "late stuff" and "kids tasks": words that only select, of which each is known."""
    chosen = parse_filter(words, turn.now)
    if chosen.is_plain or not (_ITEM.search(words) or chosen.overdue or chosen.priority or chosen.tag):
        return None
    known = await without_strange_words(turn.toolbox, chosen)
    if any(word not in known.rest.split() and not _ITEM.fullmatch(word) for word in chosen.rest.split()):
        return None
    chosen = known
    todos, _ = await select(turn.toolbox, chosen, turn.now, turn.shown)
    return Request("list", {}, f"show {words}") if todos or not chosen.rest else None


_IS_NOW = re.compile(
    r"\b(?:(?:can|could|must|has to|needs to) (?:now )?be|is|are|was|were|will be|should be|must be|has been|have been|got|gets|is now|ist|sind|wird|takes place|happens|starts|begins|opens|closes|(?:moved|changed|rescheduled|postponed|pushed|shifted|extended|delayed)(?= (?:to|until|back|up|forward|out)\b))\b(?: (?:up|forward|out|now|jetzt|nun|moved|changed|rescheduled|postponed|pushed|back|delayed|brought forward|actually|to|on|until))*",
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


async def _todo_and_date(turn: Turn, words: str, act: Act) -> Reply | None:
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
    if len(todos) != 1:
        return None
    title = todos[0]["title"]
    is_named = how in ("exact", "words") or (how == "typed" and _WAS_MOVED.search(rest))
    if is_named and states_it and not NOT.search(rest):
        return await act(turn, Request("reschedule", {"which": f'"{title}"', "when": when}, words))
    return _ask_which_of_two(turn, words, todos[0], when)


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
    day = turn.wording.moment(meant.day, meant.clock) if meant and meant.day else when
    return Reply(
        f"Shall I make “{todo['title']}” due {day}, or is this another todo?",
        mentioned=[todo],
        choices=[
            choice(f"It is due {day}", f'"{todo["title"]}" is due {when}'),
            choice(f"Add {draft_words(phrase, turn)}", add_message(phrase)),
        ],
    )
