"""Which todos the words of a request mean: "the second one", "it", "milk", "all completed ones", "1 and 3"."""

import difflib
import re
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

from todo_backend.assistant import Closing, Dialogue, Toolbox, Utterance
from todo_backend.dates import parse_when
from todo_backend.filters import data, parse_filter, select
from todo_backend.intents import begins_as_command, may_name_a_command, understand
from todo_backend.replies import Todo, UnclearError, choice, count
from todo_backend.schemas import State
from todo_backend.stems import stem
from todo_backend.wording import Wording

_RECENT = 3  # answers after which the user is no longer looking at a list in the chat
_PAGES = 5
LONGEST = 200  # characters: who writes more does not mean a todo that is there, and looking through it costs time

_ORDINALS = {
    word: number
    for number, names in enumerate(
        ("first 1st one erste ersten primero primera premier première پہلا پہلے", "second 2nd two zweite zweiten segundo segunda deuxième دوسرا دوسرے",
         "third 3rd three dritte dritten tercero tercera troisième تیسرا تیسرے", "fourth 4th four vierte vierten cuarto quatrième", "fifth 5th five fünfte quinto cinquième",
         "sixth 6th six", "seventh 7th seven", "eighth 8th eight", "ninth 9th nine", "tenth 10th ten"), 1,
    )
    for word in names.split()
}  # fmt: skip
_WHICH = rf"\d{{1,3}}(?:st|nd|rd|th)?|last|bottom|top|{'|'.join(_ORDINALS)}"
_NOUN = r"(?:one|item|todo|task|entry|aufgabe|eintrag|tarea|tâche)"
POSITION = re.compile(
    rf"(?:(?:the|die|den|das|der|la|el|le)\s+)?(?:(?:number|no\.?|nr\.?|item|todo|task|#)\s*)?[#]?(?P<which>{_WHICH}|second\s+to\s+last)\.?"
    rf"(?:\s+{_NOUN})?(?:\s+(?:on|in|of|from)\s+(?:the|my)\s+(?:page|list))?",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"(?:numbers?\s+|items?\s+|todos?\s+)?#?(?P<first>\d{1,2})\s*(?:-|–|to|through|bis)\s*#?(?P<last>\d{1,2})",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    rf"(?:the\s+)?(?:numbers?\s+|items?\s+|todos?\s+)?(?P<all>(?:{_WHICH})(?:\s+one)?(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*)(?:the\s+)?(?:{_WHICH})(?:\s+one)?)+)(?:\s+(?:ones|todos|tasks|items))?",
    re.IGNORECASE,
)
_FIRST_FEW = re.compile(
    r"(?:the\s+)?(?P<end>first|last|top|bottom)\s+(?P<number>\d{1,2}|two|three|four|five)(?:\s+(?:ones|todos|tasks|items))?",
    re.IGNORECASE,
)
IT = re.compile(
    r"(?:it|its|it's|that|this|that one|this one|the (?:todo|task|item)|the same(?: one)?|das|es|eso|lo|ça|اسے|وہ)(?: again)?",
    re.IGNORECASE,
)
THEM = re.compile(
    r"(?:them|them all|these|those|all of (?:them|these|those)|both(?: of (?:them|these|those))?|all (?:these|those)|diese|die alle)",
    re.IGNORECASE,
)
_SET = re.compile(
    r"(?:all|every|everything|each|any)\b.*|both\b.+|(?:the\s+|my\s+|whole\s+|entire\s+)*(?:list|todos|tasks|items|to-dos)|(?:the\s+|my\s+|all\s+)*(?:completed?|done|finished|overdue|open|remaining|unfinished|old|checked|ticked|"
    r"high[\s-]priority|low[\s-]priority|urgent|tagged)\b.*?\b(?:ones|todos|tasks|items|things|stuff|list)\b.*|(?:the\s+|my\s+)*(?:completed|finished|overdue|done)"
    r"|(?:the\s+|my\s+)?(?:todos|tasks|items|things|ones|stuff)\s+(?:about|with|tagged|due|for|from|that|which|without|labell?ed|on)\b.*|alle[s]?\b.*|(?:die\s+)?(?:erledigten|überfälligen|offenen)\b.*|tod[oa]s?\b(?:\s+(?:mis|las|los|lo)\b.*)?|tou(?:t|tes|s)\b.*|سب.*|(?:sab|saray|saare|tamam)\b.*"
    r"|the rest(?: of .*)?|whatever is .*|what(?:'s| is) (?:done|completed|overdue|left).*",
    re.IGNORECASE,
)  # fmt: skip
_ANY = re.compile(
    r"(?:everything|anything|all|every|each)(?: (?:of|my|the|todos?|tasks?|things?|items?|that|is|are))*\s*",
    re.IGNORECASE,
)
_EXCEPT = re.compile(
    r"\s*,?\s+(?:but(?: not)?|except(?: for)?|excluding|other than|apart from|besides|außer|excepto|menos|sauf)\s+",
    re.IGNORECASE,
)
_BUT_NOT = re.compile(r",?\s+but\s+(?:not|no|i\s+(?:didn't|haven't|did\s+not|have\s+not))\s.+$", re.IGNORECASE)
_TITLE = r"\"[^\"]+\""
_TITLES = re.compile(rf"{_TITLE}(?: and {_TITLE})+")
REASON = re.compile(
    r"(?:,?\s+(?:because|since|cause|cuz|bc|weil)\b|,\s+(?:i|we|it|he|she|they|that's|it's|i'm|we're|there's|there)\b|,\s+(?:my|our|his|her|their)\s+\w+\s+\w|,\s+\w+\s+(?:already|just|has|had|did)\b).+$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"\s*(?:[:!;]\s+|(?<=\w\w\w\w)\.\s+|,\s+(?:also|so|therefore|donc|así que|entonces)\s+|\s+so\s+(?=the\b|my\b))",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"^(?:(?:the|teh|my|a|an|that|this|todo|task|item|reminder|entry|eintrag|aufgabe|punkt|tarea|tâche|die|den|das|der|el|la|le|les|mi|ma|mon|lo del?|lo de la|mit de[mnr]|mit|le truc de)\s+)+(?=\S)|^[ld]'(?=\w)|\s+(?:one|todo|task|item|entry|reminder|thing)$",
    re.IGNORECASE,
)
_SMALL = {"the", "my", "a", "an", "to", "of", "for", "with", "at", "on", "in", "and", "i", "that", "this", "some", "about", "just", "already", "today", "yesterday",
          "der", "die", "das", "den", "dem", "mein", "meine", "la", "le", "les", "el", "los", "las", "un", "une", "mon", "ma", "du", "de", "al", "ka", "ki", "ko", "now", "finally", "it", "is", "was", "her", "his", "up", "one", "ones", "todo", "task", "appointment", "thing", "stuff", "wala", "wali", "kaam", "again"}  # fmt: skip


@dataclass(frozen=True)
class Meant:
    """The todos that words mean; a set was not named one by one."""

    todos: Sequence[Todo]
    is_set: bool = False


@dataclass(frozen=True)
class Turn:
    """Everything that a request needs to be understood and done."""

    toolbox: Toolbox
    dialogue: Dialogue

    @property
    def now(self) -> datetime:
        """The time where the user is."""
        return self.dialogue.now

    @property
    def wording(self) -> Wording:
        """How days and times are written for the user."""
        return self.dialogue.wording

    @property
    def shown(self) -> list[str]:
        """The ids of the todos that the page shows."""
        return [str(todo_id) for todo_id in self.dialogue.shown]

    def numbered(self) -> list[str]:
        """Return the ids that a number means: of the list in the chat if it is recent, else of the page's."""
        answers = [said for said in reversed(self.dialogue.utterances) if said.role == "assistant"]
        recent = next((said.listed for said in answers[:_RECENT] if said.listed), None)
        if recent is None and not self.shown:
            recent = next((said.listed for said in answers if said.listed), None)
        return [str(todo_id) for todo_id in recent] if recent else self.shown

    def saying(self, text: str) -> "Turn":
        """Return what a request needs that is made in other words, or is a part of the message."""
        said = self.dialogue.utterances
        return replace(self, dialogue=replace(self.dialogue, utterances=[*said[:-1], replace(said[-1], text=text)]))

    def after(self, question: str, answer: str, closing: Closing) -> "Turn":
        """Return what a request needs that is made in the same message, after another was answered."""
        said = self.dialogue.utterances
        told = Utterance("assistant", answer, closing.listed, closing.mentioned, closing.pending, closing.choices)
        again = [*said[:-1], replace(said[-1], text=question), told, said[-1]]
        return replace(self, dialogue=replace(self.dialogue, utterances=again))

    def mentioned(self) -> list[str]:
        """Return the ids of the todos that the last answers spoke of."""
        answers = [said for said in reversed(self.dialogue.utterances) if said.role == "assistant"]
        return [
            str(i)
            for i in next(
                (said.mentioned or said.listed or () for said in answers if said.mentioned or said.listed), ()
            )
        ]


async def with_name_quoted(turn: Turn, text: str) -> str:
    """Quote a title that begins like a command: in "cancel netflix is done" nothing is cancelled."""
    if not may_name_a_command(text) or understand(text).kind in ("add", "add_each", "each"):
        return text
    for todo in await everything(turn, "all"):
        if not begins_as_command(todo["title"]):
            continue
        name = re.search(rf"(?<![\w\"'“]){re.escape(todo['title'])}(?![\w\"'”])", text, re.IGNORECASE)
        if name:  # the title alone is no command either
            return f'{text[: name.start()]}"{name[0]}"{text[name.end() :]}'
    return text


async def resolve(turn: Turn, words: str, state: State) -> Meant:  # noqa: PLR0911 - one way of naming a line
    """Return the todos that the words mean.

    Raises:
        UnclearError: they mean none, or it is not clear which.
    """
    words = words.strip()
    if _TITLES.fullmatch(words):
        return Meant([await by_words(turn, unquote(title), state) for title in re.findall(_TITLE, words)])
    literal = unquote(words)
    if literal != words:
        return Meant([await by_words(turn, literal, state)])
    words = words.strip(" .,!?")
    if found := POSITION.fullmatch(words):
        return Meant([await _at(turn, found["which"].lower())])
    if found := _FIRST_FEW.fullmatch(words):
        return Meant(await _first_few(turn, found["end"].lower(), found["number"].lower()), is_set=True)
    if (found := _RANGE.fullmatch(words)) and int(found["first"]) <= int(found["last"]):
        return Meant([await _at(turn, str(n)) for n in range(int(found["first"]), int(found["last"]) + 1)], is_set=True)
    if (found := _SEVERAL.fullmatch(words)) and (
        several := re.findall(rf"\b(?:{_WHICH})\b", re.sub(r"\s+one\b", "", found["all"]), re.IGNORECASE)
    ):
        return Meant([await _at(turn, which.lower()) for which in several])
    if IT.fullmatch(words):
        return Meant([await _it(turn)])
    if THEM.fullmatch(words):
        return Meant(await _them(turn), is_set=True)
    if _SET.fullmatch(words) and not await _is_title(turn, words):
        return Meant(await _set(turn, words, state), is_set=True)
    return await _by_name(turn, words, state)


def names_set(words: str) -> bool:
    """Tell whether words mean several todos that are not named one by one."""
    return _SET.fullmatch(words) is not None


async def _is_title(turn: Turn, words: str) -> bool:
    """Tell whether a todo is called that: "all hands notes" is a title, not a set."""
    page = data(await turn.toolbox.call("search_todos", text=words[:200], limit=200))
    return any(todo["title"].casefold() == words.casefold() for todo in page["items"])


async def resolve_one(turn: Turn, words: str, state: State) -> Todo:
    """Return the one todo that the words mean.

    Raises:
        UnclearError: they mean none or several.
    """
    meant = await resolve(turn, words, state)
    if len(meant.todos) != 1:
        raise UnclearError("I do this for one todo at a time. Which one? Say its number.", meant.todos)
    return meant.todos[0]


_OF_A_DAY = re.compile(
    r"(?:the |my )?(?P<day>today|tonight|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day)'?s (?P<name>.+)",
    re.IGNORECASE,
)


async def _of_a_day(turn: Turn, words: str, state: State) -> list[Todo]:
    """Return the todos that "today's call" may mean: those about a call that are due then."""
    found = _OF_A_DAY.fullmatch(words)
    when = parse_when(found["day"], turn.now) if found else None
    if found is None or when is None or when.day is None:
        return []
    todos, how = await find(turn, found["name"], state)
    return [todo for todo in todos if how != "near" and todo["due_date"] == when.day.isoformat()]


async def _by_name(turn: Turn, words: str, state: State) -> Meant:
    if len(of_a_day := await _of_a_day(turn, words, state)) == 1:
        return Meant(of_a_day)
    words = _BUT_NOT.sub("", words).removesuffix("'s")
    if len(clauses := _CLAUSE.split(words)) > 1:  # "the bank called: pay the rent" is done
        with suppress(UnclearError):
            return Meant([await by_words(turn, clauses[-1], state)])
    try:
        return Meant([await by_words(turn, _FILLER.sub("", words) or words, state)])
    except UnclearError as unclear:
        if (bare := REASON.sub("", words)) != words:  # "the domain one, I switched registrars"
            return await _by_name(turn, bare, state)
        parts = [part for part in re.split(r"\s*,\s*(?:and\s+)?|\s+(?:and|und|y|et|&|اور)\s+", words) if part.strip()]
        if len(parts) < 2:
            raise
        named = [await find(turn, _FILLER.sub("", part) or part, state) for part in parts]
        if unclear.candidates and not all(len(found) == 1 and how != "near" for found, how in named):
            raise
        return Meant([await by_words(turn, _FILLER.sub("", part) or part, state) for part in parts])


async def _at(turn: Turn, which: str) -> Todo:
    ids = turn.numbered()
    if not ids:
        raise UnclearError(
            "Which todo do you mean? Say a word from it, or ask me “what's left?” first.",
            choices=[choice("What's left?", "what's left?")],
        )
    if which in ("last", "bottom"):
        index = len(ids)
    elif which.startswith("second to"):
        index = len(ids) - 1
    else:
        digits = re.match(r"\d+", which)
        index = int(digits[0]) if digits else 1 if which == "top" else _ORDINALS[which]
    if not 1 <= index <= len(ids):
        raise UnclearError(f"There is no number {index}: the list has {count(len(ids), 'todo')}.")
    return (await by_ids(turn, [ids[index - 1]]))[0]


async def _first_few(turn: Turn, end: str, number: str) -> list[Todo]:
    ids = turn.numbered()
    wanted = {"two": 2, "three": 3, "four": 4, "five": 5}.get(number) or int(number)
    if len(ids) < wanted:
        raise UnclearError(f"The list has only {count(len(ids), 'todo')}. Which ones do you mean?")
    return await by_ids(turn, ids[:wanted] if end in ("first", "top") else ids[-wanted:])


async def _it(turn: Turn) -> Todo:
    ids = turn.mentioned()
    if len(ids) == 1:
        return (await by_ids(turn, ids))[0]
    raise UnclearError("Which todo do you mean? Say a word from it.")


async def _them(turn: Turn) -> list[Todo]:
    ids = turn.mentioned()
    if not ids:
        raise UnclearError("Which todos do you mean? Say a word from them, or “all”.")
    return await by_ids(turn, ids)


async def _set(turn: Turn, words: str, state: State) -> list[Todo]:
    both = re.match(r"both (?:of )?", words, re.IGNORECASE)
    words = words[both.end() :] if both else words
    words, _, spared = _EXCEPT.sub("\0", words, count=1).partition("\0")
    chosen = parse_filter(words, turn.now, state)
    if state != "all" and not chosen.said_state:
        chosen = replace(chosen, state=state)
    todos, _ = await select(turn.toolbox, chosen, turn.now, turn.shown)
    if spared:
        keep = {todo["id"] for todo in (await resolve(turn, spared, "all")).todos}
        todos = [todo for todo in todos if todo["id"] not in keep]
    if not todos:
        which = _ANY.sub("", words)
        raise UnclearError(
            f"There is no {'' if chosen.state == 'all' else f'{chosen.state} '}todo that is “{which or words}”."
        )
    if both and len(todos) != 2:
        raise UnclearError(f"{count(len(todos), 'todo')} match “{words}”. Which ones? Say their numbers.", todos)
    return todos


async def by_ids(turn: Turn, ids: Sequence[str]) -> list[Todo]:
    """Return the todos with these ids, in this order.

    Raises:
        UnclearError: none of them is there any more.
    """
    wanted = [str(uuid.UUID(todo_id)) for todo_id in ids]
    page = data(await turn.toolbox.call("list_todos", state="all", ids=wanted, limit=200))
    found = {todo["id"]: todo for todo in page["items"]}
    if not found:
        raise UnclearError("That todo is not there any more.")
    return [found[todo_id] for todo_id in wanted if todo_id in found]


async def by_words(turn: Turn, words: str, state: State) -> Todo:
    """Return the one todo that has these words.

    Raises:
        UnclearError: none or several have.
    """
    found, how = await find(turn, words, state)
    if len(found) == 1 and how != "near":
        return found[0]
    if len(found) == 1:
        raise UnclearError(
            f"I found no todo about “{words}”. Do you mean “{found[0]['title']}”?",
            found,
            [choice(f"Yes, “{found[0]['title']}”", "1")],
        )
    if found:
        raise UnclearError(f"{len(found)} todos match “{words}”. Which one? Say its number.", found)
    kind = {"open": "open ", "done": "completed "}.get(state, "")
    raise UnclearError(f"I found no {kind}todo about “{words}”.", is_missing=True)


Fit = Literal["exact", "words", "typed", "near"]


async def find(turn: Turn, words: str, state: State) -> tuple[list[Todo], Fit]:  # noqa: PLR0911 - the best fit first
    """Return the todos that the words fit best, and how well: "near" is a guess that must be confirmed."""
    wanted = _tokens(words)
    if not wanted:
        return [], "near"
    longest = max(wanted, key=len)
    page = data(await turn.toolbox.call("search_todos", text=longest, state=state, limit=200))
    whole = [todo for todo in page["items"] if wanted <= _tokens_of(todo)]
    exact = [todo for todo in whole if todo["title"].casefold() == words.casefold()]
    if len(exact) == 1:
        return exact, "exact"
    if wanted <= _SMALL:  # "the" is in many titles and names none
        return [], "near"
    if whole:
        return whole, "words"
    every = await everything(turn, state)
    meant = content(words)
    if stems := [todo for todo in every if meant <= {stem(word) for word in _tokens_of(todo)}]:
        return stems, "words"
    if typed := [
        todo for todo in every if all(_is_typed(word, _as_typed(todo)) for word in wanted if word not in _SMALL)
    ]:
        return typed, "typed"
    nouns = [word for word in wanted if word not in _SMALL]
    if derived := [
        todo for todo in every if all(any(_is_noun_of(word, own) for own in _tokens_of(todo)) for word in nouns)
    ]:
        return derived, "near"
    inside = [todo for todo in every if (own := content(todo["title"])) and own <= meant]
    return inside, "near"


def among(todos: Sequence[Todo], words: str) -> list[Todo]:
    """Return those of a few todos that have all these words."""
    wanted = {stem(word) for word in _tokens(_FILLER.sub("", words)) if word not in _SMALL}
    exact = [todo for todo in todos if todo["title"].casefold() == words.casefold()]
    return exact or [todo for todo in todos if wanted and wanted <= {stem(word) for word in _tokens_of(todo)}]


async def everything(turn: Turn, state: State) -> list[Todo]:
    """Return the todos, as many as are looked through."""
    todos: list[Todo] = []
    for number in range(_PAGES):
        page = data(await turn.toolbox.call("list_todos", state=state, limit=200, offset=200 * number))
        todos += page["items"]
        if len(todos) >= page["total"]:
            break
    return todos


def content(text: str) -> set[str]:
    """Return the stems of the words that tell one todo from another."""
    return {stem(word) for word in _tokens(text) if word not in _SMALL}


_WORD = re.compile(r"[\w\u0600-\u06ff]+")


def _tokens(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold().replace("'s ", " ").replace("\u2019s ", " ")))


def _tokens_of(todo: Todo) -> set[str]:
    return _tokens(" ".join([todo["title"], *todo["tags"]]))


def _as_typed(todo: Todo) -> set[str]:
    """Return the words of a todo, and what its neighbours make written as one: "pickup" for "pick up"."""
    return _tokens_of(todo) | {f"{one}{two}" for one, two in pairwise(_WORD.findall(todo["title"].casefold()))}


def _is_typed(word: str, tokens: set[str]) -> bool:
    """Tell whether a word is one of the tokens but for a slip of the fingers."""
    if word in tokens or stem(word) in {stem(token) for token in tokens}:
        return True
    if len(word) < 3 or word.isdigit():
        return False
    return any(
        abs(len(token) - len(word)) <= 2
        and (
            sorted(token) == sorted(word)
            or (len(word) > 3 and difflib.SequenceMatcher(None, word, token).ratio() >= 0.8)
        )
        for token in tokens
        if len(token) >= 3
    )


_NOUN_ENDS = re.compile(r"(?:r?ation|ition|[tsc]ion|ment|ing|al|y)s?$")


def _is_noun_of(noun: str, word: str) -> bool:
    """Tell whether "registration" may be the noun of "register", and "payment" that of "pay"."""
    root = _NOUN_ENDS.sub("", noun)
    return word == noun or (root != noun and len(root) >= 3 and word.startswith(root) and len(word) - len(root) <= 2)


def unquote(text: str) -> str:
    """Return a text without the quotes around it."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 2 and text[0] in "\"'“”«„\u2018" and text[-1] in "\"'“”»\u2019" else text
