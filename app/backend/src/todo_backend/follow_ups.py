"""What a message means that says more of the todo, or the request, that was spoken of just before."""

import re
from dataclasses import replace

from todo_backend.dates import parse_when
from todo_backend.intents import Request, understand
from todo_backend.phrases import parse_priority
from todo_backend.references import Turn, find
from todo_backend.stems import ERRAND_STEMS, stem

_TOO = re.compile(
    r"(?:(?:and|also|so is|same (?:for|with)|do the same (?:for|with)) )*(?P<which>.+?)(?P<too>,? (?:too|as well|also))?",
    re.IGNORECASE,
)


def as_before(turn: Turn, words: str) -> Request | None:
    """Understand "and the milk too" as the request before, said of the milk; a deletion is not made of that."""
    earlier, found = _as_it_was_taken(turn, _begun(turn)), _TOO.fullmatch(words)
    question = turn.dialogue.question
    if not earlier or not found or not (found["too"] or _SAME.match(question) or _MORE.match(question)):
        return None
    bare = _OF_IT.sub("", words)
    if earlier.kind == "add" and not parse_when(bare, turn.now) and not parse_priority(bare):
        return replace(earlier, said={"what": found["which"]}, words=words)
    if (
        not (found["too"] or _SAME.match(question))
        or "which" not in earlier.said
        or earlier.kind in ("delete", "rename", "note")
    ):
        return None
    return replace(earlier, said={**earlier.said, "which": found["which"]}, words=words)


async def of_another(turn: Turn, words: str) -> Request | None:
    """Understand "and the tulips" after "mow lawn done" where one open todo is called so."""
    earlier = _as_it_was_taken(turn, _begun(turn))
    if earlier is None or earlier.kind not in _ALSO_OF_ANOTHER or not _MORE.match(turn.dialogue.question):
        return None
    todos, how = await find(turn, words, "open")
    if len(todos) != 1 or how not in ("exact", "words"):
        return None
    return replace(earlier, said={**earlier.said, "which": f'"{todos[0]["title"]}"'}, words=words)


_ALSO_OF_ANOTHER = ("complete", "did", "reschedule", "prioritise", "tag", "reopen")


def _as_it_was_taken(turn: Turn, earlier: Request | None) -> Request | None:
    """Take "got the beer" as what it was taken for, where it completed a todo."""
    said = turn.dialogue.utterances
    if earlier and earlier.kind == "unknown" and len(said) > 1 and said[-2].text.startswith("Done: "):
        return Request("complete", {"which": earlier.words}, earlier.words)
    return earlier


def _begun(turn: Turn) -> Request | None:
    """Return the request before, which "and the milk" goes on with, as may another "and the eggs" between them."""
    said = [each.text for each in turn.dialogue.utterances if each.role == "user"]
    return understand(next((text for text in said[-2::-1] if not _MORE.match(text)), said[-2])) if said[1:] else None


_OF_IT = re.compile(
    r"^(?:(?:with|make it|it'?s|it is|(?:it|that|this) (?:should|must|has to|needs to|was supposed to|is supposed to) (?:have been|be)|should be|should have been|as|and|due|(?:at )?(?:the )?same (?:time|day)[,;]?(?: but| just| on)*)\s+)+",
    re.IGNORECASE,
)
_MORE = re.compile(r"(?:and|also|plus|oh and)\b", re.IGNORECASE)

_SAME = re.compile(r"(?:and |do )*(?:the )?same (?:for|with)\b", re.IGNORECASE)


def about_the_last(turn: Turn, words: str) -> Request | None:
    """Understand "high priority" and "at 5pm" when the last answer was about one todo."""
    last = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    if last is None or len(last.mentioned) != 1 or last.listed:
        return None
    if parse_priority(words):
        return Request("prioritise", {"which": "it", "level": words}, words)
    if (when := parse_when(words, turn.now)) and when.exists:
        return Request("reschedule", {"which": "it", "when": words}, words)
    if found := re.fullmatch(
        r"(?P<tags>(?:#\S+[\s,]*)+)|(?:tag|label|tagged)(?: (?:it|as|with))* (?P<tag>[\w-]+)", words
    ):
        return Request("tag", {"which": "it", "tags": found["tags"] or found["tag"]}, words)
    return None


def said_of_the_last(turn: Turn, words: str) -> Request | None:
    """Understand "with high priority" after an answer about one todo; "tomorrow" after an addition is asked about."""
    if parse_priority(words):
        return about_the_last(turn, words)
    if done := _done_since(turn) or _note_of_the_new(turn):
        return done
    said = turn.dialogue.utterances
    lacks_day = len(said) > 1 and said[-2].text.startswith("Added ") and ", due " not in said[-2].text
    request = about_the_last(turn, words) if lacks_day else None
    if request is None or request.kind != "reschedule" or understand(words).kind != "list":
        return None
    return replace(request, kind="may_reschedule")


_NOW_IT_IS = re.compile(
    r"(?:(?:well|ok|but|and|oh|ah)[\s,]+)*(?:now (?:it is|it's done|i (?:did|have)|done)|it is now|it's done now|(?:i )?just (?:did|finished)(?: it)?|done now)",
    re.IGNORECASE,
)


_NOTE_ALONE = re.compile(r"(?:oh,? |and )*notes?\s*:\s*(?P<note>(?P<first>[^\s]+).*)", re.IGNORECASE)


def _note_of_the_new(turn: Turn) -> Request | None:
    """Understand "note: towels are in the hall" of what was just added; "note: buy milk" is an errand of its own."""
    last = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    found = _NOTE_ALONE.fullmatch(turn.dialogue.question.strip())
    if not found or not last or not last.text.startswith("Added ") or len(last.mentioned) != 1:
        return None
    if stem(found["first"].casefold()) in ERRAND_STEMS:
        return None
    return Request("note", {"which": "it", "note": found["note"]}, found[0])


def _done_since(turn: Turn) -> Request | None:
    """Understand "now it is" after "Not yet: “report” is open."."""
    said = turn.dialogue.question.strip(" .!")
    last = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    if not last or not last.text.startswith("Not yet: ") or not _NOW_IT_IS.fullmatch(said):
        return None
    return Request("complete", {"which": "it"}, said)


def correction_of_the_last(turn: Turn, words: str) -> Request | None:
    """Understand what follows "no, wait" or "I meant": a day, a time or a priority of the todo that was changed."""
    bare = re.sub(
        r"^(?:(?:no|wait|sorry|actually|rather|(?:the )?same (?:time|day)(?:[,;]? but)?|(?:make|leave|keep|put) (?:it|that)(?: back)?|back|on|for|to|at)\b[\s,.]*)+",
        "",
        words,
        flags=re.IGNORECASE,
    )
    bare = re.sub(
        r"\s+(?:is|was|would be|works)(?: also| just)? (?:fine|ok|okay|good|enough|better)$",
        "",
        bare,
        flags=re.IGNORECASE,
    )
    if re.fullmatch(r"\d{1,2}(?::\d\d)?", bare):
        bare = f"at {bare}"
    return about_the_last(turn, bare)


_MARK_IT = re.compile(
    r"(?:ok |it'?s |that'?s |all )*(?:done|finished)[,.! ]+(?:so |please |pls )*(?:mark|tick|check)(?: (?:it|that))?(?: (?:off|done|as done))?",
    re.IGNORECASE,
)


def about_it(turn: Turn, words: str) -> Request | None:
    """Understand "high priority" and "at 5pm", of the todo that was spoken of, or else as a question."""
    last = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    bare = _OF_IT.sub("", words)
    if last and last.listed and len(last.mentioned) == 1 and bare.casefold().endswith(" instead"):
        day = bare[: -len(" instead")]
        return Request("reschedule", {"which": "it", "when": day}, words) if parse_when(day, turn.now) else None
    if last and last.listed and len(last.listed) == 1 and _MARK_IT.fullmatch(bare):
        return Request("complete", {"which": "it"}, words)
    is_level, is_day = parse_priority(bare), parse_when(bare, turn.now)
    if (
        last
        and last.listed
        and len(last.mentioned) == 1
        and re.fullmatch(r"(?:all )?(?:done|finished|completed)", bare)
    ):
        return Request("complete", {"which": "it"}, words)
    if last is None or len(last.mentioned) != 1 or last.listed:
        if is_day and is_day.exists:
            return Request("list", {}, f"show {bare}")
        return Request("list", {}, f"show {bare} todos") if is_level else None
    return about_the_last(turn, bare)
