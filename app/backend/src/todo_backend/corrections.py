"""What is said to correct the answer before: "no, the english essay", "oops, not yet", "no wait, at 10"."""

import difflib
import re
from contextlib import suppress
from dataclasses import replace

from todo_backend.assistant import Utterance
from todo_backend.confirmation import INSTEAD
from todo_backend.dates import parse_when
from todo_backend.follow_ups import correction_of_the_last
from todo_backend.intents import Request, understand
from todo_backend.phrases import parse_phrase
from todo_backend.plain_words import clean
from todo_backend.proposals import said_of
from todo_backend.references import Turn, content, resolve_one
from todo_backend.replies import Reply, UnclearError, choice, quote
from todo_backend.rules_add import add_message, draft_words
from todo_backend.small_talk import is_talk

_RETRACTS = re.compile(
    r"(?:(?:oh+|ah+|uh+|um+|hm+|ugh|argh|aw|damn|but|well)\b[\s,]*)*"
    r"(?:(?:no|nope|nah|hang on|hold on|jk|just kidding|oops|whoops|wait|sorry|sry|soz|not (?:that|this|it)(?: one)?"
    r"|(?:that(?:'s| was) )?(?:the )?wrong (?:one|todo|task)|(?:it was )?the other (?:one|todo|task)"
    r"|(?:i )?meant|i mean|i said|nein|ich meinte?|quise decir|je voulais dire|actually)\b[\s,.!:-]*)+"
    r"(?:rather|it was|it's|that was|to say)*\s*|(?=(?:the )?same (?:time|day)\b|not (?!yet\b|that\b|this\b|it\b)[^,]+, (?:but )?\w)",
    re.IGNORECASE,
)
_NOT_THAT = re.compile(r"^not (?!yet\b)[^,]+,\s*(?:but )?(?=\w)|,? (?:and )?not (?!yet\b)[^,]+$", re.IGNORECASE)
_NOT_YET = re.compile(
    r"(?:(?:it|that)(?:'s| is) )?(?:still )?(?:not|isn't)(?: (?:really|actually|quite))?(?: (?:yet|done|finished))+"
    r"|not (?:all|everything|both|quite)(?: of (?:it|them|those))?(?: yet)?"
    r"|(?:it|that|this|i|we|he|she|they)(?: (?:still|actually))? (?:has|have|is|was|did|does)(?:n't| not)(?: (?:actually|really|been))*(?: \w+)(?: (?:it|that|this|us|me))?(?: yet)?",
    re.IGNORECASE,
)
_DONE_OR_GONE = re.compile(r"(?:Done: |(?P<gone>Deleted ))“(?P<title>.+)”\.")
_ADDED = re.compile(r"Added “(?P<title>[^”]+)”.*")
_NEAR = 0.85
_NEGATES = re.compile(r"\b(?:not|never)\b|\b(?:have|has|had|did|is|are|was|were)n't\b", re.IGNORECASE)
_IT_NOT = re.compile(r"(?:it|that)(?:'s| is| was)(?:n't| still not| not)\b.*\byet$", re.IGNORECASE)

_ORDERS = frozenset(
    "add complete delete reopen rename reschedule prioritise tag untag unschedule set_to".split()  # noqa: SIM905 - a line
)


def correction(turn: Turn, words: str) -> Request | None:
    """Return what a correction of the todo that was just changed asks for: another day, or that it is not done."""
    last, rest = _corrected(turn)
    if not rest or last is None:
        return _denied_plainly(turn, words)
    if _NOT_YET.fullmatch(rest) and last.text.startswith("Done: ") and len(last.mentioned) == 1:
        return Request("reopen", {"which": "it"}, words)
    if denied := _denied(last, rest, words):
        return denied
    if (added := _ADDED.fullmatch(last.text)) and _is_misspelt(added["title"], rest):
        return Request("rename", {"which": "it", "title": rest}, words)
    again = understand(rest)
    return again if again.kind in _ORDERS else correction_of_the_last(turn, rest)


def _is_misspelt(title: str, right: str) -> bool:
    """Tell whether what is said now is the title that was just added, with a slip of the fingers put right."""
    before, after = title.casefold().split(), right.casefold().split()
    if len(before) != len(after) or len(before) < 2 or before == after:
        return False
    other = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    return len(other) == 1 and difflib.SequenceMatcher(None, *other[0]).ratio() > _NEAR


def _denied(last: Utterance, said: str, words: str) -> Request | None:
    """Understand "the trash isn't out yet" of the todo that was just completed; one that was deleted is asked about."""
    told = _DONE_OR_GONE.fullmatch(last.text)
    if told is None or not _NEGATES.search(said):
        return None
    if not (content(told["title"]) & content(said) or _IT_NOT.match(said)):
        return None
    if told["gone"]:
        return Request("restore", {"which": told["title"]}, words)
    return Request("reopen", {"which": f'"{told["title"]}"'}, words)


def _denied_plainly(turn: Turn, words: str) -> Request | None:
    """Understand "I never cleared the gutters" just after they were deleted: no "wait" is needed to ask about it."""
    said = turn.dialogue.utterances
    if len(said) < 2 or not said[-2].changed or understand(words).kind not in ("unknown", "did"):
        return None
    denied = _denied(said[-2], words, words)
    return denied if denied and denied.kind == "restore" else None


def _offer_of_another_day(turn: Turn) -> Reply | None:
    """Ask again for what "Shall I add “lunch”, Thu 3 Dec at 12:30?" asked, with the day or time that a correction names."""
    before = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    found = _RETRACTS.match(" ".join(turn.dialogue.question.replace("\u2019", "'").split()))
    if not (before and found and found[0]) or not before.text.startswith("Shall I add “") or not before.choices:
        return None
    rest = clean(found.string[found.end() :])
    when = parse_when(rest, turn.now)
    if not when or not when.exists:
        return None
    offered = parse_phrase(before.choices[0].message.removeprefix("add "), turn.now)
    day = when.day if when.said_day else offered.due_date
    drafted = replace(offered, due_date=day, due_time=when.clock or offered.due_time)
    return Reply(
        f"Shall I add {draft_words(drafted, turn)}?",
        choices=[choice("Add it", add_message(drafted)), *before.choices[1:2]],
    )


async def instead_of_the_last(turn: Turn) -> Reply | None:
    """Ask whether the change that was made is to be taken back and made of what is named now."""
    if offer := _offer_of_another_day(turn):
        return offer
    _, rest = _corrected(turn)
    users = [said.text for said in turn.dialogue.utterances if said.role == "user"]
    if not rest or len(users) < 2 or is_talk(rest) or understand(rest).kind not in ("unknown", "meant"):
        return None
    if misspelt := await _misspelt(turn, rest):
        return misspelt
    earlier = understand(users[-2])
    if earlier.kind == "unknown" and turn.dialogue.utterances[-2].text.startswith("Done: "):  # "trash is out"
        earlier = Request("complete", {"which": users[-2]}, users[-2])
    again = await _said_again(turn, earlier, rest)
    if not again:
        return None
    return Reply(
        f"Shall I take back my last change and {again} instead?",
        choices=[choice(f"Yes, {again} instead", f"{INSTEAD}{again}"), choice("Undo the last change", "undo")],
    )


def _corrected(turn: Turn) -> tuple[Utterance | None, str]:
    """Return the answer that changed something and what the message says in its place."""
    before = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    found = _RETRACTS.match(" ".join(turn.dialogue.question.replace("\u2019", "'").split()))
    if before is None or not before.changed or found is None:
        return None, ""
    said = clean(found.string[found.end() :])
    return before, said if _NOT_YET.fullmatch(said) else clean(_NOT_THAT.sub("", said))


async def _misspelt(turn: Turn, word: str) -> Reply | None:
    """Ask to put a word of the title right of what was just added or renamed: "i mean snacks"."""
    last = turn.dialogue.utterances[-2]
    if " " in word or not last.text.startswith(("Added ", "Renamed ")) or len(last.mentioned) != 1:
        return None
    todo = await resolve_one(turn, "it", "all")
    title = todo["title"]
    close = difflib.get_close_matches(word.casefold(), title.casefold().split(), n=1, cutoff=0.7)
    if not close or close[0] == word.casefold():
        return None
    right = re.sub(rf"(?<!\w){re.escape(close[0])}(?!\w)", word, title, count=1, flags=re.IGNORECASE)
    return Reply(
        f"Shall I rename {quote(todo)} to “{right}”?",
        mentioned=[todo],
        choices=[choice(f"Yes, “{right}”", f'rename "{title}" to "{right}"'), choice("Undo the last change", "undo")],
    )


async def _said_again(turn: Turn, earlier: Request, rest: str) -> str:
    if earlier.kind == "add":
        return f"add {rest}"
    if earlier.kind in ("note", "read_note", "question", "search", "list") or "which" not in earlier.said:
        return ""
    with suppress(UnclearError):
        return said_of(await resolve_one(turn, rest, "all"), earlier)
    return ""
