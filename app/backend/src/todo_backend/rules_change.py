"""Change todos that are there: another name, day, time or priority."""

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from todo_backend.date_words import INSTEAD_OF_HOUR
from todo_backend.dates import When, find_dates, parse_when
from todo_backend.deeds import Deed, change_all, versioned
from todo_backend.filters import data
from todo_backend.intents import Request
from todo_backend.phrases import Phrase, parse_phrase, parse_priority
from todo_backend.proposals import nearest
from todo_backend.references import (
    IT,
    POSITION,
    Meant,
    Turn,
    content,
    find,
    resolve,
    resolve_one,
    unquote,
)
from todo_backend.replies import (
    Reply,
    Todo,
    UnclearError,
    choice,
    due,
    quote,
)
from todo_backend.rules_add import add, add_message, draft_words
from todo_backend.rules_done import complete
from todo_backend.scheduled import may_schedule, scheduled
from todo_backend.schemas import Priority
from todo_backend.stems import ERRAND_STEMS


async def rename(turn: Turn, request: Request) -> Reply:
    """Give a todo another name; a name that is a date is asked about."""
    if "title" not in request.said:
        todo = await resolve_one(turn, request.said["which"], "all")
        raise UnclearError(f"What shall “{todo['title']}” be called? Say: rename {todo['title']} to …")
    request = await _split_at_title(turn, request)
    title = request.said["title"].strip()
    todo = await resolve_one(turn, request.said["which"], "all")
    when = parse_when(title, turn.now) if unquote(title) == title else None
    if when:
        raise UnclearError(
            f"“{title}” is a date. Shall I rename “{todo['title']}”, or is it due then?",
            choices=[
                *([choice(f"It is due {title}", f'"{todo["title"]}" is due {title}')] if when.exists else []),
                choice(f"Rename it to “{title}”", f'rename "{todo["title"]}" to "{title}"'),
            ],
        )
    return await _rename_to(turn, todo, unquote(title))


_RENAMES = re.compile(r"(?:rename|retitle|call)\s+(?P<rest>.+)", re.IGNORECASE)


async def _split_at_title(turn: Turn, request: Request) -> Request:
    """Find the "to" that ends a title: of "rename write to Ana as call Ana" it is not the first."""
    found = _RENAMES.fullmatch(request.words)
    joints = list(re.finditer(r"\s+(?:to|into|as)\s+", found["rest"], re.IGNORECASE)) if found else []
    if not found or len(joints) < 2:
        return request
    for joint in joints:
        which, title = found["rest"][: joint.start()], found["rest"][joint.end() :]
        if (await find(turn, unquote(which), "all"))[1] == "exact":
            return replace(request, said={"which": which, "title": title})
    return request


async def _rename_to(turn: Turn, todo: Todo, title: str) -> Reply:
    changed = await _update(turn, todo, title=title)
    return Reply(f"Renamed to {quote(changed)}.", mentioned=[changed])


_DONE = re.compile(r"(?:be )?(?:done|completed?|finished)", re.IGNORECASE)


async def change(turn: Turn, request: Request) -> Reply:
    """Take "change x to y" by what y is: a date, a priority, a title in quotes. Else ask."""
    which, to = request.said["which"], request.said["to"].strip()
    if unquote(to) != to:
        return await _rename_to(turn, await resolve_one(turn, which, "all"), unquote(to))
    if _DONE.fullmatch(to):
        return await complete(turn, replace(request, said={"which": which}))
    if parse_when(to, turn.now):
        return await reschedule(turn, replace(request, said={"which": which, "when": to}))
    if parse_priority(to):
        return await prioritise(turn, replace(request, said={"which": which, "level": to}))
    if re.fullmatch(r"\d{1,2}(?::\d\d)?", to):  # "make that 4"
        return await reschedule(turn, replace(request, said={"which": which, "when": f"at {to}"}))
    todo = await resolve_one(turn, which, "all")
    if _corrects_what_was_added(turn, which, todo, to):
        return await _rename_to(turn, todo, to)
    raise UnclearError(
        f"Shall I rename “{todo['title']}” to “{to}”?",
        choices=[choice(f"Rename it to “{to}”", f'rename "{todo["title"]}" to "{to}"')],
    )


def _corrects_what_was_added(turn: Turn, which: str, todo: Todo, to: str) -> bool:
    """Tell whether "make that buy red ribbon" follows "add buy ribbon": a name that shares words with the one given."""
    last = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    is_new = last is not None and last.text.startswith(("Added ", "Renamed "))
    return is_new and IT.fullmatch(which) is not None and bool(content(todo["title"]) & content(to) - ERRAND_STEMS)


_CHANGE = re.compile(r"(?:change|cambia|cambiar|ändere?)\b", re.IGNORECASE)
_A_SET = re.compile(r"(?:everything|all|every|the rest)\b.*", re.IGNORECASE)


def _from_day_to_day(turn: Turn, request: Request) -> Request:
    """Take "postpone everything from tomorrow to friday" as said of what is due tomorrow."""
    which, (day, _, to) = request.said["which"], request.said["when"].partition(" to ")
    if to and parse_when(day, turn.now) and parse_when(to, turn.now):
        is_set = _A_SET.fullmatch(which)
        return replace(request, said={"which": f"{which} due {day}" if is_set else which, "when": to})
    return request


def _with_whole_day(turn: Turn, request: Request) -> Request:
    """Take the day of "schedule call with Nadia tuesday at 10" to its hour, not to the name."""
    which, when = request.said["which"], request.said["when"]
    days = find_dates(which, turn.now)
    if (
        not days
        or days[-1].end != len(which)
        or not days[-1].start
        or not days[-1].when.said_day
        or days[-1].when.clock
    ):
        return request
    whole = f"{which[days[-1].start :]} at {when}"
    clock = parse_when(whole, turn.now)
    if not clock or not clock.day or not clock.clock or unquote(which) != which:
        return request
    return replace(request, said={"which": which[: days[-1].start].strip(), "when": whole})


async def reschedule(turn: Turn, request: Request) -> Reply:
    """Make a todo due on another day."""
    request = _with_whole_day(turn, _from_day_to_day(turn, request))
    if parse_when(request.said["which"], turn.now) and not parse_when(request.said["when"], turn.now):
        swapped = {"which": request.said["when"], "when": request.said["which"]}
        request = replace(request, said=swapped)  # "set a due time of 9am for the report"
    said = re.sub(
        r"^(?:to|be|on|for|due)\s+|\s+(?:instead|now)$|,?\s+(?:at\s+)?(?:the\s+)?same\s+time$", "", request.said["when"]
    )
    ways = (request.said["when"], said, f"on {said}")  # "the first" alone is no date
    when = next(filter(None, (parse_when(way, turn.now) for way in ways)), None)
    said = INSTEAD_OF_HOUR.sub("", said)
    if when is None and re.fullmatch(r"\d{1,2}(?:[:.]\d\d)?|[01]\d[0-5]\d", said):  # "move the meeting to 11"
        when = parse_when(f"at {said.replace('.', ':')}", turn.now)
    if when is None:
        return await _without_day(turn, request, said)
    if not when.exists:
        raise UnclearError(f"There is no such day: {said}. Which day do you mean?")
    if when.repeats:
        raise UnclearError(
            f"A todo cannot repeat. Shall I make it due {turn.wording.day(when.day or turn.now.date())}?",
            choices=[choice("Yes, the first time", f"move {request.said['which']} to {when.day}")],
        )
    try:
        meant = await resolve(turn, request.said["which"], "open")
    except UnclearError as unclear:
        if unclear.candidates or unclear.choices or POSITION.fullmatch(request.said["which"]):
            raise
        phrase = Phrase(re.sub(r"^an? ", "", unquote(request.said["which"])), when.day, when.clock)
        is_known = re.match(r"(?:the|my)\b", request.said["which"], re.IGNORECASE)
        if is_known and await nearest(turn, request.said["which"], "open"):
            raise
        if re.match(r"(?:schedule|put)\b", request.words, re.IGNORECASE):
            return await add(turn, Request("add", {"what": add_message(phrase).removeprefix("add ")}, request.words))
        raise replace(unclear, choices=[choice(f"Add {draft_words(phrase, turn)}", add_message(phrase))]) from None
    return await _move(turn, meant, when)


async def _without_day(turn: Turn, request: Request, said: str) -> Reply:
    """Do what is asked for where no day is said: a shift, a day further back in the sentence, or another field."""
    which = request.said["which"]
    if after := _AFTER_IT.fullmatch(said):  # "move it to the week after"
        return await _shift(turn, which, after)
    if (shift := _SHIFT.fullmatch(said)) and re.search(r"\b(?:by|for|back)\b", request.words):
        return await _shift(turn, which, shift)
    is_field = parse_priority(said) or _DONE.fullmatch(said)  # "set milk to done"
    if not is_field and (again := await _reschedule_tail(turn, request)):
        return again
    if new := await scheduled(turn, request):
        return new
    if is_field or _CHANGE.match(request.words):
        return await change(turn, replace(request, said={"which": which, "to": said}))
    todo = await resolve_one(turn, which, "open")
    raise UnclearError(
        f"I do not know the day “{said}”. Which day do you mean for {quote(todo)}? Try “friday”, “in 3 days” or “2026-12-31”."
    )


async def may_reschedule(turn: Turn, request: Request) -> Reply:
    """Ask what "tomorrow" means just after a todo was added: its day, or a question about that day."""
    todo = await resolve_one(turn, request.said["which"], "open")
    when = request.said["when"]
    return Reply(
        f"Shall I make {quote(todo)} due {when}?",
        mentioned=[todo],
        choices=[
            choice(f"Yes, {when}", f'"{todo["title"]}" is due {when}'),
            choice(f"What is due {when}?", f"what is due {when}?"),
        ],
    )


async def _reschedule_tail(turn: Turn, request: Request) -> Reply | None:
    """Find the date at the end of "move the report for Ana to friday at 5", wherever the first "to" was."""
    spans = find_dates(request.words, turn.now)
    if not spans or spans[-1].end != len(request.words):
        return None
    head = request.words[: spans[-1].start].strip()
    found = re.fullmatch(r"\S+ (?P<which>.+?)(?: (?:to|until|till|for|by|on|at))?", head)
    if found is None or not spans[-1].when.exists:
        return None
    return await _move(turn, await resolve(turn, found["which"], "open"), spans[-1].when)


def _keeps_day(turn: Turn, todo: Todo, when: When) -> bool:
    """Tell whether only the time changes: none but a day to come is kept."""
    return not when.said_day and bool(todo["due_date"]) and todo["due_date"] >= turn.now.date().isoformat()


def moved_to(turn: Turn, todo: Todo, when: When) -> str:
    """Say when a todo would be due, were it moved: a time alone leaves it its day."""
    day = date.fromisoformat(todo["due_date"]) if _keeps_day(turn, todo, when) else when.day
    clock = time.fromisoformat(_clock_near(when, todo["due_time"])) if when.clock else None
    return turn.wording.moment(day or turn.now.date(), clock)


async def _move(turn: Turn, meant: Meant, when: When) -> Reply:
    def arguments(todo: Todo) -> dict[str, Any]:
        keeps_day = _keeps_day(turn, todo, when)
        values: dict[str, Any] = {} if keeps_day else {"due_date": when.day and when.day.isoformat()}
        if when.clock is not None:
            values["due_time"] = _clock_near(when, todo["due_time"])
        if keeps_day and when.clock == time(0):  # midnight ends the day
            values["due_date"] = (date.fromisoformat(todo["due_date"]) + timedelta(days=1)).isoformat()
        return versioned(todo, **values)

    said = turn.wording.day(when.day or turn.now.date())
    return await change_all(
        turn,
        meant,
        Deed(
            "update_todo",
            arguments,
            "Move",
            "Moved",
            lambda todo: f"{quote(todo)} is now due {due(todo, turn.wording)}.",
            tail=f" to {said}",
        ),
    )


def _clock_near(when: When, before: str | None) -> str:
    """Return the time as text; of "move yoga to 8" it is in the half of the day that yoga was in."""
    clock = f"{when.clock:%H:%M}"
    if not (when.is_vague and when.clock and before):
        return clock
    other = f"{(when.clock.hour + 12) % 24:02}{clock[2:]}"
    hour = int(before[:2])
    return min((clock, other), key=lambda each: abs(int(each[:2]) - hour))


async def reschedule_at_end(turn: Turn, request: Request) -> Reply:
    """Understand "postpone milk tomorrow", "push the dentist by 2 days" and "postpone milk"."""
    words = request.said["which"] + re.sub(r" (?:more|extra)\b", "", request.said.get("by", ""))
    if found := re.fullmatch(
        rf"(?P<which>.+?)(?: back| out|(?P<up> up| forward))?(?: (?:by|for|um)| de)?(?: |(?<=\s)d')(?:{_SHIFT.pattern})",
        words,
        re.IGNORECASE,
    ):
        return await _shift(turn, found["which"], found)
    if again := await scheduled(turn, request) or await _reschedule_tail(turn, request):
        return again
    try:
        todo = await resolve_one(turn, words, "open")
    except UnclearError as unclear:
        raise may_schedule(turn, request, unclear) from None
    raise UnclearError(
        f"To which day shall I move “{todo['title']}”?",
        choices=[choice(day.capitalize(), f'move "{todo["title"]}" to {day}') for day in ("tomorrow", "next week")],
    )


_COUNTS = {
    **dict.fromkeys(("a", "an", "one", "another", "ein", "eine", "einen", "un", "una", "une"), 1),
    **dict.fromkeys(("two", "zwei", "dos", "deux"), 2),
    **dict.fromkeys(("three", "drei", "tres", "trois"), 3),
    **dict.fromkeys(("four", "vier", "cuatro", "quatre"), 4),
}
_UNITS = {
    **dict.fromkeys(
        ("day", "days", "tag", "tage", "día", "días", "dia", "dias", "jour", "jours"), relativedelta(days=1)
    ),
    **dict.fromkeys(
        ("week", "weeks", "woche", "wochen", "semana", "semanas", "semaine", "semaines"), relativedelta(weeks=1)
    ),
    **dict.fromkeys(("hour", "hours", "stunde", "stunden", "hora", "horas", "heure", "heures"), relativedelta(hours=1)),
    **dict.fromkeys(("half an hour", "halbe stunde", "media hora", "demi-heure"), relativedelta(minutes=30)),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "minuten", "minutos"), relativedelta(minutes=1)),
    **dict.fromkeys(("month", "months", "monat", "monate", "mes", "meses", "mois"), relativedelta(months=1)),
}
_SHIFT = re.compile(
    rf"(?:another )?(?P<count>\d{{1,3}}|{'|'.join(_COUNTS)})? ?(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})(?P<way> later| more| earlier| sooner)?",
    re.IGNORECASE,
)


_AFTER_IT = re.compile(r"the (?P<count>(?!))?(?P<unit>day|week|month)(?P<way> after|(?: before))", re.IGNORECASE)


async def _shift(turn: Turn, which: str, found: "re.Match[str]") -> Reply:
    """Move a todo by some days or hours, from when it is due, or from today or now when that is past."""
    said = (found["count"] or "one").lower()
    number = _COUNTS.get(said) or int(said)
    is_up = found.groupdict().get("up") is not None
    by = _UNITS[found["unit"].lower()] * (
        -number if is_up or found["way"] in (" earlier", " sooner", " before") else number
    )
    todo = await resolve_one(turn, which, "open")
    today = turn.now.date()
    base = max(date.fromisoformat(todo["due_date"]), today) if todo["due_date"] else today
    if by.hours or by.minutes:
        clock = time.fromisoformat(todo["due_time"]) if todo["due_time"] else turn.now.time()
        moment = datetime.combine(base, clock) + by
        return await _move(turn, Meant([todo]), When(day=moment.date(), clock=moment.time()))
    return await _move(turn, Meant([todo]), When(day=base + by))


async def unschedule(turn: Turn, request: Request) -> Reply:
    """Take the due date away."""
    there = await resolve_one(turn, request.said["which"], "open")
    if not there["due_date"]:
        return Reply(f"{quote(there)} has no due date.", mentioned=[there])
    todo = await _update(turn, there, clear_due_date=True)
    return Reply(f"{quote(todo)} has no due date any more.", mentioned=[todo])


async def lower_to_normal(turn: Turn, request: Request) -> Reply:
    """Make a todo one of normal priority."""
    return await prioritise(turn, replace(request, said={"which": request.said["which"], "level": "normal"}))


async def may_prioritise(turn: Turn, request: Request) -> Reply:
    """Ask what "the insurance is not important" or "high priority for bread" means: it may be no request at all."""
    todo = await resolve_one(turn, request.said["which"], "open")
    level = parse_priority(request.said.get("level", "normal")) or "high"
    if todo["priority"] == level or ("level" not in request.said and todo["priority"] == "low"):
        return Reply(f"{quote(todo)} has {todo['priority']} priority.", mentioned=[todo])
    return Reply(
        f"Shall I make {quote(todo)} one of {level} priority?",
        mentioned=[todo],
        choices=[choice(f"Yes, {level} priority", f'set the priority of "{todo["title"]}" to {level}')],
    )


_LEVELS: tuple[Priority, ...] = ("low", "normal", "high")


async def prioritise(turn: Turn, request: Request) -> Reply:
    """Change the priority."""
    which = re.sub(r"(?:'s)?\s+(?:priority|prio|importance)$", "", request.said["which"], flags=re.IGNORECASE)
    try:
        meant = await resolve(turn, which, "open")
    except UnclearError as unclear:
        if unclear.candidates or unclear.choices or request.words.startswith(("make", "set")):
            raise
        phrase = parse_phrase(request.words, turn.now)  # "buy milk, priority high" may be a new todo
        raise replace(unclear, choices=[choice(f"Add {draft_words(phrase, turn)}", add_message(phrase))]) from None
    level = parse_priority(re.sub(r"^an?\s+|importance$", "", request.said.get("level", "high"))) or "high"
    if {"down", "up"} & request.said.keys():
        step = 1 if "up" in request.said else -1
        level = _LEVELS[min(2, max(0, _LEVELS.index(meant.todos[0]["priority"]) + step))]
    return await change_all(
        turn,
        meant,
        Deed(
            "update_todo",
            lambda todo: versioned(todo, priority=level),
            "Change",
            "Changed",
            lambda todo: f"{quote(todo)} now has {todo['priority']} priority.",
            tail=f" to {level} priority",
        ),
    )


async def _update(turn: Turn, todo: Todo, **values: Any) -> Todo:
    return data(await turn.toolbox.call("update_todo", **versioned(todo, **values)))
