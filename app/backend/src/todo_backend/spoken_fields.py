"""Fields that are said behind a new todo: "…, tags finance and phone, low priority, due friday, note: ask for Ana"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from todo_backend.dates import parse_when
from todo_backend.phrases import parse_priority
from todo_backend.schemas import Priority

_JOINT = re.compile(r"(\s*[,;]\s*(?:(?:and|also|plus)\s+)*|\s+and\s+)", re.IGNORECASE)
_QUOTED = re.compile(r"\s*(?:\"[^\"]+\"|“[^”]+”|'[^']+'(?!\w))")
_TAGS = re.compile(
    r"(?:with\s+)?(?:the\s+)?(?P<kind>tag(?:s|ged)?|label(?:s|l?ed)?)(?P<bare>:?)(?:\s+(?:it|as|with|under))*\s*:?\s*(?P<tags>#?[\w-]+(?:\s+#?[\w-]+)*)",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(?:with\s+|add\s+)?(?:an?\s+|the\s+)?notes?(?:\s+(?:saying|that says))?(?P<colon>\s*:)?\s+(?!down\b)(?P<note>.+)",
    re.IGNORECASE,
)
_NOTE_APART = re.compile(r"\s*[.]\s*(?:with (?:a |the )?)?notes?(?: saying| that says)?\s*:\s*", re.IGNORECASE)
_IT_IS = re.compile(
    r"^(?:(?:it'?s|it is|deadline(?::| is)?|make it|set it to|as|at|with|very|really|quite|so|super|an?)\s+)+(?=\S)",
    re.IGNORECASE,
)
_NAMES_PRIORITY = re.compile(r"prio|importance|!", re.IGNORECASE)
_MOST_PIECES = 40  # each is looked at by itself


@dataclass
class _Fields:
    """What is said behind a title; `last` is the kind of field that was said last."""

    level: Priority | None = None
    tags: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    note: str = ""
    last: str = ""

    def says_more_than_days(self) -> bool:
        return bool(self.level or self.tags or self.note)


def split_fields(what: str, now: datetime) -> tuple[str, str]:
    """Return the words of a new todo with its fields as marks ("!low #home"), and its note.

    Words behind it are fields only when each of them is one; else they are left as they are.
    """
    before_dot, _, after_dot = _NOTE_APART.sub("\0", what, count=1).partition("\0")
    quoted = _QUOTED.match(before_dot)
    start = quoted.end() if quoted else 0
    pieces = _JOINT.split(before_dot[start:])
    if len(pieces) > _MOST_PIECES:
        return before_dot, after_dot
    for number in range(1, len(pieces), 2):
        head = f"{before_dot[:start]}{''.join(pieces[:number])}"
        fields = _read(pieces[number:], now) if head.strip() else None
        if fields and fields.says_more_than_days():
            marks = [f"!{fields.level}"] if fields.level else []
            days = "".join(f" {day}" for day in fields.days)
            words = " ".join([f"{head}{days}", *marks, *(f"#{tag}" for tag in fields.tags)])
            return words, "\n".join(filter(None, (fields.note, after_dot)))
    return before_dot, after_dot


def _read(pieces: Sequence[str], now: datetime) -> _Fields | None:
    """Return what the pieces say, each with the joint before it; None when one of them is no field."""
    fields = _Fields()
    for joint, piece in zip(pieces[::2], pieces[1::2], strict=True):
        if _take(fields, piece.strip(), now, is_loose=not joint.strip().startswith((",", ";"))):
            continue
        if fields.last != "note":
            return None
        fields.note += f"{joint}{piece}"
    return fields


def _take(fields: _Fields, piece: str, now: datetime, *, is_loose: bool) -> bool:  # noqa: PLR0911 - one field a line
    """Read a field; one behind a mere "and" must say what it is, unless another is before it: "read high and low"."""
    is_loose = is_loose and not fields.last
    if (found := _TAGS.fullmatch(piece)) and (tags := _tags(found)):
        fields.tags += tags
        fields.last = "tags"
        return True
    if fields.last == "note" and not piece.lower().startswith("due ") and not _NAMES_PRIORITY.search(piece):
        return False  # "ask for Ana, tomorrow" is one note
    bare = _IT_IS.sub("", piece)
    if (level := parse_priority(bare)) and not (is_loose and not _NAMES_PRIORITY.search(bare)):
        fields.level, fields.last = level, "level"
        return True
    if (found := _NOTE.fullmatch(piece)) and (found["colon"] or not is_loose) and fields.last != "note":
        fields.note, fields.last = found["note"], "note"
        return True
    if parse_when(bare, now):
        fields.days.append(bare)
        fields.last = "day"
        return True
    if fields.last == "tags" and re.fullmatch(r"#?[\w-]+", piece):
        fields.tags.append(piece.lstrip("#"))
        return True
    return False


def _tags(found: "re.Match[str]") -> list[str]:
    """Return the tags; several words are several tags when they are said to be: "tag date night" may be an errand."""
    tags = [tag.lstrip("#") for tag in found["tags"].split()]
    are_several = found["kind"].lower() in ("tags", "labels") or found["tags"].count("#") == len(tags)
    return tags if len(tags) == 1 or are_several else []
