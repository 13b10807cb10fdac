"""Days that are counted from a todo: "the day before the flight" is one for a todo called flight that is due."""

import re
from dataclasses import replace
from datetime import date, timedelta

from todo_backend.date_words import days_of
from todo_backend.dates import find_dates
from todo_backend.references import LONGEST, Turn, content, everything
from todo_backend.replies import Todo

_COUNTED = re.compile(
    r"\b(?:on )?(?:(?:the|an?|one|(?P<count>\d{1,2}|two|three|four|five|six|seven|ten)) )?(?P<unit>day|week)s? (?P<side>before|after)"
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
            day = date.fromisoformat(named[0]["due_date"]) + timedelta(days=days_of(found.groupdict()))
            after = found["rest"][len(" ".join(words[:number])) :]
            return f"{text[: found.start()]}{day.isoformat()}{after}"
    return text


def _called(todos: list[Todo], name: str) -> list[Todo]:
    said = content(name)
    return [todo for todo in todos if said and said <= content(todo["title"])]


def asked(turn: Turn, text: str) -> Turn:
    """Return the turn of a message that says the same in other words."""
    said = turn.dialogue.utterances
    return replace(turn, dialogue=replace(turn.dialogue, utterances=[*said[:-1], replace(said[-1], text=text)]))
