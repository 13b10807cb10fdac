"""What a message means as the answer to a question that the assistant asked: "Which one?", "To which day?"."""

import re
from contextlib import suppress
from dataclasses import replace

from todo_backend.dates import parse_when
from todo_backend.intents import Request, understand
from todo_backend.references import LONGEST, POSITION, THEM, Turn, among, by_ids, resolve
from todo_backend.replies import Todo, UnclearError

_ASKED = re.compile(r"Which one\?|Which one do|Do you mean|Say its number")

_ASKED_DAY = re.compile(r"To which day|Which day do you mean")

_NAMED = re.compile(
    r"(?:no,? |wait,? |not (?:that|this)(?: one)?,? )*(?:i (?:meant?|want)|meant?|it'?s|that'?s)?\s*(?P<which>.+?)",
    re.IGNORECASE,
)


def answer_to_what(turn: Turn, words: str) -> Request | None:
    """Return the addition that "What shall I add for tomorrow?" asked about."""
    said = turn.dialogue.utterances
    if len(said) < 3 or not said[-2].text.startswith("What shall I add for ") or understand(words).kind != "unknown":
        return None
    return Request("add", {"what": f"{words}, {understand(said[-3].text).said.get('what', '')}".rstrip(", ")}, words)


_NARROWED = re.compile(
    r"(?:(?:no|nope|yes|yeah|ok|okay)\b[\s,.!]*)?(?:but )?(?P<how>only|just|all (?:but|except)|except(?: for)?|(?:but )?not) (?P<which>.+?)(?: please)?",
    re.IGNORECASE,
)


async def narrowed(turn: Turn, words: str) -> Request | None:
    """Return the request of a set that waits for a yes, of only those that "only the first" or "not the second" leave."""
    said = turn.dialogue.utterances
    if len(said) < 3 or not said[-2].pending or not (found := _NARROWED.fullmatch(words)):
        return None
    earlier = understand(said[-3].text)
    asked = await by_ids(turn, [str(todo_id) for todo_id in said[-2].mentioned])
    named = await _of_these(turn, asked, found["which"])
    if "which" not in earlier.said or not named:
        return None
    keeps = found["how"].lower() in ("only", "just")
    left = [todo for todo in asked if (todo["id"] in named) is keeps]
    titles = " and ".join(f'"{todo["title"]}"' for todo in left)
    if len(left) == 1 and not keeps and earlier.kind == "delete":  # what was not named itself is not deleted unasked
        earlier = replace(earlier, kind="drop")
    return replace(earlier, said={**earlier.said, "which": titles}, words=words) if left else None


async def _of_these(turn: Turn, asked: list[Todo], which: str) -> set[str]:
    """Return the ids of those of a few todos that are named, by their words or their numbers in the last answer."""
    if found := among(asked, which):
        return {todo["id"] for todo in found}
    with suppress(UnclearError):
        ids = {todo["id"] for todo in asked}
        return {todo["id"] for todo in (await resolve(turn, which, "all")).todos if todo["id"] in ids}
    return set()


async def answer_to_which(turn: Turn, words: str) -> Request | None:  # noqa: PLR0911 - one kind of answer a line
    """Return the request that was asked about ("2 todos match. Which one?"), completed by what is said now."""
    said = turn.dialogue.utterances
    if len(words) > LONGEST:
        return None
    words_of_day = re.sub(r"^(?:to|for|on)\s+", "", words, flags=re.IGNORECASE)
    if len(said) > 2 and _ASKED_DAY.search(said[-2].text) and parse_when(words_of_day, turn.now):
        earlier = understand(said[-3].text)
        if earlier.kind == "reschedule_at_end":
            return Request("reschedule", {"which": earlier.said["which"], "when": words_of_day}, words)
    if len(said) < 3 or not said[-2].listed or said[-2].pending or not _ASKED.search(said[-2].text):
        return None
    earlier = understand(said[-3].text)
    if earlier.kind == "each":  # of several requests that one which named what the question repeats
        parts = [understand(part) for part in earlier.said["parts"].split("\n")]
        earlier = next((each for each in parts if f"“{each.said.get('which')}”" in said[-2].text), earlier)
    if "which" not in earlier.said:
        return None
    if POSITION.fullmatch(words) or THEM.fullmatch(words):
        return replace(earlier, said={**earlier.said, "which": words})
    if understand(words).kind not in ("unknown", "meant", "keep") or not (named := _NAMED.fullmatch(words)):
        return None
    candidates = await by_ids(turn, [str(todo_id) for todo_id in said[-2].listed])
    if len(chosen := among(candidates, named["which"])) != 1:
        return None
    number = [str(todo_id) for todo_id in said[-2].listed].index(chosen[0]["id"]) + 1
    return replace(earlier, said={**earlier.said, "which": str(number)})
