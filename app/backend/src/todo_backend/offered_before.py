"""What is added that was asked about before: "yes please, add the lunch with Sarah", some answers later."""

import re
from collections.abc import Iterator
from dataclasses import replace

from todo_backend.dates import find_dates
from todo_backend.intents import Request, understand
from todo_backend.phrases import Phrase, parse_phrase
from todo_backend.references import IT, Turn, content
from todo_backend.replies import UnclearError
from todo_backend.rules_add import add_message
from todo_backend.small_talk import is_talk
from todo_backend.spoken_fields import split_fields

_REMEMBERED = 4  # answers: what was asked about longer ago is no more what "the lunch" means
_DEFINITE = re.compile(r"(?:the|that|this|my)\s+(?=\S)", re.IGNORECASE)
_ADD_IT = re.compile(r"\b(?:add|put|note|write) (?:it|that|this)\b", re.IGNORECASE)
_YES_THE = re.compile(r"(?:yes|yeah|yep|sure)(?: please)?,? (?P<what>(?:the|that|my) .+)", re.IGNORECASE)
_OFFERS = re.compile(r"\bShall I add “")


def with_what_was_offered(turn: Turn, request: Request) -> Request:
    """Return an addition with the day, time, priority and tags of the earlier question about the same todo.

    What is said now counts more. "Add the lunch" names it; without "the" it takes every word of the title.

    Raises:
        UnclearError: "add it" is said, and nothing was asked about.
    """
    if request.kind == "unknown" and (found := _YES_THE.fullmatch(request.words)):
        again = with_what_was_offered(turn, Request("add", {"what": found["what"]}, request.words))
        return again if again.words != request.words else request
    if request.kind != "add":
        return request
    what, note = split_fields(request.said["what"], turn.now)
    if what.startswith('"'):  # a button's, or said in full
        return request
    if _ADD_IT.search(request.words) and is_talk(what):  # "yes please add it"
        what = "it"
    bare = _DEFINITE.sub("", what, count=1)
    now = parse_phrase(bare, turn.now)
    for offered in _offers(turn):
        own, said = content(offered.title), content(now.title)
        is_same = said == own or (_DEFINITE.match(what) is not None and bool(said) and said < own)
        if IT.fullmatch(now.title) or is_same:
            merged = add_message(_merged(turn, offered, now, bare)).removeprefix("add ")
            merged += f", note: {note}" if note else ""
            return replace(request, said={"what": merged}, words=f"add {merged}")
    if what == "it":
        raise UnclearError("What shall I add?")
    return request


def _offers(turn: Turn) -> Iterator[Phrase]:
    """Return what the last answers asked to add and did not, the latest first."""
    answers = [each for each in turn.dialogue.utterances if each.role == "assistant"][-_REMEMBERED:]
    for number, answer in reversed(list(enumerate(answers))):
        asked = understand(answer.choices[0].message) if _OFFERS.search(answer.text) and answer.choices else None
        if asked is None or asked.kind != "add":
            continue
        phrase = parse_phrase(asked.said["what"], turn.now)
        if not any(f"Added “{phrase.title}”" in later.text for later in answers[number + 1 :]):
            yield phrase


def _merged(turn: Turn, offered: Phrase, now: Phrase, said: str) -> Phrase:
    """Return the todo that was offered, with what is said of it now in its place."""
    says_day = any(span.when.said_day for span in find_dates(said, turn.now))
    return replace(
        offered,
        due_date=now.due_date if says_day or not offered.due_date else offered.due_date,
        due_time=now.due_time or offered.due_time,
        priority=now.priority or offered.priority,
        tags=now.tags or offered.tags,
    )
