from datetime import date

import pytest

from todo_backend.phrases import describe_date, parse_date, parse_phrase, parse_priority

TODAY = date(2026, 11, 23)  # a Monday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-11-23"),
        ("Tomorrow", "2026-11-24"),
        ("day after tomorrow", "2026-11-25"),
        ("by friday", "2026-11-27"),
        ("monday", "2026-11-30"),  # never today
        ("on next tue", "2026-11-24"),
        ("in 3 days", "2026-11-26"),
        ("in two weeks", "2026-12-07"),
        ("in a week", "2026-11-30"),
        ("next week", "2026-11-30"),
        ("due 2027-02-28", "2027-02-28"),
        ("3 December", "2026-12-03"),
        ("jan 2nd", "2027-01-02"),
        ("23 november", "2026-11-23"),
    ],
)
def test_a_phrase_names_a_day(text, day):
    assert parse_date(text, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "31 april", "in 4000 days", "on", "0 may"])
def test_other_phrases_name_none(text):
    assert parse_date(text, TODAY) is None


def test_a_day_beyond_the_calendar_is_none():
    assert parse_date("in 999 weeks", date(9999, 1, 1)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("buy milk tomorrow, high", ("buy milk", "2026-11-24", "high", [])),
        ("buy milk, high, tomorrow", ("buy milk", "2026-11-24", "high", [])),
        ("call Mia by Friday with low priority #family #Phone", ("call Mia", "2026-11-27", "low", ["family", "Phone"])),
        ("pay rent in 3 days, urgent!", ("pay rent", "2026-11-26", "high", [])),
        ("aim high", ("aim high", None, None, [])),
        ("Read about today's news", ("Read about today's news", None, None, [])),
        ("C# course", ("C# course", None, None, [])),
        ("file taxes 2026-02-30", ("file taxes 2026-02-30", None, None, [])),
        ("tomorrow", ("tomorrow", None, None, [])),
    ],
)
def test_marks_at_the_end_leave_the_title(text, expected):
    phrase = parse_phrase(text, TODAY)
    assert (phrase.title, phrase.due_date and phrase.due_date.isoformat(), phrase.priority, phrase.tags) == expected


@pytest.mark.parametrize(
    ("text", "level"), [("High", "high"), ("top priority", "high"), ("medium prio", "normal"), ("x", None)]
)
def test_words_name_a_priority(text, level):
    assert parse_priority(text) == level


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-11-22", "yesterday"),
        ("2026-11-23", "today"),
        ("2026-11-24", "tomorrow"),
        ("2026-11-25", "Wed 25 Nov"),
        ("2026-08-03", "Mon 3 Aug"),
        ("2027-01-08", "Fri 8 Jan"),
        ("2027-11-25", "25 Nov 2027"),
        ("2025-11-25", "25 Nov 2025"),
    ],
)
def test_a_day_is_said_as_a_person_would(day: str, words: str):
    assert describe_date(date.fromisoformat(day), TODAY) == words
