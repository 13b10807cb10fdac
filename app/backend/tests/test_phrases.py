import time as time_module
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from todo_backend.dates import parse_when
from todo_backend.phrases import parse_phrase, parse_priority
from todo_backend.proposals import is_errand
from todo_backend.wording import Wording

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # a Monday
TODAY = NOW.date()


@pytest.mark.parametrize(
    ("text", "day", "clock"),
    [
        ("today", "2026-11-23", None),
        ("Tomorrow", "2026-11-24", None),
        ("day after tomorrow", "2026-11-25", None),
        ("by friday", "2026-11-27", None),
        ("monday", "2026-11-30", None),  # never today
        ("on next tue", "2026-11-24", None),
        ("in 3 days", "2026-11-26", None),
        ("in two weeks", "2026-12-07", None),
        ("in a week", "2026-11-30", None),
        ("in a couple of days", "2026-11-25", None),
        ("next week", "2026-11-30", None),
        ("due 2027-02-28", "2027-02-28", None),
        ("3 December", "2026-12-03", None),
        ("the 3rd of december", "2026-12-03", None),
        ("jan 2nd", "2027-01-02", None),
        ("Jan 2, 2028", "2028-01-02", None),
        ("23 november", "2026-11-23", None),
        ("29 feb", "2028-02-29", None),
        ("12/31", "2026-12-31", None),
        ("31/12/2026", "2026-12-31", None),
        ("31.12.", "2026-12-31", None),
        ("31.12.27", "2027-12-31", None),
        ("end of the month", "2026-11-30", None),
        ("end of next month", "2026-12-31", None),
        ("end of january", "2027-01-31", None),
        ("this weekend", "2026-11-28", None),
        ("friday at 5pm", "2026-11-27", "17:00"),
        ("5pm on friday", "2026-11-27", "17:00"),
        ("at 5", "2026-11-23", "17:00"),
        ("at 8am", "2026-11-24", "08:00"),  # past today
        ("12am", "2026-11-24", "00:00"),
        ("12pm", "2026-11-23", "12:00"),
        ("half past five", "2026-11-23", "17:30"),
        ("in 20 minutes", "2026-11-23", "10:20"),
        ("tomorrow morning", "2026-11-24", "09:00"),
        ("tonight", "2026-11-23", "20:00"),
        ("übermorgen um 17 Uhr", "2026-11-25", "17:00"),
        ("nächsten Freitag", "2026-11-27", None),
        ("in 3 Tagen", "2026-11-26", None),
        ("15. Dezember", "2026-12-15", None),
        ("pasado mañana", "2026-11-25", None),
        ("el viernes a las 5", "2026-11-27", "17:00"),
        ("15 de diciembre de 2027", "2027-12-15", None),
        ("dans 3 jours", "2026-11-26", None),
        ("vendredi prochain", "2026-11-27", None),
        ("demain à 17h30", "2026-11-24", "17:30"),
        ("کل", "2026-11-24", None),
        ("جمعہ", "2026-11-27", None),
        ("15 دسمبر", "2026-12-15", None),
        ("3 دن میں", "2026-11-26", None),
        ("tommorow", "2026-11-24", None),
        ("frday", "2026-11-27", None),
        ("on the fifth of december", "2026-12-05", None),
        ("the twenty-first of january", "2027-01-21", None),
        ("by the first", "2026-12-01", None),
        ("the last friday of january", "2027-01-29", None),
        ("second monday of next month", "2026-12-14", None),
        ("no later than jan 31", "2027-01-31", None),
        ("before the weekend", "2026-11-27", None),
        ("8pm instead of 7", "2026-11-23", "20:00"),
        ("tuesday, not wednesday", "2026-11-24", None),
        ("the day before new year's eve", "2026-12-30", None),
        ("two weeks after christmas", "2027-01-08", None),
        ("in two and a half hours", "2026-11-23", "12:30"),
        ("in a fortnight", "2026-12-07", None),
        ("tuesday the 8th of December", "2026-12-08", None),
        ("tomorrow eod", "2026-11-24", None),
        ("um halb drei", "2026-11-23", "14:30"),
        ("mañana a las ocho y media de la tarde", "2026-11-24", "20:30"),
        ("demain à 9 heures moins le quart", "2026-11-24", "08:45"),
        ("eod friday", "2026-11-27", None),
        ("tomorrow at 1400", "2026-11-24", "14:00"),
        ("tomorrow at 9.15", "2026-11-24", "09:15"),
        ("tomorrow 4ish", "2026-11-24", "16:00"),
        ("12 noon", "2026-11-23", "12:00"),
        ("friday at 3pm no wait at 4pm", "2026-11-27", "16:00"),
        ("monday, sorry, tuesday", "2026-11-24", None),
    ],
)
def test_a_phrase_names_a_day_and_a_time(text, day, clock):
    when = parse_when(text, NOW)
    assert when is not None
    assert (when.day, when.clock) == (date.fromisoformat(day), clock and time.fromisoformat(clock))


@pytest.mark.parametrize(
    "text", ["2026-02-30", "31 april", "0 may", "30.02.2027", "2/30/2027", "2026-13-01", "32nd of may"]
)
def test_a_day_that_does_not_exist_is_told_apart(text):
    when = parse_when(text, NOW)
    assert when is not None
    assert not when.exists


@pytest.mark.parametrize(
    "text",
    ["", "soon", "on", "milk", "2", "24/7", "the second", "may", "march", "monday's", "friday night lights", "1984"],
)
def test_other_phrases_name_none(text):
    assert parse_when(text, NOW) is None


def test_a_day_beyond_the_calendar_is_none():
    when = parse_when("in 999 weeks", datetime(9999, 1, 1, tzinfo=NOW.tzinfo))
    assert when is None or not when.exists


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("buy milk tomorrow, high", ("buy milk", "2026-11-24", "high", [])),
        ("buy milk, high, tomorrow", ("buy milk", "2026-11-24", "high", [])),
        ("call Mia by Friday with low priority #family #Phone", ("call Mia", "2026-11-27", "low", ["family", "Phone"])),
        ("pay rent in 3 days, urgent!", ("pay rent", "2026-11-26", "high", [])),
        ("write report tomorrow #work !high", ("write report", "2026-11-24", "high", ["work"])),
        ("pay rent friday #home high", ("pay rent", "2026-11-27", "high", ["home"])),
        ("file taxes, tag finance, high", ("file taxes", None, "high", ["finance"])),
        ("!high #work write report", ("write report", None, "high", ["work"])),
        ("urgent: fix server", ("fix server", None, "high", [])),
        ("tomorrow: pay rent", ("pay rent", "2026-11-24", None, [])),
        ("lunch on friday with Bob", ("lunch with Bob", "2026-11-27", None, [])),
        ("aim high", ("aim high", None, None, [])),
        ("Read about today's news", ("Read about today's news", None, None, [])),
        ("read the Sunday Times", ("read the Sunday Times", None, None, [])),
        ("watch Friday the 13th", ("watch Friday the 13th", None, None, [])),
        ("enjoy the sun", ("enjoy the sun", None, None, [])),
        ("C# course", ("C# course", None, None, [])),
        ("fix bug #123", ("fix bug #123", None, None, [])),
        ("file taxes 2026-02-30", ("file taxes 2026-02-30", None, None, [])),
        ("tomorrow", ("tomorrow", None, None, [])),
        ('"call mom tomorrow" on friday', ("call mom tomorrow", "2026-11-27", None, [])),
    ],
)
def test_marks_leave_the_title_as_a_whole_or_not_at_all(text, expected):
    phrase = parse_phrase(text, NOW)
    assert (phrase.title, phrase.due_date and phrase.due_date.isoformat(), phrase.priority, phrase.tags) == expected


@pytest.mark.parametrize(
    ("text", "level"),
    [("High", "high"), ("top priority", "high"), ("medium prio", "normal"), ("p4", "low"), ("!!", "high"), ("x", None)],
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
    assert Wording(TODAY).day(date.fromisoformat(day)) == words


@pytest.mark.parametrize(
    ("date_format", "near", "far"),
    [
        ("EEE d MMM", "Wed 25 Nov", "5 Nov 2027"),
        ("EEE, d MMM", "Wed, 25 Nov", "5 Nov 2027"),
        ("EEE, MMM d", "Wed, Nov 25", "Nov 5, 2027"),
    ],
)
def test_a_day_is_written_in_the_users_order(date_format, near: str, far: str):
    wording = Wording(TODAY, date_format=date_format)
    assert (wording.day(date(2026, 11, 25)), wording.day(date(2027, 11, 5))) == (near, far)


async def test_the_note_of_the_add_box_writes_a_day_as_the_user_does(client):
    first = datetime.now(UTC).date() + timedelta(days=3)

    async def note(**fields: str) -> str:
        words = {"text": f"water plants every {first:%A}", **fields}
        return (await client.post("/api/parse", json=words)).json()["note"]

    assert (await note()).endswith(f": {first:%a} {first.day} {first:%b}.")
    assert (await note(date_format="EEE, MMM d")).endswith(f": {first:%a, %b} {first.day}.")


async def test_the_add_box_is_parsed_by_the_same_parser(client):
    async def parse(text: str, **fields: object) -> dict:
        answer = await client.post("/api/parse", json={"text": text, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    said = await parse("write report in 3 days at 5pm #Work !high")
    assert (said["title"], said["due_time"], said["priority"], said["tags"], said["note"]) == (
        "write report",
        "17:00",
        "high",
        ["work"],
        None,
    )
    assert await parse("milk") == {
        "title": "milk",
        "due_date": None,
        "due_time": None,
        "priority": "normal",
        "tags": [],
        "note": None,
    }
    assert "cannot repeat" in (await parse("gym every monday"))["note"]
    assert "no such day" in (await parse("pay 2026-02-30"))["note"]
    days = [
        (await parse("x today", time_zone=zone))["due_date"] for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago")
    ]
    assert days[0] > days[1]  # 25 hours apart: never the same day
    assert (await client.get("/api/todos")).json()["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "x" * 501},
        {"text": "a\nb"},
        {"text": "x", "time_zone": "Mars/Base"},
        {"text": "x", "time_zone": ""},
        {"text": "x", "date_format": "d.M."},
    ],
)
async def test_a_wrong_text_to_parse_is_refused(client, body):
    assert (await client.post("/api/parse", json=body)).status_code == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"time_zone": "Mars/Base"},
        {"hour_cycle": "h11"},
        {"date_format": "d.M."},
        {"shown": ["x"]},
        {"shown": ["00000000-0000-0000-0000-000000000000"] * 201},
    ],
)
async def test_a_wrong_time_zone_clock_or_page_is_refused(client, fields):
    assert (await client.post("/api/chat", json={"message": "hi", **fields})).status_code == 422


@pytest.mark.parametrize("part", [", ", "tag ", "tags: a,", "in 3 days ", "#a ", "to ", "every monday ", "1.1."])
async def test_no_message_keeps_the_server_busy(client, part):
    """Each message is searched by many patterns; none may take time that grows faster than it is long."""
    started = time_module.process_time()
    for start in ("", "add ", "move x to ", "what's "):
        assert (
            await client.post("/api/chat", json={"message": (start + part * 2000)[:2000].strip() or "x"})
        ).status_code == 200
    assert time_module.process_time() - started < 5


def test_what_has_no_words_beside_its_fields_is_no_errand():
    assert not is_errand("")
    assert is_errand("buy milk")
