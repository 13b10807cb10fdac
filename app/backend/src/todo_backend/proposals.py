"""What a message that was not understood may ask for: a question with buttons, by the words that carry meaning.

Nothing here changes a todo.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from todo_backend.dates import Span, find_dates
from todo_backend.intents import Request
from todo_backend.phrases import Phrase, parse_phrase, parse_priority
from todo_backend.references import LONGEST, Turn, content, everything
from todo_backend.replies import WHATS_LEFT, Reply, Todo, UnclearError, choice, count, quote
from todo_backend.rules_add import add_message, draft_words, drafts, refuse_to_repeat, said_when
from todo_backend.schemas import Priority, State
from todo_backend.spoken_fields import split_fields
from todo_backend.stems import ERRAND_STEMS, ERRANDS, GERMAN_ERRANDS, IS_CANCELLED, is_past, stem

_MOST = 3  # buttons
_MOST_DRAFTS = 20


@dataclass(frozen=True)
class _Deed:
    """Something that could be done with a todo: in words after "Shall I", and the message that does it."""

    label: str
    message: str


_OUT_OF = re.compile(
    r"^(?:i|we)(?:'re|'m| are| am)? (?:(?:almost|nearly|all|completely) )?(?:(?:running|run|ran) )?(?:out of|low on) (?=\w)",
    re.IGNORECASE,
)


async def propose(turn: Turn, request: Request) -> Reply:
    """Ask what a message means: something about the todo that it names, or a new todo."""
    words, note = split_fields(request.words, turn.now)
    phrase = parse_phrase(_OUT_OF.sub("", words), turn.now)
    if phrase.impossible:
        raise UnclearError(f"There is no such day: {phrase.impossible}. Which day do you mean?")
    refuse_to_repeat(turn, phrase)
    if len(several := _several(turn, words)) > 1:
        question = (
            f"Shall I add {count(len(several), 'todo')}: {'; '.join(draft_words(each, turn) for each in several)}?"
        )
        lines = "\n".join(add_message(each).removeprefix("add ") for each in several)
        label = f"Add {count(len(several), 'todo')}"
        return Reply(
            question, choices=[choice(label, f"add:\n{lines}"), choice(f"Add “{phrase.title}”", add_message(phrase))]
        )
    with_note = f", note: {note}" if note else ""
    offer = []
    if len(phrase.title) <= 200 and re.search(r"\w", phrase.title):
        offer = [choice(f"Add {draft_words(phrase, turn)}", add_message(phrase) + with_note)]
    look = choice(f"Find “{words}”", f"find {words}") if len(words) < 60 else WHATS_LEFT
    about = await nearest(turn, words, "all")
    is_clear = is_errand(words) or phrase.due_date or phrase.tags or phrase.priority
    if not about or all(_is_other(turn, words, phrase, todo) for todo in about):
        doubt = "" if is_clear else "I am not sure what you mean. "
        named = [
            choice(deed.label.capitalize(), deed.message) for todo in about[:1] for deed in _deeds(turn, words, todo)
        ]
        return Reply(f"{doubt}Shall I add {draft_words(phrase, turn)}{with_note}?", choices=[*offer, *named[:1], look])
    if len(about) > 1:
        names = [choice(todo["title"], next(_deeds(turn, words, todo)).message) for todo in about[:_MOST]]
        return Reply("Which todo do you mean?", mentioned=about, choices=names)
    deeds = list({deed.message: deed for deed in _deeds(turn, words, about[0])}.values())
    buttons = [choice(deed.label.capitalize(), deed.message) for deed in deeds[: _MOST - 1]]
    question = (
        f"Shall I {deeds[0].label}?"
        if len(deeds) > 1 or _states_an_end(words, about[0])
        else f"What shall I do with {quote(about[0])}?"
    )
    return Reply(question, mentioned=about, choices=[*buttons, *offer, look])


# What is listed after a colon: "for the trip i need: sunscreen, charger, passport".
_LIST = re.compile(
    r"[^:,]*\b(?:need|needs|buy|get|groceries|shopping|list|todos?|things)\s*:\s*(?P<list>[^:,]+(?:,[^:,]+)+)",
    re.IGNORECASE,
)


_NO_TODO = re.compile(r"not\b|(?:no|yes|ok|wait|sorry)$", re.IGNORECASE)  # "no, not the trash, the parcel" puts right


def _several(turn: Turn, words: str) -> list[Phrase]:
    """Return the todos that a message may name, one a line or between commas."""
    lines = [line.strip() for line in turn.dialogue.question.splitlines() if line.strip()]
    if len(lines) == 1 and (found := _LIST.fullmatch(lines[0])):
        lines = re.split(r"\s*,\s*(?:and\s+)?", found["list"])
    phrases = [parse_phrase(line, turn.now) for line in lines] if len(lines) > 1 else drafts(words, turn.now)
    are_sound = len(phrases) <= _MOST_DRAFTS and all(
        each.title and not (each.impossible or each.repeats or _NO_TODO.match(each.title)) for each in phrases
    )
    return phrases if are_sound else []


_STATES = re.compile(
    r"\b(?:is|are|was|were|now|instead|can|could|may|has to|needs to|must|ist|sind|jetzt|es|está|est)\b", re.IGNORECASE
)
_MOVES_TO = re.compile(r"\b(?:to|until|till|back|auf|bis|hasta|a|au)\s*$", re.IGNORECASE)


def _is_other(turn: Turn, words: str, phrase: Phrase, todo: Todo) -> bool:
    """Tell whether a message rather names a new todo: it says when, and only some of the words of the one that is there."""
    if content(todo["title"]) <= content(words):
        return False
    if is_errand(words):
        return True
    spans = find_dates(words, turn.now)
    hints = len(list(_deeds(turn, words, todo))) - len(spans[:1])
    is_moved = _STATES.search(words) or any(_MOVES_TO.search(words[: _start_of_day(words, span)]) for span in spans)
    new = {word for word in content(phrase.title) - _names(todo) - ERRAND_STEMS if word not in _FUNCTION_WORDS}
    return bool(phrase.due_date and new) and hints <= 1 and not is_moved


def _start_of_day(words: str, span: Span) -> int:
    """Return where a date begins behind the word that moves something to it: "till the 10th"."""
    found = re.match(r"(?:to|until|till|bis|hasta|jusqu'?[aà]u?)\s+", words[span.start : span.end], re.IGNORECASE)
    return span.start + (found.end() if found else 0)


# What a sentence has beside names: "Heizung mach ich morgen" names no other todo.
_FUNCTION_WORDS = frozenset("ich mach mache machen wir doch erst lieber yo lo hago je fais on i'll ill we".split())  # noqa: SIM905 - a line


def is_errand(words: str) -> bool:
    """Tell whether words begin, or in German end, with the verb of an errand."""
    said = words.lower().split()
    return bool(said) and (said[0] in ERRANDS or said[-1] in GERMAN_ERRANDS)


_OF_PRIORITY = frozenset(map(stem, ("priority", "prio", "importance", "high", "normal", "low", "medium", "urgent")))


async def nearest(turn: Turn, words: str, state: State) -> list[Todo]:
    """Return the todos that share the most words with a message, but for the verbs that many todos share."""
    if len(words) > LONGEST:
        return []
    said = content(words)
    every = await everything(turn, state)
    names = said - _OF_PRIORITY  # in "swap the priority of the flights to normal" the flights are what is named
    said = names if any(names & _names(todo) for todo in every) else said
    shared = [(todo, len(said & _names(todo))) for todo in every]
    most = max((number for _, number in shared), default=0)
    best = [todo for todo, number in shared if number == most] if most else []
    return [todo for todo in best if not todo["done"]] or best


def _names(todo: Todo) -> set[str]:
    """Return the words of a title but for the verb that it begins with: "training" is the name of "football training"."""
    names = content(todo["title"]) - _PARTICLES
    words = todo["title"].casefold().split()
    first, last = words[0], words[-1]
    return names - ({stem(first)} & ERRAND_STEMS) - ({stem(last)} & _GERMAN_STEMS) or names


_IS = re.compile(r"\w(?:'s|\s+(?:is|are|was|were|ist|sind|est|sont|está|están))\s+\w", re.IGNORECASE)


def _states_an_end(words: str, todo: Todo) -> bool:
    """Tell whether a sentence says how things are with a todo ("the books are back"), which may mean that it is done."""
    return _is_over(words, todo) or (bool(_IS.search(words)) and not _NOT.search(words))


def _is_over(words: str, todo: Todo) -> bool:
    """Tell whether a word says that something is done, or is a verb in the past that the title has not."""
    past = any(is_past(word) for word in words.casefold().split() if stem(word) not in content(todo["title"]))
    return bool(_OVER.search(words) or past) and not _NOT.search(words)


_PARTICLES = {"out", "off", "down", "over", "back", "away", "new", "next", "more"}
_GERMAN_STEMS = frozenset(map(stem, GERMAN_ERRANDS))
_NOT = re.compile(r"\b(?:not|never|no|still|yet|nicht|kein\w*|noch|pas|nunca|nahi)\b|n't\b", re.IGNORECASE)
_LESS = re.compile(
    r"\b(?:less|lower|down|not|isn't|aren't|no longer|weniger|nicht|kein\w*|no es|pas|menos|moins)\b", re.IGNORECASE
)
_WEIGHS = re.compile(
    r"\b(?P<level>high|low|normal)?\s*(?:priorit\w+|prio|important\w*|urgent\w*|asap|critical|crucial|wichtig\w*|dringend\w*|zaroori)\b",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\b(?:delet\w*|remov\w*|cancel\w*|drop\w*|skip\w*|scrap\w*|rid of|forget|not? need\w*|n't need\w*|don't want|no longer|any ?more|nicht mehr|not happening|called off|fell through|off (?:my|the) list|won't|obsolete"
    r"|lösch\w*|entfern\w*|streich\w*|borr\w*|quit\w*|elimin\w*|supprim\w*|enlev\w*|annul\w*|hata\w*|mita\w*)\b",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"\b(?:done|finish\w*|complet\w*|sorted|over|ready|already|ya|déjà|schon|taken care|handled|out of the way|fertig|erledigt|geschafft|hech[oa]|terminad[oa]|listo|fini\w*|faite?|gaya|gayi|liya|kar di|diya)\b",
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
    if IS_CANCELLED.search(words):
        yield _Deed(f"delete {name}", f"delete {title}")
    spans = [span for span in find_dates(words, turn.now) if span.when.exists and not span.when.repeats]
    if spans and not todo["done"]:
        when = re.sub(r"^(?:at|on|by|for|due|um|am)\s+", "", words[spans[-1].start : spans[-1].end].strip())
        yield _Deed(f"move {name} to {said_when(spans[-1].when, turn)}", f"move {title} to {when}")
    if found := _WEIGHS.search(words):
        level = parse_priority(found["level"] or "") or (_lower(todo) if _LESS.search(words) else _level_in(words))
        yield _Deed(f"make {name} one of {level} priority", f"set the priority of {title} to {level}")
    elif not spans and (last := parse_priority(words.rsplit(maxsplit=1)[-1])):  # "rent low"
        yield _Deed(f"make {name} one of {last} priority", f"set the priority of {title} to {last}")
    if _GONE.search(words) and not IS_CANCELLED.search(words):
        yield _Deed(f"delete {name}", f"delete {title}")
    if _is_over(words, todo) and not todo["done"]:
        yield _Deed(f"mark {name} as done", f"complete {title}")
    if found := _CALLED.search(words):
        yield _Deed(f"rename {name} to “{found['title']}”", f'rename {title} to "{found["title"]}"')
    if todo["done"]:
        yield _Deed(f"delete {name}", f"delete {title}")
    else:
        yield _Deed(f"mark {name} as done", f"complete {title}")


def _level_in(words: str) -> Priority:
    """Return the level that is named in any language, or else a high one."""
    return next(filter(None, map(parse_priority, words.split())), "high")


def _lower(todo: Todo) -> Priority:
    return "normal" if todo["priority"] == "high" else "low"


async def instead_of(turn: Turn, request: Request, unclear: UnclearError) -> UnclearError:
    """Return the question about a todo that is not there with the nearest that is there to choose from."""
    which = request.said.get("which", "")
    if not unclear.is_missing or which not in request.words:
        return unclear
    near = await nearest(turn, which, "all")
    buttons = [choice(f"Yes, {quote(todo)}", said_of(todo, request)) for todo in near[:_MOST]]
    if not near:
        return unclear
    asks = f"Do you mean {quote(near[0])}?" if len(near) == 1 else "Which one do you mean?"
    return replace(unclear, question=f"{unclear.question} {asks}", choices=[*buttons, *unclear.choices])


def said_of(todo: Todo, request: Request) -> str:
    """Say a request again, of the todo that it meant."""
    title = f'"{todo["title"]}"'
    return (
        f"complete {title}"
        if request.kind in ("did", "complete")
        else request.words.replace(request.said["which"], title, 1)
    )
