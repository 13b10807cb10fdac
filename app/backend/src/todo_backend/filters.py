"""Which todos a phrase like "high priority todos due this week, sorted by title" selects."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from todo_backend.assistant import AssistantError, Toolbox
from todo_backend.dates import Span, find_dates, is_month
from todo_backend.replies import Todo, UnclearError
from todo_backend.schemas import Order, Priority, Sort, State
from todo_backend.stems import stem

_LONGEST = 300  # characters that are looked through
_MOST = 200  # todos that one call of the tool returns


@dataclass(frozen=True)
class Filter:
    """A selection of todos. `rest` are the words that select by text."""

    state: State = "open"
    first: date | None = None
    last: date | None = None
    overdue: bool = False
    undated: bool = False
    priority: Priority | None = None
    tag: str = ""
    rest: str = ""
    sort: Sort | None = None
    order: Order = "asc"
    limit: int | None = None
    day: str = ""  # the words of the date
    since: str = ""  # times of the day, as "20:00"
    before: str = ""
    part: tuple[str, str] | None = None  # the hours of "tonight"; what has no time is of any
    said_state: bool = False

    @property
    def is_plain(self) -> bool:
        """Tell whether nothing but the state selects."""
        return not (self.first or self.last or self.overdue or self.undated or self.priority or self.tag or self.rest)


_NOUN = r"(?:to-?\s?dos?|tasks?|works|items?|list|things?|ones?|entries|stuff|work\s+on|reminders?|aufgaben?|liste|einträge|tareas?|lista|pendientes|tâches?|listes?|فہرست|کام|کاموں)"
_SORT = re.compile(
    r"[,\s]*(?:sort(?:ed)?|order(?:ed)?|arranged?|grouped)(?:\s+(?:them|it))?\s+(?:by|on)\s+(?:the\s+|their\s+)?(?P<key>due(?:\s+date)?|date|deadline|prio(?:rity)?|importance|title|name|alphabet\w*|"
    r"creat\w+(?:\s+date)?|age|newest|oldest)(?:\s+(?P<order>desc\w*|asc\w*))?|[,\s]*(?:sortiert\s+)?\b(?:nach|por|par)\s+(?:la\s+)?(?P<abroad>datum|fälligkeit|fecha|date|priorität|prioridad|priorité|titel|name|título|titulo|nombre|titre|nom)\b|[,\s]*\b(?P<alpha>alphabetically)|[,\s]*\b(?P<recent>newest|latest|oldest)\s+first"
    r"|[,\s]*by\s+(?P<short>due\s+date|date|prio(?:rity)?|deadline|title|name)\s*$|[,\s]*most\s+(?P<most>important|urgent)\s+first",
    re.IGNORECASE,
)
_IN_ORDER = re.compile(
    r"\bin\s+(?:the\s+)?(?:order\s+of\s+(?P<of>due\s+date|date|priority|importance)|(?P<kind>due\s+date|date|priority|alphabet\w+)\s+order)\b",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"\b(?:done|completed?|finished|checked(?:\s+off)?|ticked(?:\s+off)?|closed|did|erledigt(?:e[nsr]?)?|hech[oa]s?|completad[oa]s?|terminées?|faites|مکمل)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:(?:(?:needs?|has|have)\s+)?to\s+be\s+(?:done|finished|completed)|open|unfinished|incomplete|uncompleted|undone|pending|remaining|outstanding|active|left|not\s+(?:yet\s+)?(?:done|finished|completed)|still\s+to\s+do|(?:except(?:\s+for)?|but\s+not|excluding|without)\s+(?:what's|what\s+is|the|those|all)?\s*(?:done|completed|finished)(?:\s+ones)?|offene?n?|pendientes)\b",
    re.IGNORECASE,
)
_BOTH = re.compile(
    r"\b(?:including|incl\.?|with|and|plus|even)\s+(?:the\s+|all\s+)*(?:done|completed?|finished)(?:\s+ones?)?\b|\b(?:open|undone|pending)\s+(?:and|or)\s+(?:done|completed|finished)\b|\b(?:done|completed|finished)\s+(?:and|or)\s+(?:open|not|undone|pending)\b|\bwhether\s+done\s+or\s+not\b",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"\b(?:all|everything|every|alles?|sab|saare|saray|tamam|todo(?=\s*$)|todas|tout(?:es)?|سب)\b", re.IGNORECASE
)
_OVERDUE = re.compile(
    r"\b(?:overdue|over\s+due|past\s+due|late|missed|miss|overlooked|forgotten|forgot|forget|behind(?:\s+on)?|überfällig\w*|vencid[oa]s?|atrasad[oa]s?|en\s+retard)\b",
    re.IGNORECASE,
)
_UNDATED = re.compile(
    r"\b(?:without|with\s+no|no|having\s+no|(?:do|does|has|have)(?:n't|\s+not)(?:\s+(?:have|got))?|(?:has|have)\s+(?:got\s+)?no)\s+(?:an?y?\s+)?(?:due\s+)?(?:date|deadline)s?\b|\bundated\b",
    re.IGNORECASE,
)
_PRIORITY = re.compile(
    r"\b(?:(?P<level>high|low|normal|medium|top|hohe[rn]?|niedrige[rn]?)[\s-]+prio(?:rity|rities|rität)?|prio(?:rity)?\s+(?P<after>high|low|normal)|(?P<low>(?:not|less|least)\s+(?:so\s+|that\s+|very\s+)?(?:urgent|important)|unimportant|can\s+wait)|(?P<word>urgent|important|most\s+important|priorities|dringend\w*|wichtig\w*|urgentes?))\b",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"(?:\b(?:tag(?:ged)?|label(?:l?ed)?)\s+(?:with\s+|as\s+)?)?#(?P<hash>[^\s,#]+)|\b(?:tagged|labell?ed|with\s+(?:the\s+)?(?:tag|label))\s+(?:with\s+|as\s+)?(?P<tag>[\w-]+)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    rf"\b(?:{_NOUN}|that's|what's|my|the|me|i've|i'm|i|a|an|of|that|which|are|is|with|have|has|still|to\s+do|do|due|on|for|in|from|all|every|everything|every(?:thing)?|any|anything|what|what's|whats|there|currently|current|right"
    r"|now|so|far|please|marked|as|already|ich|meine?n?|mir|mis?|de|las?|los|el|ma|mes|moi|les?|des|priority|coming|it|them|each|both|these|those|be|up|by|until|before|planned|scheduled|"
    r"und|was|alles?|está|están|die|der|que|qué|tengo|hacer|für|get|got|must|should|am|that's|need|needs|soon|next|first|most|today's|tomorrow's)\b",
    re.IGNORECASE,
)  # fmt: skip
_LIMIT = re.compile(
    r"\b(?:the\s+)?(?:first|next|top)\s+(?P<limit>\d{1,2}|two|three|four|five|ten|one|thing|todo|task|item)\b(?!\s+(?:day|week|month)s?\b)",
    re.IGNORECASE,
)
_EXTREME = re.compile(
    r"\b(?:(?P<oldest>oldest|earliest)|newest|latest|most\s+recent)\s+(?:open\s+)?(?:to-?do|task|thing|item|one|entry|reminder)\b|\badd(?:ed)?\s+last\b|\b(?:last|most\s+recently)\s+added\b",
    re.IGNORECASE,
)
_NUMBERS = {
    **dict.fromkeys(("one", "thing", "todo", "task", "item"), 1),
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "ten": 10,
}

_MONTH = re.compile(r"(?:^|\b(?:for|für|para|pour))\s+(?P<month>[^\W\d]{4,})\s*$", re.IGNORECASE)


def parse_filter(words: str, now: datetime, state: State = "open") -> Filter:
    """Read a phrase about todos; what it does not know is left in `rest`."""
    chosen = Filter(state=state)
    words = f" {words.strip()[:_LONGEST]} "
    if (found := _MONTH.search(words)) and is_month(found["month"]):
        words = f"{words[: found.start()]} in {found['month']} "
    words = re.sub(r"\b(today|tomorrow|tonight|\w+day)'s\b", r"\1", words)
    words = _IN_ORDER.sub(lambda found: f"sorted by {found['of'] or found['kind']}", words)
    if found := _SORT.search(words):
        chosen = _sorted(chosen, found)
        words = words[: found.start()] + " " + words[found.end() :]
    if found := _EXTREME.search(words):
        order: Order = "asc" if found["oldest"] else "desc"
        chosen = replace(chosen, sort="created", order=order, limit=1)
        words = _without(words, found)
    if found := _LIMIT.search(words):
        chosen = replace(chosen, limit=_NUMBERS.get(found["limit"].lower()) or int(found["limit"]))
        words = _without(words, found)
    if found := _TAG.search(words):
        chosen = replace(chosen, tag=(found["hash"] or found["tag"]).lower())
        words = _without(words, found)
    if found := _UNDATED.search(words):
        chosen = replace(chosen, undated=True)
        words = _without(words, found)
    if found := _PRIORITY.search(words):
        level = (found["level"] or found["after"] or ("low" if found["low"] else "high")).lower()
        chosen = replace(
            chosen,
            priority="low"
            if level.startswith(("low", "nied"))
            else "normal"
            if level in ("normal", "medium")
            else "high",
        )
        words = _without(words, found)
    if found := _OVERDUE.search(words):
        chosen = replace(chosen, overdue=True)
        words = _without(words, found)
    chosen, words = _with_day(chosen, words, now)
    chosen, words = _with_state(chosen, words)
    rest = re.sub(
        r"^(?:about|with|containing|mentioning|called|named|matching|related\s+to|über|sobre)\s+",
        "",
        _tidy(_FILLER.sub(" ", words)),
        flags=re.IGNORECASE,
    )
    return replace(chosen, rest=rest)


def _without(words: str, found: "re.Match[str]") -> str:
    return words[: found.start()] + " " + words[found.end() :]


def _tidy(words: str) -> str:
    return " ".join(words.replace("?", " ").strip(" ,.!:;-").split())


def _sorted(chosen: Filter, found: "re.Match[str]") -> Filter:
    key = (
        found["key"]
        or found["abroad"]
        or found["short"]
        or found["recent"]
        or ("title" if found["alpha"] else "priority")
    ).lower()
    if key.startswith(("due", "date", "dead", "dat", "fäl", "fech")):
        sort: Sort = "due"
    elif key.startswith(("prio", "impo")):
        sort = "priority"
    elif key.startswith(("tit", "tít", "nam", "nom", "alph")):
        sort = "title"
    else:
        sort = "created"
    is_down = sort == "priority" or key in ("newest", "latest") or (found["order"] or "").lower().startswith("desc")
    return replace(chosen, sort=sort, order="desc" if is_down else "asc")


def _with_day(chosen: Filter, words: str, now: datetime) -> tuple[Filter, str]:
    spans = [span for span in find_dates(words, now) if span.when.exists]
    if not spans:
        return chosen, words
    if len(spans) > 1 and (joined := _between(chosen, words, spans[0], spans[1])):
        return joined
    span = spans[0]
    if span.when.is_part and span.when.clock:
        chosen = replace(chosen, part=_part_of_day(span.when.clock))
    said = words[span.start : span.end].strip()
    if found := re.search(
        r"\b(?:due\s+)?(?:after|later\s+than|nach|después\s+de|après)\s+$", words[: span.start], re.IGNORECASE
    ):
        after = span.when.last or span.when.day
        chosen = replace(chosen, first=after and after + timedelta(days=1), last=None, day=f"after {said}")
        if span.when.clock:
            chosen = replace(chosen, first=after, last=after, since=f"{span.when.clock:%H:%M}")
        return chosen, words[: found.start()] + " " + words[span.end :]
    first, last = span.when.first, span.when.last
    if re.match(r"(?:due\s+)?(?:by|until|till|before|bis|antes|avant)\b", said, re.IGNORECASE):
        if span.when.clock:
            chosen = replace(chosen, before=f"{span.when.clock:%H:%M}")
            return replace(chosen, first=first, last=last, day=said), words[: span.start] + " " + words[span.end :]
        first = None
        if last and re.match(r"(?:due\s+)?before\b", said, re.IGNORECASE):
            last -= timedelta(days=1)
    elif re.match(r"(?:due\s+)?(?:from|after|starting)\b", said, re.IGNORECASE):
        last = None
    day = re.sub(r"^(?:due|on|for|by|until|from|para|für|bis|am|pour|hasta)\s+", "", said, flags=re.IGNORECASE)
    return replace(chosen, first=first, last=last, day=day), words[: span.start] + " " + words[span.end :]


_HOURS_OF_PART = (("00:00", "11:59"), ("12:00", "17:59"), ("17:00", "23:59"))


def _part_of_day(clock: time) -> tuple[str, str]:
    """Return the hours of the morning, the afternoon or the evening that a time stands for."""
    return _HOURS_OF_PART[0 if clock.hour < 12 else 1 if clock.hour < 17 else 2]


_BETWEEN = re.compile(r"(?:\b(?:between|from|zwischen|von|entre|del?|du)\s+(?:the\s+)?)$", re.IGNORECASE)
_AND_TO = re.compile(r"\s*(?:and|to|until|till|through|und|bis|y|al?|hasta|et|au|-|–)\s*(?:the\s+)?", re.IGNORECASE)


def _between(chosen: Filter, words: str, one: Span, two: Span) -> tuple[Filter, str] | None:
    """Read "between dec 1 and dec 7"; None where the two dates are no range."""
    start = one.start
    if found := _BETWEEN.search(words[: one.start]):
        start = found.start()
    elif not _BETWEEN.match(f"{words[one.start : one.end].split(maxsplit=1)[0]} "):
        return None
    gap = f"{words[one.end : two.start]} {words[two.start : two.end].split(maxsplit=1)[0]} "
    first, last = one.when.first, two.when.last
    if not re.match(_AND_TO, gap.strip() + " ") or not (first and last) or first > last:
        return None
    day = " ".join(words[start : two.end].split())
    return replace(chosen, first=first, last=last, day=day), words[:start] + " " + words[two.end :]


def _with_state(chosen: Filter, words: str) -> tuple[Filter, str]:
    if found := _BOTH.search(words):
        return replace(chosen, state="all", said_state=True), _without(words, found)
    if found := _OPEN.search(words):
        return replace(chosen, state="open", said_state=True), _OPEN.sub(" ", words)
    if found := _DONE.search(words):
        return replace(chosen, state="done", said_state=True), _DONE.sub(" ", words)
    if found := _ALL.search(words):
        return replace(chosen, state="all"), _ALL.sub(" ", words)
    return chosen, words


async def without_strange_words(toolbox: Toolbox, chosen: Filter) -> Filter:
    """Leave out the words of `rest` that are in no todo: "what do I gotta do today" is about today."""
    page = data(await toolbox.call("list_todos", state="all", limit=_MOST))
    known = {
        part
        for todo in page["items"]
        for part in re.findall(r"\w+", " ".join([todo["title"], *todo["tags"]]).casefold())
    }
    stems = {stem(word) for word in known}
    kept = [word for word in re.findall(r"\w+", chosen.rest) if stem(word.casefold()) in stems]
    return replace(chosen, rest=" ".join(kept))


async def select(toolbox: Toolbox, chosen: Filter, now: datetime, shown: "list[str]") -> tuple[list[Todo], int]:
    """Return the todos that a filter selects, in the page's order unless the filter has one, and how many there are."""
    arguments: dict[str, Any] = {"state": chosen.state, "limit": _MOST}
    if chosen.first:
        arguments["due_from"] = chosen.first.isoformat()
    last = now.date() if chosen.overdue else chosen.last
    if last:
        arguments["due_until"] = last.isoformat()
    by_due = chosen.sort is None and (chosen.first or last)
    arguments |= {"sort": chosen.sort or ("due" if by_due else "created"), "order": chosen.order}
    page = data(await toolbox.call("list_todos", **arguments))
    kept = [todo for todo in page["items"] if _fits(todo, chosen, now)]
    if chosen.sort is None and not by_due:
        place = {todo_id: number for number, todo_id in enumerate(shown)}
        kept.sort(key=lambda todo: place.get(todo["id"], len(place)))
    total = page["total"] if len(kept) == len(page["items"]) else len(kept)
    return (kept[: chosen.limit], min(total, chosen.limit)) if chosen.limit else (kept, total)


def _fits(todo: Todo, chosen: Filter, now: datetime) -> bool:
    if chosen.undated and todo["due_date"]:
        return False
    if chosen.priority and todo["priority"] != chosen.priority:
        return False
    if chosen.tag and chosen.tag not in todo["tags"]:
        return False
    if not _is_at_that_time(todo, chosen):
        return False
    if chosen.overdue and not is_overdue(todo, now):
        return False
    words = re.findall(r"\w+", " ".join([todo["title"], *todo["tags"]]).casefold())
    stems = {stem(word) for word in words}
    wanted = re.findall(r"\w+", chosen.rest.casefold())
    return all(stem(word) in stems or any(own.startswith(word) for own in words) for word in wanted)


def _is_at_that_time(todo: Todo, chosen: Filter) -> bool:
    clock = todo["due_time"]
    if (chosen.since or chosen.before) and not (clock and chosen.since <= clock <= (chosen.before or "24:00")):
        return False
    return not (chosen.part and clock) or chosen.part[0] <= clock <= chosen.part[1]


def is_overdue(todo: Todo, now: datetime) -> bool:
    """Tell whether a todo should have been done by now."""
    if todo["done"] or not todo["due_date"]:
        return False
    day = date.fromisoformat(todo["due_date"])
    return day < now.date() or (day == now.date() and bool(todo["due_time"]) and todo["due_time"] <= f"{now:%H:%M}")


def kind_of(chosen: Filter) -> str:
    """Name what a filter selects: "overdue todo", "completed todo"."""
    parts: list[str] = []
    if chosen.overdue:
        parts.append("overdue")
    if chosen.priority:
        parts.append(f"{chosen.priority}-priority")
    state: dict[str, Literal["open", "completed", ""]] = {"open": "open", "done": "completed", "all": ""}
    if not parts or chosen.state == "done":
        parts.append(state[chosen.state])
    return " ".join([*filter(None, parts), "todo"])


def data(reply: Any) -> dict[str, Any]:
    """Return what a tool answered.

    Raises:
        UnclearError: it refused.
        AssistantError: it failed.
    """
    if reply.outcome == "ok":
        answered: dict[str, Any] = reply.data
        return answered
    if reply.outcome == "error":
        raise AssistantError("error", f"That did not work: {reply.problem}.")
    raise UnclearError(f"That is not possible: {reply.problem}.")
