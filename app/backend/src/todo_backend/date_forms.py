"""The forms that a date or a time takes in a text, and what each means, in English, German, Spanish, French and Urdu.

Which words are weekdays, months and "in 3 days" in which language is dateparser's knowledge. What "next week" or "the
15th" mean for a todo is decided here.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from todo_backend import date_words as words

_LANGUAGES = ("en", "de", "es", "fr", "ur")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


@dataclass(frozen=True)
class When:
    """A day, a time or both; `first` and `last` are the days that a phrase like "this week" spans.

    Neither day nor time: there is no such day ("2026-02-30"). `repeats` is for "every monday", with the first day.
    """

    day: date | None = None
    clock: time | None = None
    first: date | None = None
    last: date | None = None
    repeats: bool = False
    said_day: bool = True  # a time alone has its day from the clock
    is_vague: bool = False  # a time of either half of the day: "7:30"
    is_part: bool = False  # the time is that of "evening" or "tonight", and an exact one says more

    @property
    def exists(self) -> bool:
        """Tell whether there is such a day or time."""
        return self.day is not None or self.clock is not None


@dataclass(frozen=True)
class _Library:
    parser: Any
    names: dict[str, int]  # of weekdays, as 0 to 6, and of months, as 101 to 112
    forms: tuple[tuple[re.Pattern[str], Callable[["re.Match[str]", datetime], When | None], bool], ...]


@cache
def load() -> _Library:
    """Load dateparser and what it knows of our languages."""
    from dateparser.date import DateDataParser

    names: dict[str, int] = {}
    for language in _LANGUAGES:
        info = importlib.import_module(f"dateparser.data.date_translation_data.{language}").info
        for number, key in [*enumerate(_WEEKDAYS), *enumerate(_MONTHS, 101)]:
            for name in info[key]:
                if len(name) > 3 or (language == "ur" and name != "ہفتہ") or (language == "en" and len(name) == 3):
                    names.setdefault(name.lower(), number)
    names |= {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "weds": 2, "thur": 3, "thurs": 3, "sept": 109, "sonnabend": 5,
              "jumma": 4, "juma": 4, "jumerat": 3, "itwar": 6, "mangal": 1, "budh": 2}  # fmt: skip
    parser = DateDataParser(languages=list(_LANGUAGES), use_given_order=True)
    return _Library(parser, names, tuple(_forms(names)))


def _one(day: date) -> When:
    return When(day=day, first=day, last=day)


def _range(day: date, first: date, last: date) -> When:
    return When(day=day, first=first, last=last)


@dataclass(frozen=True)
class _Named:
    """What a match of a form means that names a weekday or a month, whose numbers are those of `_Library.names`."""

    names: dict[str, int]

    def month_of(self, found: "re.Match[str]") -> int:
        return self.names[found["month"].lower()] - 100

    def named(self, found: "re.Match[str]", now: datetime) -> When:
        year = found.groupdict().get("year")
        return _one(
            _day_month(words.day_number(found["day"]), self.month_of(found), _year(year) if year else None, now.date())
        )

    def weekday_of(self, found: "re.Match[str]", now: datetime) -> When:
        groups = found.groupdict()
        name = (groups["weekday"] or groups["weekday_"]).lower()
        ahead = (self.names[name] - now.weekday() - 1) % 7 + 1
        return _one(now.date() + timedelta(days=ahead))

    def weekday_and_day(self, found: "re.Match[str]", now: datetime) -> When | None:
        when = _day_of_month(found, now)
        return when if when.day and when.day.weekday() == self.names[found["name"].lower()] else None

    def week_after(self, found: "re.Match[str]", now: datetime) -> When:
        return _one((self.weekday_of(found, now).day or now.date()) + timedelta(days=7))

    def every(self, found: "re.Match[str]", now: datetime) -> When:
        groups = {"part": "", **found.groupdict()}
        name = next(filter(None, map(groups.get, ("unit", "plural", "habit")))).lower()
        singular = name[:-1] if name not in self.names and name.endswith("s") else name
        if singular in self.names and self.names[singular] < 7:
            day = now.date() + timedelta(days=(self.names[singular] - now.weekday() - 1) % 7 + 1)
        else:
            day = now.date() + timedelta(days=1 if now.hour >= 20 else 0)
        clock = words.part_of_day((groups["part"] or "").removesuffix("s"))
        return replace(_one(day), clock=clock, is_part=clock is not None, repeats=True)

    def edge_of_month(self, found: "re.Match[str]", now: datetime) -> When:
        first = _day_month(1, self.month_of(found), None, now.date().replace(day=1))
        return _one(words.month_end(first) if words.is_end(found["edge"]) else first)

    def weekday_of_month(self, found: "re.Match[str]", now: datetime) -> When:
        month = self.month_of(found) if found["month"] else None
        first = now.date().replace(day=1)
        if words.key(found["span"] or "") == "next month":
            first = words.month_end(first) + timedelta(days=1)
        while True:
            day = words.nth_weekday(first, self.names[found["weekday"].lower()], found["nth"].lower())
            if first.month == (month or first.month) and day >= now.date():
                return _one(day)
            first = words.month_end(first) + timedelta(days=1)

    def whole_month(self, found: "re.Match[str]", now: datetime) -> When:
        year = found["year"]
        first = (
            date(int(year), self.month_of(found), 1)
            if year
            else _day_month(1, self.month_of(found), None, now.date().replace(day=1))
        )
        return _range(max(first, now.date()), first, words.month_end(first))


def _forms(
    names: dict[str, int],
) -> Iterator[tuple[re.Pattern[str], Callable[["re.Match[str]", datetime], When | None], bool]]:
    weekday = "|".join(sorted((re.escape(n) for n, v in names.items() if v < 7), key=len, reverse=True))
    month = "|".join(sorted((re.escape(n) for n, v in names.items() if v > 100), key=len, reverse=True))

    say = _Named(names)

    def form(pattern: str, meaning: Callable[["re.Match[str]", datetime], When | None], *, sure: bool = True) -> Any:
        full = pattern.replace("WEEKDAY", f"(?:{weekday})").replace("MONTH", f"(?:{month})")
        return re.compile(rf"(?<![\w/.#-])(?:{full})(?!\w|['\u2019]s\b|-\w)", re.IGNORECASE), meaning, sure

    more_days = r"(?:\s*(?:,|and|&|or|und|y|et)\s*(?:on\s+)?WEEKDAYs?)*"
    yield form(
        rf"(?:on\s+)?(?:the\s+)?(?P<day>{words.ORDINAL}|\d{{1,2}}(?:st|nd|rd|th))(?:\s+day)?\s+of\s+(?:every|each)\s+month",
        _day_of_each_month,
    )
    yield form(
        rf"(?:{words.EVERY})\s+(?P<unit>WEEKDAYs?|{words.EVERY_UNIT}){more_days}(?P<part>\s+(?:{words.PART_PATTERN})s?)?|on\s+(?:(?P<plural>WEEKDAYs){more_days}|(?P<habit>WEEKDAY)\s+(?:mornings|afternoons|evenings|nights))",
        say.every,
    )
    yield form(rf"(?P<unit>{words.ADVERBS})(?=\s*(?:$|[,.;!)#]|at\b|to\b))", say.every)
    yield form(
        r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
        lambda f, _: _one(date(int(f["y"]), int(f["m"]), int(f["d"]))),
    )
    yield form(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4}|\d{2})?", _dotted, sure=False)
    yield form(r"(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<y>\d{4}|\d{2}))?", _slashed, sure=False)
    yield form(r"(?P<d>\d{1,2})-(?P<m>\d{1,2})-(?P<y>\d{4})", _dotted, sure=False)
    yield form(
        r"(?:the\s+)?(?P<nth>first|second|third|fourth|last)\s+(?P<weekday>WEEKDAY)\s+(?:of|in)\s+(?:(?P<month>MONTH)|(?P<span>(?:next|this|the)\s+month))",
        say.weekday_of_month,
    )
    yield form(
        rf"(?:WEEKDAY,?\s+)?(?:the\s+)?(?P<day>{words.ORDINAL})\s+(?:of\s+)(?P<month>MONTH)(?:,?\s+(?P<year>\d{{4}}))?",
        say.named,
    )
    yield form(rf"(?P<month>MONTH)\s+(?:the\s+)?(?P<day>{words.ORDINAL})", say.named, sure=False)
    yield form(
        rf"(?:on|by|due|until|till|for|before)\s+the\s+(?P<day>{words.ORDINAL})(?=\s*(?:$|[,.;!?)]|(?:at|by|with|to|in|and|of\s+the\s+month|ideally|preferably|latest)\b|#))",
        _day_of_month,
        sure=False,
    )
    yield form(rf"(?P<edge>{words.EDGES})\s+(?P<month>MONTH)", say.edge_of_month)
    yield form(
        r"(?:before|by|until|till)\s+(?P<month>MONTH)(?!\.?\s*(?:the\s+)?\d)(?P<edge>)",
        say.edge_of_month,
    )
    yield form(
        rf"(?:{words.IN})\s+(?P<month>MONTH)(?!\.?\s*\d{{1,2}}(?:st|nd|rd|th)?\b(?!\d))(?:\s+(?P<year>\d{{4}}))?",
        say.whole_month,
    )
    yield form(rf"(?P<name>{words.HOLIDAY_PATTERN})", _holiday)
    yield form(
        r"(?:WEEKDAY,?\s+)?(?:the\s+|der\s+|den\s+|el\s+|le\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º)?\s+(?:of\s+|de\s+|d['\u2019])?(?P<month>MONTH)\.?"
        r"(?:,?\s+(?:de\s+|del\s+)?(?P<year>\d{4}))?", say.named,
    )  # fmt: skip
    yield form(
        r"(?P<month>MONTH)\.?\s+(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)?(?!\s*(?:am|pm|:|uhr))(?:,?\s+(?P<year>\d{4}))?",
        say.named,
    )
    yield form(rf"(?P<words>{words.RELATIVE})", _library_relative)
    yield form(rf"(?P<words>{words.SPAN_PATTERN})", _named_span)
    yield form(rf"(?P<words>{words.TODAY_PATTERN})(?P<part>\s+(?:{words.PART_PATTERN}))?", _named_day)
    yield form(
        r"(?:on|by|until|before|for|due)\s+(?P<name>WEEKDAY),?\s+(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)",
        say.weekday_and_day,
    )
    yield form(r"(?P<name>WEEKDAY)\s+(?:the\s+)?(?P<day>1[3-9]|2\d|3[01])(?=\s*(?:$|[,;!?)#]))", say.weekday_and_day)
    yield form(
        r"(?:a|one)\s+week\s+(?:from|on)\s+(?:next\s+)?(?P<weekday>WEEKDAY)|(?P<weekday_>WEEKDAY)\s+week(?!\s*end)",
        say.week_after,
    )
    yield form(
        rf"(?:{words.NEXT}\s+(?P<weekday>WEEKDAY)|(?P<weekday_>WEEKDAY)\s+(?:{words.NEXT_AFTER}))(?P<part>\s+(?:{words.PART_PATTERN}))?",
        _with_part(say.weekday_of),
    )
    yield form(
        rf"(?P<weekday>WEEKDAY)(?P<part>\s+(?:{words.PART_PATTERN}))?(?!\s+the\s+\d)",
        _with_part(say.weekday_of),
        sure=False,
    )
    yield form(
        r"(?:on\s+)?(?:the|am|el|le)\s+(?P<day>\d{1,2})(?:st|nd|rd|th)(?=\s*(?:$|[,.;!?)]|(?:at|by|with|for|to|in|instead|ideally|preferably|latest)\b|#))",
        _day_of_month,
        sure=False,
    )
    yield form(words.CLOCK, _clock)


def _with_part(meaning: Callable[["re.Match[str]", datetime], When]) -> Callable[["re.Match[str]", datetime], When]:
    return lambda found, now: replace(
        meaning(found, now), clock=words.part_of_day(found["part"]), is_part=bool(found["part"])
    )


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


def _day_month(day: int, month: int, year: int | None, today: date) -> date:
    """Return the day; without a year the next one from today on.

    Raises:
        ValueError: there is no such day.
    """
    if year is not None:
        return date(year, month, day)
    for candidate in range(today.year, today.year + 9):
        if (month, day) == (2, 29) and not words.is_leap(candidate):
            continue
        if (found := date(candidate, month, day)) >= today:
            return found
    raise ValueError("no such day")


def _dotted(found: "re.Match[str]", now: datetime) -> When:
    year = found["y"]
    return _one(_day_month(int(found["d"]), int(found["m"]), _year(year) if year else None, now.date()))


def _slashed(found: "re.Match[str]", now: datetime) -> When | None:
    if found[0] in ("24/7", "50/50"):
        return None
    month, day = int(found["a"]), int(found["b"])
    if month > 12:
        month, day = day, month
    if not found["y"] and (month == 0 or day == 0 or month > 12):  # "24/7"
        return None
    return _one(_day_month(day, month, _year(found["y"]) if found["y"] else None, now.date()))


def _day_of_month(found: "re.Match[str]", now: datetime) -> When:
    return _next_of_month(words.day_number(found["day"]), now)


def _next_of_month(number: int, now: datetime) -> When:
    today = now.date()
    if not 1 <= number <= 31:
        raise ValueError("no such day")
    first = today.replace(day=1)
    while True:
        if first.replace(day=1) and number <= words.month_end(first).day and first.replace(day=number) >= today:
            return _one(first.replace(day=number))
        first = words.month_end(first) + timedelta(days=1)


def _day_of_each_month(found: "re.Match[str]", now: datetime) -> When:
    day = re.sub(r"(?<=\d)\D+", "", found["day"])
    return replace(_next_of_month(words.day_number(day), now), repeats=True)


def _library_relative(found: "re.Match[str]", now: datetime) -> When | None:
    text = words.plain_relative(found["words"])
    base = now.replace(tzinfo=None)
    settings = {"RELATIVE_BASE": base, "PARSERS": ["relative-time"], "PREFER_DATES_FROM": "future"}
    import dateparser

    told = dateparser.parse(text, languages=list(_LANGUAGES), settings=settings)
    if told is None:
        return None
    has_time = words.has_clock_unit(text)
    when = _one(told.date())
    return replace(when, clock=told.time().replace(second=0, microsecond=0)) if has_time else when


def _named_day(found: "re.Match[str]", now: datetime) -> When:
    offset, clock = words.TODAY[words.key(found["words"])]
    when = _one(now.date() + timedelta(days=offset))
    clock = words.part_of_day(found["part"]) or clock
    return replace(when, clock=clock, is_part=clock is not None)


def _holiday(found: "re.Match[str]", now: datetime) -> When | None:
    """A holiday is a date when a word leads to it; "christmas shopping" is a title."""
    before, name = found.string[: found.start()], words.key(found["name"])
    is_day = name.endswith((" eve", " day")) and re.search(r"\bfor\s+$", before, re.IGNORECASE)
    if not (is_day or words.HOLIDAY_LEADS.search(before)):
        return None
    month, day = words.HOLIDAYS[name]
    return _one(_day_month(day, month, None, now.date()))


def _named_span(found: "re.Match[str]", now: datetime) -> When:
    return _range(*words.span_of(found["words"], now.date()))


def _is_hour_of_day(found: "re.Match[str]", now: datetime) -> bool:
    """Tell whether a number alone is an hour: that of "friday 7", but not of "friday 4" when the 4th is a friday."""
    said, number = words.key(found.string[: found.start()]).split(), int(found["h10"])
    weekday = load().names.get(said[-1], 7)
    if not 1 <= number <= 12 or (weekday >= 7 and said[-1] not in words.TODAY):
        return False
    day = _next_of_month(number, now).day
    return weekday >= 7 or day is None or day.weekday() != weekday


def _clock(found: "re.Match[str]", now: datetime) -> When | None:
    if found["h10"] and not _is_hour_of_day(found, now):
        return None
    clock = words.clock_of(found.groupdict(), found.string)
    if clock is None and found["h1"] and found[0].lower().startswith(("at", "@", "um", "a la")):
        return When()  # "at 25:00"
    return None if clock is None else When(clock=clock, is_vague=words.is_vague(found.groupdict()))
