"""Understand the words of a todo: title, date, time, priority and tags. The chat and the Add box share it."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from todo_backend import dates
from todo_backend.dates import Span, find_dates
from todo_backend.schemas import DateFormat, ParsedTodo, Priority
from todo_backend.stems import ERRANDS
from todo_backend.wording import Wording

_LONGEST = 600  # characters: a title, and what can be said about it

_LEVELS: dict[str, Priority] = {
    **dict.fromkeys(
        ("high", "highest", "urgent", "urgently", "important", "top", "critical", "asap", "hoch", "hohe", "hoher", "dringend", "wichtig",
         "alta", "urgente", "importante", "haute", "élevée", "اہم", "ضروری", "فوری"), "high",
    ),
    **dict.fromkeys(("low", "lowest", "niedrig", "niedrige", "baja", "basse", "faible", "unimportant", "not urgent", "not important", "no rush", "no hurry", "nicht dringend", "کم"), "low"),
    **dict.fromkeys(("normal", "medium", "mittel", "mittlere", "media", "moyenne", "normale", "regular"), "normal"),
}  # fmt: skip
_LEVEL = "|".join(sorted(_LEVELS, key=len, reverse=True))
_PRIORITY_WORD = r"(?:prio(?:rity)?|priorität|prioridad|priorité|importance|ترجیح)"
_PRIORITY = re.compile(
    rf"(?:with\s+|a\s+|as\s+|to\s+|of\s+|mit\s+|con\s+|de\s+)*!?(?:(?P<level>{_LEVEL})(?:[\s-]+{_PRIORITY_WORD})?|{_PRIORITY_WORD}\s*:?\s*(?P<after>{_LEVEL})"
    r"|p(?P<number>[1-4])|(?P<marks>!{1,3}))",
    re.IGNORECASE,
)
_NUMBERED: dict[str, Priority] = {"1": "high", "2": "high", "3": "normal", "4": "low"}
# A level alone is a priority only after a comma, a dash or in brackets, so that "aim high" stays a title.
_PRIORITY_AT_END = re.compile(
    rf"(?:(?:\s*[,;(]|\s+[-–—])\s*(?:it['\u2019]?s\s+|with\s+|very\s+|really\s+|quite\s+|so\s+|super\s+)*(?P<alone>{_LEVEL})\)?"
    rf"|[,\s]+\(?(?:(?:with|as|at|mit|con|de|à)\s+)?(?:an?\s+)?(?P<named>{_LEVEL})[\s-]+{_PRIORITY_WORD}\)?"
    rf"|[,\s]+\(?(?:with\s+|con\s+|mit\s+)?{_PRIORITY_WORD}\s*:?\s*(?P<after>{_LEVEL})\)?"
    rf"|\s+(?:and\s+)?it['\u2019]?s\s+(?:very\s+|really\s+|quite\s+|so\s+|super\s+)*(?P<its>urgent|important|(?:high|low)(?=\s+{_PRIORITY_WORD}))(?:\s+{_PRIORITY_WORD})?"
    rf"|\s+(?P<asap>asap|urgently|dringend))$",
    re.IGNORECASE,
)
_PRIORITY_AT_START = re.compile(
    rf"^(?:(?P<alone>{_LEVEL})\s*[:,-]\s*|(?P<named>{_LEVEL})[\s-]+{_PRIORITY_WORD}\b(?:\s+(?:todo|task|item)\b)?\s*[:,-]?\s*(?:to\s+)?)(?=\S)",
    re.IGNORECASE,
)
_SHOUTED_AT_START = re.compile(r"^(?P<shouted>URGENT|IMPORTANT|ASAP)\b[\s!:,-]+(?=.*[a-z])")
_MARK = re.compile(
    rf"(?:^|(?<=\s))!(?P<level>{_LEVEL}|[1-4])(?=$|[\s,.])|(?:^|(?<=\s))[pP](?P<number>[1-4])(?=$|[\s,.])|(?<=\s)(?P<marks>!!!?)(?=$|\s)",
    re.IGNORECASE,
)
_LEVEL_LAST = re.compile(rf"\s+(?P<level>{_LEVEL})$", re.IGNORECASE)
_TAG = re.compile(r"(?:^|(?<=[\s,(]))#(?P<tag>(?!\d+(?:$|\s))[^\s,#()]{1,40})(?=$|[\s,)])")
_TAGGED_AT_END = re.compile(
    r"[,\s]+(?:and\s+)?(?:tag(?:ged)?(?:\s+(?:it|with|as))*|label(?:l?ed)?(?:\s+(?:it|with|as))*|with\s+(?:the\s+)?(?:tags?|labels?)|tags?:)\s*"
    r"(?P<tags>#?[\w-]+(?:(?:\s*,\s*|\s+and\s+|\s*,?\s*(?=#))#?[\w-]+)*)$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“«„](?P<title>[^\"“”«»„]+)[\"”»“]|'(?P<single>[^']+)'(?=$|[\s,.])")
_DOTTED_AT_END = re.compile(r"(?<!\d)\d{1,2}\.\d{1,2}\.$")  # "20.12." ends with a dot of its own
_JOINT = " \t,;:-–—.!("
_DAY_BEFORE = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day$", re.IGNORECASE)  # "Friday the 13th"
_FOR_A_YEAR = re.compile(r"for (?:this|next|the (?:coming|next)) year", re.IGNORECASE)
_BEFORE_NAME = re.compile(
    r"\b(?:black|good|casual|super|ash|palm|easter|cyber|giving|freaky|happy|mother|national)$", re.IGNORECASE
)


@dataclass
class Phrase:
    """A title, and what was said about it.

    `impossible` is a date that does not exist, `repeats` a repetition, `kept` words of a date that the title keeps.
    """

    title: str
    due_date: date | None = None
    due_time: time | None = None
    priority: Priority | None = None
    tags: list[str] = field(default_factory=list)
    impossible: str = ""
    repeats: str = ""
    kept: str = ""


def parse_phrase(text: str, now: datetime) -> Phrase:
    """Split "buy milk tomorrow, high #shop" into title, date, time, priority and tags.

    What is not understood stays in the title as a whole; a title in quotes stays as it is.
    """
    text = " ".join(text.split()).strip()
    if len(text) > _LONGEST:  # no title is that long, and looking through it would cost seconds
        return Phrase(text)
    if (quoted := _QUOTED.match(text)) and (title := quoted["title"] or quoted["single"]):
        phrase = Phrase(title.strip())
        behind = text[quoted.end() :].strip()
        rest = Phrase(f"x{',' if behind.startswith(',') else ''} {behind.strip(' ,;')}")
        for _ in range(3):  # "with high priority, due friday": what is taken last uncovers the rest
            _take_marks(rest)
            _take_dates(rest, now)
        if left := rest.title.removeprefix("x").strip(
            _JOINT
        ):  # "'Emma' essay, due tuesday": the name is a part of the title
            phrase.title = f"{quoted[0]} {left}"
        phrase.due_date, phrase.due_time = rest.due_date, rest.due_time
        phrase.priority, phrase.tags, phrase.impossible, phrase.repeats = (
            rest.priority,
            rest.tags,
            rest.impossible,
            rest.repeats,
        )
        return phrase
    text, hours = without_end(text, now)
    keeps_end = text.endswith("!!") or _DOTTED_AT_END.search(text)
    phrase = Phrase(text if keeps_end else text.rstrip(".!"))
    before = None
    while before != (before := phrase.title) or before is None:
        _take_marks(phrase)
        _take_dates(phrase, now)
        if phrase.title == before:
            break
    if not phrase.title.strip(_JOINT):
        return Phrase(text)
    phrase.title = f"{phrase.title.strip()}{hours}"
    return phrase


_HOURS = re.compile(
    r"\b(?P<from>(?:from|between|von)\s+)?(?P<first>\d{1,2}(?::\d\d)?)\s*(?P<half1>am|pm|h|uhr)?\s*(?:-|–|to|until|till|and|bis)\s*(?P<last>\d{1,2}(?::\d\d)?)(?:(?<=\d)\s*(?P<half>am|pm|h|uhr))?(?![\w-])",
    re.IGNORECASE,
)


def _are_times(found: "re.Match[str]") -> bool:
    return ":" in found["first"] and ":" in found["last"]


def without_end(text: str, now: datetime) -> tuple[str, str]:
    """Make "from 3 to 4 pm" a time, and the whole of it words for the title: a todo has no end.

    Hours without "pm" may count anything else, unless a day is said too: "tomorrow from 2 to 4".
    """
    found = next((each for each in _HOURS.finditer(text) if each["half"] or each["from"] or _are_times(each)), None)
    if not found:
        return text, ""
    start = f"at {found['first']} {found['half1'] or found['half'] or ''}".rstrip()
    before, after = text[: found.start()], text[found.end() :]
    if (
        not found["half"]
        and not _are_times(found)
        and not any(span.when.said_day for span in find_dates(f"{before}, {after}", now))
    ):
        return text, ""
    return f"{before}{start}{after}", f" ({found[0]})"


def _take_marks(phrase: Phrase) -> None:
    """Move priority and tags from the title to their fields."""
    last = _LEVEL_LAST.search(phrase.title)
    if last and phrase.priority is None and re.search(r"\s#\S+$", phrase.title[: last.start()]):  # "#home high"
        phrase.priority = _LEVELS[last["level"].lower()]
        phrase.title = phrase.title[: last.start()]
    if tags := [found["tag"].rstrip(".;:!") for found in _TAG.finditer(phrase.title)]:
        phrase.tags = [*phrase.tags, *tags]
        phrase.title = _tidy(_TAG.sub("", phrase.title))
    if found := _TAGGED_AT_END.search(phrase.title):
        tags = [tag.lstrip("#") for tag in re.split(r"[\s,]+(?:and\s+)?", found["tags"]) if tag.lstrip("#")]
        if len(tags) > 1 and phrase.priority is None and tags[-1].lower() in _LEVELS:  # "tag finance, high"
            phrase.priority = _LEVELS[tags.pop().lower()]
        phrase.tags = tags + phrase.tags
        phrase.title = _tidy(phrase.title[: found.start()])
    if phrase.priority is not None:
        return
    if found := _MARK.search(phrase.title):
        level = (found["level"] or "").lower()
        phrase.priority = "high" if found["marks"] else _LEVELS.get(level) or _NUMBERED[found["number"] or level]
        phrase.title = _tidy(phrase.title[: found.start()] + phrase.title[found.end() :])
    elif (
        found := _PRIORITY_AT_END.search(phrase.title)
        or _PRIORITY_AT_START.search(phrase.title)
        or (_SHOUTED_AT_START.search(phrase.title))
    ):
        phrase.priority = _LEVELS[next(filter(None, found.groups())).lower()]
        phrase.title = _tidy(phrase.title[: found.start()] + phrase.title[found.end() :])


def _take_dates(phrase: Phrase, now: datetime) -> None:
    """Move a date and a time from the title to their fields, where they stand as such."""
    if phrase.due_date or phrase.impossible or phrase.repeats:
        return
    spans = find_dates(phrase.title, now)
    last = _LEVEL_LAST.search(phrase.title)
    if last and phrase.priority is None and any(span.end == last.start() for span in spans):  # "friday 9am high"
        phrase.priority = _LEVELS[last["level"].lower()]
        phrase.title = phrase.title[: last.start()]
    usable = [span for span in spans if _stands_alone(phrase.title, span)]
    if apart := _apart(usable):
        _take_apart(phrase, *apart)
        return
    if not usable:
        phrase.kept = phrase.title[spans[0].start : spans[0].end].strip() if spans else ""
        return
    span = usable[-1]
    said = phrase.title[span.start : span.end].strip()
    if not span.when.exists:
        phrase.impossible = said
        return
    if span.when.repeats:
        phrase.repeats = said
    phrase.due_date, phrase.due_time = span.when.day, span.when.clock
    before, after = phrase.title[: span.start], phrase.title[span.end :]
    if re.match(r"due\b", said, re.IGNORECASE) and re.search(r"\b(?:is|are|was|were)\s*$", before):
        before += "due"  # "the books are due on monday" without its "due" is half a phrase
    elif not after.strip(_JOINT):  # "the boiler service is on the 3rd"
        before = re.sub(r"\s+(?:is|are|will be)\s*$", "", before)
    if not before.strip(_JOINT):  # "tomorrow to call mom", "in 20 minutes: tea"
        after = re.sub(
            r"^[\s,:-]*(?:to\s+|i\s+(?:need|have)\s+to\s+|ans\s+|an\s+(?=de[nrm]\b|die\b|das\b)|(?:de|d['])\s*(?=\w+er\b))?",
            "",
            after,
        )
    phrase.title = _tidy(f"{before.rstrip(' ,;(-–—:')} {after.lstrip(' ,;)')}" if after.strip() else before)


def _apart(spans: Sequence[Span]) -> tuple[Span, Span] | None:
    """Return the day and the time of "2pm meeting with Sarah tomorrow", which stand apart."""
    plain = [span for span in spans if span.when.exists and not span.when.repeats]
    days = [span for span in plain if span.when.said_day and not span.when.clock]
    clocks = [span for span in plain if not span.when.said_day]
    return (days[0], clocks[0]) if len(days) == len(clocks) == 1 and len(spans) == 2 else None


def _take_apart(phrase: Phrase, day: Span, clock: Span) -> None:
    """Take the two out of the title, the later one first."""
    first, last = sorted((day, clock), key=lambda span: span.start)
    text = phrase.title
    phrase.due_date, phrase.due_time = day.when.day, clock.when.clock
    parts = (text[: first.start], text[first.end : last.start], text[last.end :])
    phrase.title = _tidy(" ".join(part.strip(" ,;") for part in parts if part.strip(" ,;")))


def _stands_alone(title: str, span: Span) -> bool:  # noqa: PLR0911 - one place in the text a line
    """Tell whether a date is said of the todo, not a part of its title ("read Friday's news", "the Sunday Times")."""
    before, after = title[: span.start].rstrip(), title[span.end :]
    if not before.strip(_JOINT) and not after.strip(_JOINT):
        return False
    if _BEFORE_NAME.search(before) and not span.leads:
        return False
    said = title[span.start : span.end].strip()
    if said.lower() == "yesterday" or _FOR_A_YEAR.fullmatch(
        said
    ):  # nothing is due then; "plan the budget for next year"
        return False
    if said.lower().startswith("the ") and (
        _DAY_BEFORE.search(before) or re.fullmatch(r"the (?:sun|sat)", said, re.IGNORECASE)
    ):
        return False
    at_end = not re.search(r"\w", after)  # an emoji may follow
    at_start = not before.strip(_JOINT)
    if at_end:
        return span.sure or span.leads or not re.fullmatch(r"sat|sun", said, re.IGNORECASE) or _is_order_before(before)
    if at_start:
        is_day = span.sure or span.leads or said.endswith(" ko") or _DAY_IN_FULL.fullmatch(said)
        return bool(is_day or _GOES_ON.match(after))
    lead = title[span.start : span.end].split(maxsplit=1)[0].lower()
    follows = re.match(
        r"\s*(?:[,;(#!-]|(?:with|at|in|to|and|for|about|from|because|before|after|via|by|on|please|mit|bei|con|avec)\b)",
        after,
        re.IGNORECASE,
    )
    return (bool(follows) and (span.sure or (span.leads and lead != "the"))) or (
        span.leads and lead in ("on", "by", "due", "until", "before", "am", "at")
    )


def _is_order_before(before: str) -> bool:
    """Tell whether "sat" is a day: nobody says "return the books sat" of sitting; "enjoy the sun" has an article."""
    words = before.casefold().split()
    return len(words) > 1 and words[0] in ERRANDS and words[-1] not in ("the", "some", "more", "in", "of", "and", "to")


_DAY_IN_FULL = re.compile(r"\d\d/\d\d|\d{1,2}\.\d{1,2}\.(?:\d{2,4})?")  # not "1/2", which may be a half
# What is to be done then: "tuesday to call mom", "samedi d'acheter du pain".
_GOES_ON = re.compile(r"\s*(?:[,:-]|to\s|(?:de\s|d['\u2019])\w+(?:er|ir|re)\b)", re.IGNORECASE)


def _tidy(title: str) -> str:
    title = re.sub(r"\s+", " ", re.sub(r"\(\s*\)", "", title)).replace(" ,", ",").lstrip(" ,;:-").rstrip()
    return title.rstrip(" ,;:-–—(" if _DOTTED_AT_END.search(title) else " ,;:-–—.(")


async def parse_todo(text: str, now: datetime, date_format: DateFormat = "EEE d MMM") -> ParsedTodo:
    """Tell what the words of an Add box mean; the note writes a day in that format."""
    await asyncio.to_thread(dates.load)
    phrase = parse_phrase(text, now)
    note = None
    if phrase.impossible:
        note = f"There is no such day: {phrase.impossible}."
    elif phrase.repeats:
        first = Wording(now.date(), date_format=date_format).day(phrase.due_date or now.date())
        note = f"A todo cannot repeat, so “{phrase.repeats}” is only the first time: {first}."
    elif phrase.kept:
        note = f"“{phrase.kept}” stays in the title."
    return ParsedTodo(
        title=phrase.title,
        due_date=phrase.due_date,
        due_time=phrase.due_time,
        priority=phrase.priority or "normal",
        tags=list(dict.fromkeys(tag.lower() for tag in phrase.tags)),
        note=note,
    )


def parse_priority(text: str) -> Priority | None:
    """Return the priority that a phrase like "high" or "low priority" names, or None."""
    found = _PRIORITY.fullmatch(text.strip())
    if found is None:
        return None
    if found["marks"]:
        return "high"
    return _NUMBERED[found["number"]] if found["number"] else _LEVELS[(found["level"] or found["after"]).lower()]
