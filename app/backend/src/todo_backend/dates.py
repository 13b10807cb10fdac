"""Find the dates and times in a text: neighbours like "friday at 5pm" are one, and a correction counts.

The library that knows the words of dates costs half a second and 25 MB, so it is loaded with the first phrase; call
`load` in a thread before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from todo_backend import date_words as words
from todo_backend.date_forms import When, load

__all__ = ["Span", "When", "find_dates", "is_month", "load", "parse_when", "without_dates"]

_URL = re.compile(r"\b(?:[a-z][a-z+.-]*://|www\.)\S+", re.IGNORECASE)  # what stands in it is no date


@dataclass(frozen=True)
class Span:
    """Where in a text a date stands, with the words that lead to it ("by", "on the")."""

    start: int
    end: int
    when: When
    leads: bool  # begins with such a word
    sure: bool  # could hardly mean anything else: "tomorrow", but not "sunday" or "12/31"
    instead: bool = False  # of another, which was named after it: "tuesday, not monday"


def find_dates(text: str, now: datetime) -> list[Span]:
    """Return the dates and times in a text, from left to right; neighbours like "friday at 5pm" are one."""
    text = words.correct(_URL.sub(lambda found: "x" * len(found[0]), text))
    atoms = sorted(_atoms(text, now), key=lambda span: span.start)
    joined: list[Span] = []
    for atom in atoms:
        last = joined[-1] if joined else None
        between = text[last.end : atom.start] if last else ""
        if last and words.GLUE.fullmatch(between) and (both := _join(last.when, atom.when)):
            joined[-1] = Span(last.start, atom.end, both, last.leads, last.sure or atom.sure)
        elif last and words.INSTEAD_OF.fullmatch(between):
            joined[-1] = replace(last, end=atom.end, instead=True)
        elif last and words.CORRECTION.fullmatch(between):
            joined[-1] = Span(last.start, atom.end, _correct(last.when, atom.when), last.leads, last.sure or atom.sure)
        else:
            joined.append(atom)
    return [_with_lead(text, _without_old_hour(text, replace(span, when=_settle(span.when, now)))) for span in joined]


def is_month(word: str) -> bool:
    """Tell whether a word is the name of a month."""
    return load().names.get(word.lower(), 0) > 100


def without_dates(text: str, now: datetime) -> str:
    """Return a text without its dates and times."""
    for span in reversed(find_dates(text, now)):
        text = f"{text[: span.start]} {text[span.end :]}"
    return " ".join(text.split())


def parse_when(text: str, now: datetime) -> When | None:
    """Return what a text means that is a date or a time and nothing else; None when it is not."""
    text = text.strip("\"'“”,!?() ")
    for said in (text, text.rstrip(".")):  # "31.12." ends with a dot of its own
        spans = find_dates(said, now)
        if len(spans) == 1 and spans[0].start == 0 and spans[0].end == len(said):
            return spans[0].when
    return None


def _atoms(text: str, now: datetime) -> Iterator[Span]:
    taken = [False] * len(text)
    for pattern, meaning, sure in load().forms:
        for found in pattern.finditer(text):
            start, end = found.span()
            if start == end or any(taken[start:end]):
                continue
            try:
                when = meaning(found, now)
            except (ValueError, OverflowError):
                when = When()
            if when is None:
                continue
            while text[end : end + 1] == words.PAD:
                end += 1
            taken[start:end] = [True] * (end - start)
            yield _moved(text, Span(start, end, when, False, sure), now)


def _moved(text: str, span: Span, now: datetime) -> Span:
    """Return the day that "3 days before" or "the day after" counts from the one that follows."""
    found = words.COUNTED_FROM.search(text[: span.start])
    if not found or not span.when.day:
        return span
    day = span.when.day + timedelta(days=words.days_of(found.groupdict()))
    return (
        replace(span, start=found.start(), when=When(day=day, first=day, last=day), sure=True)
        if day >= now.date()
        else span
    )


def _join(one: When, two: When) -> When | None:
    if not (one.exists and two.exists):
        return None
    if (
        one.clock
        and two.clock
        and one.is_part != two.is_part
        and not (one.said_day and two.said_day and one.day and two.day)
    ):
        part, exact = (one, two) if one.is_part else (two, one)  # "at 9 tonight"
        return replace(part if part.day else exact, clock=_on_that_side(exact.clock, part.clock), is_part=False)
    if one.day and two.clock and not two.day and not one.clock:
        return replace(one, clock=two.clock, is_vague=two.is_vague)
    if two.day and one.clock and not one.day and not two.clock:
        return replace(two, clock=one.clock, is_vague=one.is_vague)
    if one.day and two.day and one.day.weekday() == two.day.weekday() and not (one.clock and two.clock):
        later = two if two.day > one.day else one  # "Tuesday, December 15": the weekday alone would be the next one
        return replace(later, clock=one.clock or two.clock)
    return _day_of_span(one, two) or _day_of_span(two, one)


def _day_of_span(span: When, weekday: When) -> When | None:
    """Return the thursday of "next week thursday"."""
    is_span = span.first and span.last and span.first < span.last <= span.first + timedelta(days=6)
    if not is_span or not weekday.day or weekday.first != weekday.last or span.clock or span.first is None:
        return None
    day = span.first + timedelta(days=(weekday.day.weekday() - span.first.weekday()) % 7)
    return replace(weekday, day=day, first=day, last=day) if span.last and day <= span.last else None


def _correct(one: When, two: When) -> When:
    """Return what "monday at 3, no, at 4" means in the end."""
    return replace(one, clock=two.clock) if two.day is None else replace(two, clock=two.clock or one.clock)


def _on_that_side(exact: time | None, part: time | None) -> time | None:
    """Return nine in the evening for "9" and "evening"."""
    is_late = part is not None and part.hour >= 12
    return exact.replace(hour=exact.hour + 12) if exact and is_late and 1 <= exact.hour < 12 else exact


def _settle(when: When, now: datetime) -> When:
    """Give a time alone its day: today, or tomorrow when it is past; "at 8 today" is still to come."""
    if when.is_vague and when.clock and when.day == now.date() and when.clock <= now.time() and when.clock.hour < 12:
        return replace(when, clock=when.clock.replace(hour=when.clock.hour + 12))
    if when.clock == time(0) and when.day == now.date():
        midnight = now.date() + timedelta(days=1)  # that of "today at midnight" is still to come
        return replace(when, day=midnight, first=midnight, last=midnight)
    if when.clock is None or when.day is not None:
        return when
    day = now.date() if when.clock > now.time() else now.date() + timedelta(days=1)
    return replace(when, day=day, first=day, last=day, said_day=False)


def _without_old_hour(text: str, span: Span) -> Span:
    """Take "instead of 7" to the time before it: a number alone is no time."""
    found = words.INSTEAD_OF_HOUR.match(text[span.end :]) if span.when.clock else None
    return replace(span, end=span.end + found.end(), instead=True) if found else span


def _with_lead(text: str, span: Span) -> Span:
    found = words.LEAD.search(text[: span.start])
    trail = words.TRAIL.match(text[span.end :])
    end = span.end + trail.end() if trail else span.end
    return replace(span, start=found.start(), end=end, leads=True) if found else replace(span, end=end)
