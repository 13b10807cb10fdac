"""Several changes in one request: "move the report to friday and the call to 4pm", "make it high and due tomorrow"."""

import re

from todo_backend.dates import parse_when
from todo_backend.intents import Request, understand
from todo_backend.phrases import parse_priority
from todo_backend.references import IT, Turn

_JOINT = re.compile(r"(,\s*(?:and\s+)?|\s+(?:and|&|und|y|et)\s+)", re.IGNORECASE)
_VERB_LAST = re.compile(r"\s+(?P<verb>verschieben|verlegen|setzen)(?=\s+und\b|,|$)", re.IGNORECASE)
_MOST_PIECES = 20  # each is looked through again with the ones before it
_CHANGES = ("reschedule", "reschedule_at_end", "set_to", "prioritise", "change")


def each_its_own(turn: Turn, words: str) -> Request | None:
    """Return the requests of a message that gives several todos, or several fields of one, a value each."""
    return _of_several_todos(turn, words) or _of_several_fields(turn, words)


def _of_several_todos(turn: Turn, words: str) -> Request | None:
    """Understand "move the report to friday and the call to 4pm": the verb is said once, of each todo with its value.

    A todo's own "and" is no joint: a part goes on until it has a value.
    """
    if last := _VERB_LAST.search(words):  # "Karten auf Montag verschieben und Laptop auf Dienstag"
        words = f"{last['verb'][:-1]} {words[: last.start()]}{words[last.end() :]}"
    verb, _, rest = words.partition(" ")
    pieces = _JOINT.split(rest)
    if not 3 <= len(pieces) <= _MOST_PIECES or any(
        IT.fullmatch(understand(piece).said.get("which", "")) for piece in pieces[2::2]
    ):
        return None  # "bump the rent to friday and make it high" has a verb of its own for each
    parts: list[str] = []
    open_part = ""
    for number in range(0, len(pieces), 2):
        open_part += pieces[number]
        if _gives_a_value(turn, f"{verb} {open_part}"):
            parts.append(f"{verb} {open_part}")
            open_part = ""
        elif number + 1 < len(pieces):
            open_part += pieces[number + 1]
    if open_part or len(parts) < 2:
        return None
    return Request("each", {"parts": "\n".join(parts)}, words)


def _gives_a_value(turn: Turn, part: str) -> bool:
    """Tell whether a part names a todo, and a day, a time or a priority for it."""
    request = understand(part)
    which = request.said.get("which", "")
    if request.kind not in _CHANGES or not which or IT.fullmatch(which) or _is_value(turn, which):
        return False
    value = next((request.said[name] for name in ("when", "level", "to") if name in request.said), "")
    return _is_value(turn, value)


def _is_value(turn: Turn, words: str) -> bool:
    when = parse_when(words, turn.now) or parse_when(f"on {words}", turn.now)
    return bool(when and not when.repeats) or parse_priority(words) is not None


def _of_several_fields(turn: Turn, words: str) -> Request | None:
    """Understand "make the oven urgent and due tomorrow, #home" as a request for each field of the todo."""
    head, *tails = re.split(r",\s*(?:and\s+)?|\s+and\s+", words)
    first = understand(head)
    if not tails or first.kind not in ("prioritise", "reschedule", "set_to"):
        return None
    parts = [head]
    for tail in tails:
        bare = re.sub(
            r"^(?:make it|set it to|do it|move it to|put it on|with|it'?s|as|due)\s+", "", tail, flags=re.IGNORECASE
        )
        if parse_priority(bare) or (first.kind != "reschedule" and parse_when(bare, turn.now)):
            parts.append(f"make it {bare}")
        elif found := re.fullmatch(r"(?P<tags>#\S+)|(?:tag|label|tagged)(?: (?:it|as|with))* #?(?P<tag>[\w-]+)", bare):
            parts.append(f"tag it with {found['tags'] or found['tag']}")
        else:
            return None
    return Request("each", {"parts": "\n".join(parts)}, words)
