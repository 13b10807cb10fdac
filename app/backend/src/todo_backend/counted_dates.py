"""Days that are counted from a todo: "the day before the flight" is one for a todo called flight that is due."""

import re
from datetime import date, datetime, time, timedelta

from todo_backend.date_words import days_of
from todo_backend.dates import find_dates
from todo_backend.references import LONGEST, Turn, content, everything
from todo_backend.replies import Todo

_COUNTED = re.compile(
    r"\b(?:on )?(?:(?:the|an?|one|(?P<count>\d{1,2}|two|three|four|five|six|seven|ten)) )?(?P<unit>day|week|hour|minute|min)s? (?P<side>before|after)"
    r" (?:the |my )?(?P<rest>\w.*)",
    re.IGNORECASE,
)
_MOST_WORDS = 5  # of a todo's name


async def with_day_of_todo(turn: Turn, text: str) -> str:
    """Say "the day before the flight" as a date, where one open todo is called so and is due."""
    found = _COUNTED.search(text) if len(text) <= LONGEST else None
    if found is None or any(span.start == 0 for span in find_dates(found["rest"], turn.now)):
        return text
    todos = [todo for todo in await everything(turn, "open") if todo["due_date"]]
    words = found["rest"].split()
    for number in range(min(len(words), _MOST_WORDS), 0, -1):
        name = " ".join(words[:number]).rstrip(" ?.!,:")
        if len(named := _called(todos, name)) == 1:
            after = found["rest"][len(" ".join(words[:number])) :]
            moment = _counted(named[0], found.groupdict())
            return f"{text[: found.start()]}{moment}{after}" if moment else text
    return text


def _counted(todo: Todo, counted: dict[str, str]) -> str:
    """Return the date, or the date and time, so many days or hours from when a todo is due; hours need a time."""
    due = date.fromisoformat(todo["due_date"])
    if counted["unit"].lower() in ("day", "week"):
        return (due + timedelta(days=days_of(counted))).isoformat()
    if not todo["due_time"]:
        return ""
    step = timedelta(hours=1) if counted["unit"].lower() == "hour" else timedelta(minutes=1)
    moment = datetime.combine(due, time.fromisoformat(todo["due_time"])) + step * days_of(counted | {"unit": "day"})
    return f"{moment:%Y-%m-%d} at {moment:%H:%M}"


def _called(todos: list[Todo], name: str) -> list[Todo]:
    said = content(name)
    return [todo for todo in todos if said and said <= content(todo["title"])]
