"""What a message that was not understood may ask for: a question with buttons, by the words that carry meaning.

Nothing here changes a todo.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from todo_backend.dates import find_dates
from todo_backend.intents import Request
from todo_backend.phrases import parse_phrase, parse_priority
from todo_backend.references import Turn, content, everything
from todo_backend.replies import WHATS_LEFT, Reply, Todo, UnclearError, choice, quote
from todo_backend.rules_add import add_message, draft_words, refuse_to_repeat
from todo_backend.schemas import State
from todo_backend.stems import ERRANDS, is_past, stem

_MOST = 3  # buttons
_LONGEST = 200  # characters of a message in which todos are looked for


@dataclass(frozen=True)
class _Deed:
    """Something that could be done with a todo: in words after "Shall I", and the message that does it."""

    label: str
    message: str


async def propose(turn: Turn, request: Request) -> Reply:
    """Ask what a message means: something about the todo that it names, or a new todo."""
    words = request.words
    phrase = parse_phrase(words, turn.now)
    if phrase.impossible:
        raise UnclearError(f"There is no such day: {phrase.impossible}. Which day do you mean?")
    refuse_to_repeat(turn, phrase)
    offer = []
    if len(phrase.title) <= 200 and re.search(r"\w", phrase.title):
        offer = [choice(f"Add {draft_words(phrase, turn)}", add_message(phrase))]
    look = choice(f"Find “{words}”", f"find {words}") if len(words) < 60 else WHATS_LEFT
    about = await nearest(turn, words, "all")
    if not about or (_is_errand(words) and not content(about[0]["title"]) <= content(words)):
        is_clear = _is_errand(words) or phrase.due_date or phrase.tags or phrase.priority
        doubt = "" if is_clear else "I am not sure what you mean. "
        return Reply(f"{doubt}Shall I add {draft_words(phrase, turn)}?", choices=[*offer, look])
    if len(about) > 1:
        names = [choice(todo["title"], next(_deeds(turn, words, todo)).message) for todo in about[:_MOST]]
        return Reply("Which todo do you mean?", mentioned=about, choices=names)
    deeds = list(_deeds(turn, words, about[0]))
    buttons = [choice(deed.label.capitalize(), deed.message) for deed in deeds[: _MOST - 1]]
    question = f"Shall I {deeds[0].label}?" if len(deeds) > 1 else f"What shall I do with {quote(about[0])}?"
    return Reply(question, mentioned=about, choices=[*buttons, *offer, look])


def _is_errand(words: str) -> bool:
    return words.split(maxsplit=1)[0].lower() in ERRANDS


async def nearest(turn: Turn, words: str, state: State) -> list[Todo]:
    """Return the todos that share the most words with a message, but for the verbs that many todos share."""
    if len(words) > _LONGEST:
        return []
    said = content(words)
    shared = [(todo, len(said & _names(todo))) for todo in await everything(turn, state)]
    most = max((number for _, number in shared), default=0)
    best = [todo for todo, number in shared if number == most] if most else []
    return [todo for todo in best if not todo["done"]] or best


def _names(todo: Todo) -> set[str]:
    names = content(todo["title"]) - _PARTICLES
    return names - _ERRAND_STEMS or names


_PARTICLES = {"out", "off", "down", "over", "back", "away", "new", "next", "more"}
_ERRAND_STEMS = frozenset(map(stem, ERRANDS))
_NOT = re.compile(r"\b(?:not|never|no|still|yet|nicht|kein\w*|noch|pas|nunca|nahi)\b|n't\b", re.IGNORECASE)
_LESS = re.compile(r"\b(?:less|lower|down|not|isn't|aren't|no longer|weniger|menos|moins)\b", re.IGNORECASE)
_WEIGHS = re.compile(
    r"\b(?P<level>high|low|normal)?\s*(?:priorit\w+|prio|important\w*|urgent\w*|asap|critical|crucial|wichtig\w*|dringend\w*|zaroori)\b",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\b(?:delet\w*|remov\w*|cancel\w*|drop\w*|skip\w*|scrap\w*|rid of|forget|not? need\w*|n't need\w*|don't want|no longer|any ?more|not happening|called off|fell through|off (?:my|the) list|won't|obsolete"
    r"|lösch\w*|entfern\w*|streich\w*|borr\w*|quit\w*|elimin\w*|supprim\w*|enlev\w*|annul\w*|hata\w*|mita\w*)\b",
    re.IGNORECASE,
)
_CANCELLED = re.compile(
    r"\b(?:delet|remov|cancel|scrap|called off|fell through|not happening|lösch|borr|elimin|supprim)", re.IGNORECASE
)
_OVER = re.compile(
    r"\b(?:done|finish\w*|complet\w*|sorted|over|ready|already|taken care|handled|out of the way|fertig|erledigt|geschafft|hech[oa]|terminad[oa]|listo|fini\w*|faite?|gaya|gayi|liya|kar di|diya)\b",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b(?:rename|name|call(?:ed)?|say|read|spel\w+|typo)\b.*?\b(?:to|be|as|not|it) (?P<title>.+)", re.IGNORECASE
)


def _deeds(turn: Turn, words: str, todo: Todo) -> Iterator[_Deed]:
    """Name what the words could ask for of a todo, the likeliest first; the last is said of any todo."""
    name, title = quote(todo), f'"{todo["title"]}"'
    if todo["done"]:
        yield _Deed(f"reopen {name}", f"reopen {title}")
    if _CANCELLED.search(words):
        yield _Deed(f"delete {name}", f"delete {title}")
    spans = [span for span in find_dates(words, turn.now) if span.when.exists and not span.when.repeats]
    if spans and not todo["done"]:
        when = re.sub(r"^(?:at|on|by|for|due)\s+", "", words[spans[-1].start : spans[-1].end].strip())
        yield _Deed(f"move {name} to {when}", f"move {title} to {when}")
    if found := _WEIGHS.search(words):
        level = parse_priority(found["level"] or "") or ("normal" if _LESS.search(words) else "high")
        yield _Deed(f"make {name} one of {level} priority", f"set the priority of {title} to {level}")
    if _GONE.search(words) and not _CANCELLED.search(words):
        yield _Deed(f"delete {name}", f"delete {title}")
    said = words.casefold().split()
    is_over = _OVER.search(words) or any(is_past(word) for word in said if stem(word) not in content(todo["title"]))
    if is_over and not _NOT.search(words) and not todo["done"]:
        yield _Deed(f"mark {name} as done", f"complete {title}")
    if found := _CALLED.search(words):
        yield _Deed(f"rename {name} to “{found['title']}”", f'rename {title} to "{found["title"]}"')
    if todo["done"]:
        yield _Deed(f"delete {name}", f"delete {title}")
    else:
        yield _Deed(f"mark {name} as done", f"complete {title}")


async def instead_of(turn: Turn, request: Request, unclear: UnclearError) -> UnclearError:
    """Return the question about a todo that is not there with the nearest that is there to choose from."""
    which = request.said.get("which", "")
    if not unclear.is_missing or which not in request.words:
        return unclear
    near = await nearest(turn, which, "all")
    buttons = [choice(f"Yes, {quote(todo)}", _said_of(todo, request)) for todo in near[:_MOST]]
    if not near:
        return unclear
    asks = f"Do you mean {quote(near[0])}?" if len(near) == 1 else "Which one do you mean?"
    return replace(unclear, question=f"{unclear.question} {asks}", choices=[*buttons, *unclear.choices])


def _said_of(todo: Todo, request: Request) -> str:
    title = f'"{todo["title"]}"'
    return f"complete {title}" if request.kind == "did" else request.words.replace(request.said["which"], title, 1)
