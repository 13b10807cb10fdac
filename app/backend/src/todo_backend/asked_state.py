"""Whether something is done, answered with yes or no: "did I already pay the rent?", "is the report done?"."""

import re

from todo_backend.dates import find_dates
from todo_backend.references import Turn
from todo_backend.replies import Reply, Todo, choice, describe, due, quote
from todo_backend.stems import is_past

_DID = re.compile(
    r"(?:so |and |but |wait,? )*(?:did|have|had|haven't|didn't) (?:i|we)\b"
    r"(?! (?:already |just |ever |not )?(?:add|put|note|write down|list|delete|remove|forget|forgotten|miss|missed|got|to)\b)|(?:done|finished|completed) \w",
    re.IGNORECASE,
)
_ADDED = re.compile(
    r"(?:did|have) (?:i|we|you) (?:already |just |ever )?(?:add|added) ",
    re.IGNORECASE,
)
_IS = re.compile(
    r"(?:so |and |but |wait,? )*(?:(?:is|are|was|were|has|have) .+?(?: been)?|did .+? (?:get|got)) (?P<state>[\w-]+)(?: (?:up|out|off|in|down|back|away))?(?: (?:yet|already|now|or not|today|by now))*",
    re.IGNORECASE,
)
# "The invoice went out, right?" asks as well.
_STATED = re.compile(
    r"(?:(?:i|we)(?:'ve| have)?\b|.+ (?:is|are|was|were|has been|have been)\b).+(?:,| (?=right|correct)) *(?:right|correct|(?:didn't|haven't|did|have) (?:i|we)|isn't it|is it|aren't they|no)",
    re.IGNORECASE,
)
_OVER = frozenset({"done", "finished", "complete", "completed", "ready", "over", "sorted"})
_LEFT = frozenset({"open", "undone", "pending", "left", "unfinished", "outstanding"})
_OTHER = frozenset(
    {"scheduled", "tagged", "planned", "supposed", "called", "named", "needed", "added", "listed", "deleted", "set", "put", "removed"}
)  # fmt: skip


def answer_of_state(turn: Turn, words: str, todo: Todo) -> Reply | None:
    """Say whether the todo that a question is about is done; None when the question asks for something else."""
    if on_day := _on_day(turn, words, todo):
        return Reply(on_day, listed=[todo], mentioned=[todo])
    if _ADDED.match(words):
        return Reply(f"Yes, it is on the list: {describe(todo, turn.wording)}.", listed=[todo], mentioned=[todo])
    asked = _IS.fullmatch(words)
    state = asked["state"].lower() if asked else ""
    asks_if_left = state in _LEFT
    is_verb = state in _OVER or (is_past(state) and state not in _OTHER)
    if not (asks_if_left or is_verb or _DID.match(words) or _STATED.fullmatch(words)):
        return None
    ways = [] if todo["done"] else [choice("Mark it as done", f'complete "{todo["title"]}"')]
    return Reply(_say(turn, todo, asks_if_left=asks_if_left), listed=[todo], mentioned=[todo], choices=ways)


_OF_A_DAY = re.compile(r"(?:is|are|was|were) .+", re.IGNORECASE)
_NEAR_A_DAY = re.compile(r"\b(?:before|after|until|till|by|since|or|than|from)\b", re.IGNORECASE)


def _on_day(turn: Turn, words: str, todo: Todo) -> str:
    """Say whether a todo is due on the day that a question ends with: "is the dentist on friday?"."""
    spans = find_dates(words, turn.now)
    if len(spans) != 1 or not _OF_A_DAY.fullmatch(words) or _NEAR_A_DAY.search(words) or todo["done"]:
        return ""
    when = spans[0].when
    if spans[0].end != len(words) or not (when.said_day and when.first and when.last) or when.repeats or when.clock:
        return ""
    if not todo["due_date"]:
        return f"No, {quote(todo)} has no due date."
    is_then = when.first.isoformat() <= todo["due_date"] <= when.last.isoformat()
    return f"{'Yes' if is_then else 'No'}, {quote(todo)} is due {due(todo, turn.wording)}."


def _say(turn: Turn, todo: Todo, *, asks_if_left: bool) -> str:
    name = quote(todo)
    when = f", due {due(todo, turn.wording)}" if todo["due_date"] else ""
    if todo["done"]:
        return f"No, {name} is done." if asks_if_left else f"Yes, {name} is done."
    return f"Yes, {name} is open{when}." if asks_if_left else f"Not yet: {name} is open{when}."
