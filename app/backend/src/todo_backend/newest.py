"""What was added, or deleted, last: "what did I just add?", "show me the last two things I added"."""

import re

from todo_backend.filters import data
from todo_backend.references import Turn, by_ids
from todo_backend.replies import Reply, Todo, choice, count, describe, numbered

_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "few": 3, "couple": 2}
_NUMBER = rf"(?P<number>\d{{1,2}}|{'|'.join(_NUMBERS)})"
_THING = r"(?:to-?dos?|tasks?|items?|things?|ones?|entry|entries|reminders?)"
_LAST = r"(?:(?:very )?(?:last|latest|newest|most recent)(?:ly)?)"
_ASKS = re.compile(
    r"(?:(?:so|and|wait|ok|again|hey|sorry)[\s,]+)*(?:"
    rf"(?:what|which)(?: {_THING})? (?:did|have) (?:i|we|you) (?:just|last|only just|recently|most recently) (?:add|added|create|created|put (?:in|on))"
    rf"|(?:what|which)(?: {_THING})? (?:did|have) (?:i|we|you) (?:add|added|create|created) (?:just now|last|most recently|a (?:second|moment|minute) ago)"
    rf"|(?:(?:what(?:'s| is| was| were|s)|show|tell|give|list|which (?:is|was))(?: me| us)? )?(?:the |my )?{_LAST}(?: {_NUMBER})? {_THING}(?:,? (?:that )?(?:i|we|you)(?: have|'ve)? (?:just )?(?:added|created|put on|put in|add))(?: to (?:my|the) list)?"
    rf"|(?:what(?:'s| is| was|s)|show|tell|which (?:is|was))(?: me)? (?:the |my )?{_LAST}(?: {_NUMBER.replace('number', 'number2')})? {_THING}"
    r")(?:,? (?:again|then|please|just now|today|so far))*",
    re.IGNORECASE,
)


_DELETED = re.compile(
    r"(?:(?:so|and|wait|ok|sorry|oh)[\s,]+)*(?:what|which)(?: (?:todo|task|one))? (?:did|have) (?:i|we|you) (?:just |last |only just )?(?:delete|deleted|remove|removed)(?: (?:just now|last|a (?:second|moment|minute) ago))?",
    re.IGNORECASE,
)


async def _deleted_last(turn: Turn) -> Reply:
    gone = await turn.toolbox.deleted_lately()
    if not gone:
        return Reply("Nothing was deleted lately.")
    title = gone[0]["title"]
    back = choice("Bring it back", f'bring back "{title}"')
    return Reply(f"The last one deleted is “{title}”.", choices=[back])


async def newest(turn: Turn, words: str) -> Reply | None:
    """Tell what was added last: as many as are asked for, else all that the last addition of this chat added."""
    if _DELETED.fullmatch(words):
        return await _deleted_last(turn)
    if not (found := _ASKS.fullmatch(words)):
        return None
    said = next((found[name] for name in found.groupdict() if found[name]), "")
    number = _NUMBERS.get(said.lower()) or int(said or 0)
    if not number and (added := await _added_here(turn)):
        return _told(turn, added)
    page = data(await turn.toolbox.call("list_todos", state="all", sort="created", order="desc", limit=number or 1))
    if not page["items"]:
        return Reply("There is no todo on the list.")
    return _told(turn, page["items"])


async def _added_here(turn: Turn) -> list[Todo]:
    """Return what the last answer that added something added, as far as it is still there."""
    answers = [each for each in turn.dialogue.utterances if each.role == "assistant"]
    ids = next((each.mentioned or each.listed for each in reversed(answers) if each.text.startswith("Added ")), None)
    there = {str(todo_id) for todo_id in ids or ()}
    page = data(await turn.toolbox.call("list_todos", state="all", ids=sorted(there), limit=200)) if there else None
    return await by_ids(turn, [str(todo_id) for todo_id in ids or ()]) if page and page["items"] else []


def _told(turn: Turn, todos: list[Todo]) -> Reply:
    if len(todos) == 1:
        return Reply(f"The last one is {describe(todos[0], turn.wording)}.", listed=todos, mentioned=todos)
    return Reply(f"The last {count(len(todos), 'todo')}:\n{numbered(todos, turn.wording)}", todos)
