"""What a message may mean that is no known request: from the todos that are there and what was said before.

A guess changes something only when all that was said is accounted for: the words name one todo, and the rest is a
date, a priority or its own verb. Nothing is deleted on a guess. Otherwise it is a question with choices.
"""

import re
from dataclasses import replace

from todo_backend import slips
from todo_backend.dates import find_dates
from todo_backend.filters import parse_filter, select, without_strange_words
from todo_backend.follow_ups import about_it, as_before, of_another
from todo_backend.intents import Request, understand
from todo_backend.phrases import parse_priority
from todo_backend.references import (
    IT,
    LONGEST,
    POSITION,
    THEM,
    Turn,
    by_ids,
    content,
    everything,
    find,
    resolve_one,
    unquote,
)
from todo_backend.replies import Reply, choice, quote
from todo_backend.said_done import TO_COME, done_by_its_verb, not_done
from todo_backend.said_due import Act, several_moved, todo_and_date
from todo_backend.stems import ERRANDS
from todo_backend.ways import Kind


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
    return await several_moved(turn, words) or await todo_and_date(turn, words, act)


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
    if not (IT.fullmatch(which) or THEM.fullmatch(which)):
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
