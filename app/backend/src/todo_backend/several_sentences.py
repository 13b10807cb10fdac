"""An addition of several sentences: "remind me about mom's birthday? It's December 20, I should get a present"."""

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from dateutil.relativedelta import relativedelta

from todo_backend.dates import parse_when
from todo_backend.intents import Request, understand
from todo_backend.phrases import Phrase, parse_phrase, parse_priority
from todo_backend.plain_words import clean
from todo_backend.proposals import is_errand
from todo_backend.references import Turn, find
from todo_backend.replies import Reply, choice, count
from todo_backend.rules_add import add_message, draft_words, refuse_to_repeat, said_to_add
from todo_backend.small_talk import is_talk
from todo_backend.spoken_fields import split_fields

_IT_IS = r"(?:it|that|this|he|she|they)(?:'s|'re| is| are| has| must| should| needs| starts?| begins?| happens| takes place)\b"
_MUST = r"(?:i|we)(?:'ve| have)?(?: also| still| really)? (?:should|need to|needs to|must|have to|gotta|got to|ought to|want to)\b"
# A full stop ends a sentence behind a word of four letters ("Dr. Miller", "at 9 a.m. on friday"), or where another begins.
_END = re.compile(
    rf"(?:[?!]+|(?<=\w\w\w\w)\.+|(?<!\.\d)(?<!\.\d\d)\.(?= (?:it|its|that|she|he|they|i|we|her|his|their|our|my|and|also|plus|then|oh)\b))\s+(?=\w)|,\s+(?:and\s+)?(?=(?:{_IT_IS}|its (?:on|at|due|by)\b|{_MUST}))",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:and|but|so|also|oh)\s+)*(?:(?:it|that|this)(?:'s| is| has| must| should| needs| starts?| begins?| happens| takes place)|its)?"
    r"(?:\s*\b(?:to be|be|on|at|done|finished|due|set for|scheduled for|happening)\b)*\s*",
    re.IGNORECASE,
)
_OWN_TODO = re.compile(rf"(?:(?:and|but|so|also|oh|then)\s+)*{_MUST}\s+(?P<what>.+)", re.IGNORECASE)
_MORE = re.compile(
    r"(?:oh |and |then )*(?:also|and|plus)\s+(?P<what>(?!(?:it|he|she|they|that|this|i|we|you)\b).+)", re.IGNORECASE
)
# What is more than the name of a thing.
_SENTENCE = re.compile(
    r"(?:\S+\s+){3}\S|\b(?:is|are|was|were|has|have|had|will|can|it|he|she|they|you|i|we|he's|she's|it's|that's|not|no|please|thanks?)\b|'s\b",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"(?:it'?s |all |is )*(?:done|finished|completed?|cancell?ed|over|no|yes)(?: now| already)?", re.IGNORECASE
)
_COUNTED = re.compile(
    r"\s*\b(?P<count>an?|one|two|three|a few|\d{1,2}|the) (?P<unit>day|week|month)s? (?P<way>before|earlier|ahead|in advance|prior|after|later)(?: (?:that|it|then))?[.!]*$",
    re.IGNORECASE,
)
_COUNTS = {"a": 1, "an": 1, "one": 1, "the": 1, "two": 2, "three": 3, "a few": 3}
_MOST = 6  # sentences


@dataclass
class _Said:
    """What the sentences behind a title say of it, the other todos that they name, and what is left."""

    fields: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


async def in_sentences(turn: Turn, request: Request) -> Request | Reply | None:  # noqa: PLR0911 - one kind of message a line
    """Return the addition with what the other sentences say of it; ask where they say anything else.

    None for an addition of one sentence.
    """
    is_new = request.kind == "unknown"
    if request.kind != "add" and not is_new:
        return None
    what = request.words if is_new else said_to_add(request)
    if what.lstrip().startswith(('"', "“", "'")) or "://" in what:
        return None
    first, *others = [part.strip() for part in _END.split(what, maxsplit=_MOST) if part and part.strip()] or [""]
    if not others or not first:
        return None
    said = _Said()
    for sentence in others:
        _sort(said, sentence.strip(" .!?"), turn.now)
    whole = ", ".join([first, *said.fields])
    if is_new:
        phrase = parse_phrase(whole, turn.now)
        if not (is_errand(first) or phrase.due_date) or not all(map(_asks_nothing, [first, *others])):
            return None
        if (await find(turn, phrase.title, "open"))[0]:
            return None if said.others else Request("unknown", {}, whole)
    if not said.others and not said.left:
        return Request("unknown", {}, whole) if is_new else replace(request, said={"what": whole})
    return _ask(turn, whole, said)


def _asks_nothing(sentence: str) -> bool:
    """Tell whether a sentence may belong to a new todo: "done" and "move it to friday" are said of one that is there."""
    return understand(sentence).kind in ("unknown", "add", "list", "thanks") and not _STATE.fullmatch(
        sentence.strip(" .!")
    )


def _sort(said: _Said, sentence: str, now: datetime) -> None:
    bare = _LEAD.sub("", sentence) if not _OWN_TODO.match(sentence) else sentence
    for words in (sentence, bare, clean(bare)):
        if parse_when(words, now) or parse_priority(words):
            said.fields.append(words)
            return
        if split_fields(f"x, {words}", now)[0] != f"x, {words}":
            said.fields.append(words)
            return
    if own := _OWN_TODO.fullmatch(sentence):
        said.others.append(own["what"])
    elif is_errand(clean(sentence)) or understand(sentence).kind == "add":
        again = understand(sentence)
        said.others.append(again.said["what"] if again.kind == "add" else clean(sentence))
    elif (more := _MORE.fullmatch(sentence)) or not _SENTENCE.search(sentence):  # "Add milk. Bread. Eggs."
        said.others.append(more["what"] if more else sentence)
    elif not is_talk(sentence):
        said.left.append(sentence)


def _ask(turn: Turn, whole: str, said: _Said) -> Reply:
    words, note = split_fields(whole, turn.now)
    phrase = parse_phrase(words, turn.now)
    refuse_to_repeat(turn, phrase)
    note = ". ".join(filter(None, [note, *said.left]))
    alone = choice(f"Add only “{phrase.title}”", add_message(phrase))
    if said.others:
        drafts = [phrase, *(_counted(turn, other, phrase.due_date) for other in said.others)]
        names = "; ".join(draft_words(each, turn) for each in drafts)
        lines = "\n".join(add_message(each).removeprefix("add ") for each in drafts)
        label = f"Add {count(len(drafts), 'todo')}"
        return Reply(
            f"Shall I add {count(len(drafts), 'todo')}: {names}?", choices=[choice(label, f"add:\n{lines}"), alone]
        )
    noted = choice("Add it with the note", f"{add_message(phrase)}, note: {note}")
    return Reply(f"Shall I add {draft_words(phrase, turn)}? The rest can be its note: {note}.", choices=[noted, alone])


def _counted(turn: Turn, words: str, day: date | None) -> Phrase:
    """Read another todo; "a week before" counts from the day of the first."""
    found = _COUNTED.search(words)
    if not found or not day:
        return parse_phrase(words, turn.now)
    number = _COUNTS.get(found["count"].lower()) or int(found["count"])
    step = relativedelta(**{f"{found['unit'].lower()}s": number})
    due = day + step if found["way"].lower() in ("after", "later") else day - step
    phrase = parse_phrase(words[: found.start()], turn.now)
    return replace(phrase, due_date=max(due, turn.now.date()))
