"""Understand the words of a todo: dates, priorities and tags at the end of a phrase."""

import calendar
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import cast

from todo_backend.schemas import Priority

_WEEKDAYS = [name.lower() for name in calendar.day_name]
_MONTHS = [name.lower() for name in calendar.month_name]
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_DAYS_IN = {"day": 1, "week": 7}
_NEAR_DAYS = 180

_LEAD = r"(?:(?:due|by|on|for|until|before|this)\s+)*"
_WEEKDAY = rf"(?:(?P<next>next)\s+)?(?P<weekday>{'|'.join(_WEEKDAYS)}|{'|'.join(day[:3] for day in _WEEKDAYS)})"
_IN = rf"in\s+(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+(?P<unit>day|week)s?"
_MONTH = "|".join([*_MONTHS[1:], *(month[:3] for month in _MONTHS[1:])])
_DAY_MONTH = rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})"
_MONTH_DAY = rf"(?P<month2>{_MONTH})\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"{_LEAD}(?:(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})|(?P<word>day after tomorrow|tomorrow|today|tonight|next week)"
    rf"|{_IN}|{_DAY_MONTH}|{_MONTH_DAY}|{_WEEKDAY})",
    re.IGNORECASE,
)
_PRIORITY_WORDS: dict[str, Priority] = {
    "high": "high",
    "urgent": "high",
    "important": "high",
    "top": "high",
    "low": "low",
    "normal": "normal",
    "medium": "normal",
}
_LEVEL = "|".join(_PRIORITY_WORDS)
_PRIORITY = re.compile(rf"(?:with\s+)?(?P<level>{_LEVEL})(?:[\s-]+prio(?:rity)?)?", re.IGNORECASE)
# A level alone is a priority only after a comma, so that "aim high" stays a title.
_PRIORITY_AT_END = re.compile(
    rf"(?:,\s*(?:with\s+)?(?P<alone>{_LEVEL})|\s+(?:with\s+)?(?P<named>{_LEVEL})[\s-]+prio(?:rity)?"
    rf"|[,\s]+prio(?:rity)?\s*:?\s*(?P<after>{_LEVEL}))$",
    re.IGNORECASE,
)
_TAG_AT_END = re.compile(r"\s+#(?P<tag>[^\s,#]{1,40})$")
_DATE_AT_END = re.compile(rf"[,\s]+(?P<phrase>{re.sub(r'[?]P<[a-z0-9]+>', '?:', _DATE.pattern)})$", re.IGNORECASE)


@dataclass
class Phrase:
    """A title, and what was said about it after it."""

    title: str
    due_date: date | None = None
    priority: Priority | None = None
    tags: list[str] = field(default_factory=list)


def parse_phrase(text: str, today: date) -> Phrase:
    """Split "buy milk tomorrow, high #shop" into title, date, priority and tags; what is not understood stays title."""
    phrase = Phrase(text.strip().rstrip(".!"))
    while _take_last(phrase, today):
        phrase.title = phrase.title.rstrip(" ,;.!")
    return phrase


def _take_last(phrase: Phrase, today: date) -> bool:
    """Move one mark from the end of the title to its field; tell whether there was one."""
    if found := _TAG_AT_END.search(phrase.title):
        phrase.tags.insert(0, found["tag"])
    elif phrase.priority is None and (found := _PRIORITY_AT_END.search(phrase.title)):
        phrase.priority = parse_priority(next(filter(None, found.groups())))
    elif phrase.due_date is None and (found := _DATE_AT_END.search(phrase.title)):
        phrase.due_date = parse_date(found["phrase"], today)
        if phrase.due_date is None:
            return False
    else:
        return False
    phrase.title = phrase.title[: found.start()]
    return True


def parse_priority(text: str) -> Priority | None:
    """Return the priority that a phrase like "high" or "low priority" names, or None."""
    found = _PRIORITY.fullmatch(text.strip())
    return _PRIORITY_WORDS[found["level"].lower()] if found else None


def parse_date(text: str, today: date) -> date | None:
    """Return the day that a phrase like "tomorrow", "next friday" or "3 may" names, or None.

    A weekday is the next one, never today; a day and month without a year is the next such day, today included.
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return _day(cast(dict[str, str | None], found.groupdict()), today)
    except (ValueError, OverflowError):  # 2026-02-30, 31 april, the year 10000
        return None


def _day(said: dict[str, str | None], today: date) -> date:
    if iso := said["iso"]:
        return date.fromisoformat(iso)
    if word := said["word"]:
        days = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2, "next week": 7}
        return today + timedelta(days=days[word.lower()])
    if (count := said["count"]) and (unit := said["unit"]):
        number = int(count) if count.isdigit() else _NUMBERS[count.lower()]
        return today + timedelta(days=number * _DAYS_IN[unit.lower()])
    if weekday := said["weekday"]:
        wanted = [day[:3] for day in _WEEKDAYS].index(weekday[:3].lower())
        return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)
    month = (said["month"] or said["month2"] or "")[:3].lower()
    number = int(said["day"] or said["day2"] or "0")
    this_year = date(today.year, [name[:3] for name in _MONTHS].index(month), number)
    return this_year if this_year >= today else this_year.replace(year=today.year + 1)


def describe_date(day: date, today: date) -> str:
    """Return a date as a person would say it; with the weekday when it is near, with the year when it is not."""
    distance = (day - today).days
    if name := {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(distance):
        return name
    return f"{day:%a} {day.day} {day:%b}" if abs(distance) < _NEAR_DAYS else f"{day.day} {day:%b %Y}"
