"""The assistant that needs no model: it understands a fixed set of phrases, the same way every time."""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from todo_backend.assistant import AssistantError, Dialogue, Say, Toolbox, ToolReply
from todo_backend.phrases import describe_date, parse_date, parse_phrase, parse_priority
from todo_backend.schemas import AssistantName

Todo = dict[str, Any]
Listed = Sequence[uuid.UUID] | None

_SHOWN = 20  # todos in one answer
_HELP = (
    'I keep your todo list. Try: "add buy milk tomorrow, high", "what\'s left?", "done with milk", "find milk", '
    '"move milk to friday", "rename milk to oat milk", "make milk low priority", "tag milk with shop", '
    '"reopen milk" or "delete the second".'
)
_ORDINALS = {
    word: number
    for number, words in enumerate(
        ("first 1st one", "second 2nd two", "third 3rd three", "fourth 4th four", "fifth 5th five", "sixth 6th six",
         "seventh 7th seven", "eighth 8th eight", "ninth 9th nine", "tenth 10th ten"), 1,
    )
    for word in words.split()
}  # fmt: skip
_POSITION = re.compile(
    rf"(?:the\s+)?(?:(?:number|no\.?|item|todo|task)\s+)?[#]?(?P<which>\d{{1,3}}|last|{'|'.join(_ORDINALS)})"
    r"(?:\s+(?:one|item|todo|task))?",
    re.IGNORECASE,
)
_IT = re.compile(r"(?:it|that|this|that one|this one)", re.IGNORECASE)
_FILLER = re.compile(r"^(?:the|my|a|an|that|this|todo|task|item)\s+", re.IGNORECASE)
_POLITE = re.compile(
    r"^(?:(?:please|pls|hey|hi|ok|okay|can you|could you|would you|i(?:'d| would) like to)[\s,]+)+", re.IGNORECASE
)


class _UnclearError(Exception):
    """The words do not name one todo; the message asks for better ones, `candidates` are what they could mean."""

    def __init__(self, question: str, candidates: Sequence[Todo] = ()) -> None:
        super().__init__(question)
        self.candidates = candidates


@dataclass(frozen=True)
class _Turn:
    """Everything that an intent needs to act: the tools, the words said, the day, the todos last numbered."""

    toolbox: Toolbox
    today: date
    listed: Sequence[uuid.UUID]


_Said = Mapping[str, str]  # the named parts of a phrase, and "all" of it
_Intent = Callable[[_Turn, _Said], Awaitable[tuple[str, Listed]]]


class RulesAssistant:
    """Answers by matching the message against `_INTENTS`, top to bottom."""

    name: AssistantName = "rules"
    model: str | None = None

    async def answer(self, dialogue: Dialogue, toolbox: Toolbox, say: Say) -> Listed:
        """Do what the first matching phrase asks, and say what was done."""
        last_listed = next((said.listed for said in reversed(dialogue.utterances) if said.listed), ())
        turn = _Turn(toolbox, dialogue.today, last_listed)
        text, listed = await _attempt(turn, *_understand(dialogue))
        await say(text)
        return listed


def _understand(dialogue: Dialogue) -> tuple[_Intent, _Said]:
    """Find what the user wants; "the second" alone completes the request that was unclear before."""
    earlier = [said for said in dialogue.utterances if said.role == "user"][-2:-1]
    if earlier and _POSITION.fullmatch(words := _words(dialogue.question)):
        intent, said = _match(_words(earlier[0].text))
        if "which" in said:
            return intent, {**said, "which": words}
    return _match(_words(dialogue.question))


def _match(words: str) -> tuple[_Intent, _Said]:
    for pattern, intent in _INTENTS:
        if found := pattern.fullmatch(words):
            return intent, {**found.groupdict(), "all": words}
    return _not_understood, {}


def _words(text: str) -> str:
    return _POLITE.sub("", " ".join(text.split()).replace("\u2019", "'")).rstrip(" ?.!")


async def _attempt(turn: _Turn, intent: _Intent, said: _Said) -> tuple[str, Listed]:
    try:
        return await intent(turn, said)
    except _UnclearError as unclear:
        if not unclear.candidates:
            return str(unclear), None
        return f"{unclear}\n{_numbered(unclear.candidates, turn.today)}", _ids(unclear.candidates)


async def _help(_turn: _Turn, _said: _Said) -> tuple[str, Listed]:
    return _HELP, None


async def _not_understood(_turn: _Turn, _said: _Said) -> tuple[str, Listed]:
    return f"I did not understand that. {_HELP}", None


async def _add(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    phrase = parse_phrase(said["what"], turn.today)
    arguments: dict[str, Any] = {"title": phrase.title or said["what"].strip()}
    if phrase.due_date:
        arguments["due_date"] = phrase.due_date.isoformat()
    if phrase.priority:
        arguments["priority"] = phrase.priority
    if phrase.tags:
        arguments["tags"] = phrase.tags
    todo = _data(await turn.toolbox.call("add_todo", **arguments))
    return f"Added {_describe(todo, turn.today)}.", _ids([todo])


async def _list(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    whole = said["all"].lower()
    state = "all" if re.search(r"\b(all|everything)\b", whole) else "open"
    if re.search(r"\b(done|completed|finished|finish|complete)\b", whole):
        state = "done"
    page = _data(await turn.toolbox.call("list_todos", state=state, limit=_SHOWN))
    kind = {"open": "open todo", "done": "completed todo", "all": "todo"}[state]
    return _page(page, kind, turn.today)


async def _list_due(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    day = parse_date(said["when"], turn.today)
    if day is None:
        raise _UnclearError(f"I do not know the day “{said['when']}”.")
    page = _data(await turn.toolbox.call("list_todos", state="open", sort="due", limit=200))
    due = [todo for todo in page["items"] if todo["due_date"] and date.fromisoformat(todo["due_date"]) <= day]
    if not due:
        return f"Nothing is due until {describe_date(day, turn.today)}.", None
    return _page({"items": due[:_SHOWN], "total": len(due)}, "due todo", turn.today)


async def _search(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    page = _data(await turn.toolbox.call("search_todos", text=_unquote(said["what"]), limit=_SHOWN))
    return _page(page, "matching todo", turn.today)


async def _complete(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    todo = await _find(turn, said["which"], "open")
    done = _data(await turn.toolbox.call("complete_todo", todo_id=todo["id"]))
    return f"Done: {_quote(done)}.", None


async def _delete(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    todo = await _find(turn, said["which"], "all")
    _data(await turn.toolbox.call("delete_todo", todo_id=todo["id"]))
    return f"Deleted {_quote(todo)}.", None


async def _reopen(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    todo = await _change(turn, said["which"], "done", done=False)
    return f"Reopened {_quote(todo)}.", None


async def _rename(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    todo = await _change(turn, said["which"], "all", title=_unquote(said["title"]))
    return f"Renamed to {_quote(todo)}.", None


async def _reschedule(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    day = parse_date(said["when"], turn.today)
    if day is None:
        raise _UnclearError(f"I do not know the day “{said['when']}”. Try “friday”, “in 3 days” or “2026-12-31”.")
    todo = await _change(turn, said["which"], "open", due_date=day.isoformat())
    return f"{_quote(todo)} is now due {describe_date(day, turn.today)}.", None


async def _unschedule(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    todo = await _change(turn, said["which"], "open", clear_due_date=True)
    return f"{_quote(todo)} has no due date any more.", None


async def _prioritise(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    todo = await _change(turn, said["which"], "open", priority=parse_priority(said["level"]))
    return f"{_quote(todo)} now has {todo['priority']} priority.", None


async def _tag(turn: _Turn, said: _Said) -> tuple[str, Listed]:
    todo = await _find(turn, said["which"], "all")
    added = [tag.lstrip("#") for tag in re.split(r"[\s,]+(?:and\s+)?", said["tags"]) if tag.lstrip("#")]
    changed = await _update(turn, todo, tags=[*todo["tags"], *added])
    return f"{_quote(changed)} is tagged {', '.join(changed['tags'])}.", None


_WHAT_IS = r"what(?:'s|s| is)"
_ITEMS = r"(?:todos?|tasks?|items?|list)"
_MY = r"(?: (?:all|everything|the|my|of))*"
_TO_LIST = r"(?: (?:to|on) (?:my|the) (?:todo )?list)?"
_LEVELS = r"(?P<level>(?:high|low|normal|medium|urgent|important|top)(?: prio(?:rity)?)?)"

# Each line of an intent is one way to say it. Order matters: what is said about a part of a todo (its date, its title)
# comes before what is said about the whole, and adding comes last, since anything can follow "add".
_PHRASES: tuple[tuple[_Intent, tuple[str, ...]], ...] = (
    (_help, (
        r"help|hello|hi|hey|good (?:morning|day|evening)",
        r"what can (?:you|i) (?:do|say)(?: here)?|how does this work",
    )),
    (_list_due, (
        rf"(?:{_WHAT_IS}|what do i have|list|show(?: me)?){_MY}(?: {_ITEMS})? (?:due|for|on) (?P<when>.+)",
    )),
    (_list, (
        rf"{_WHAT_IS} (?:left|open|due|next|to do|todo|done|there to do|still (?:open|left))(?: (?:to do|today))?",
        rf"{_WHAT_IS} on (?:my|the) list",
        r"what (?:did i (?:finish|complete)|have i (?:done|finished|completed))",
        r"what (?:do i (?:still )?have(?: left)?(?: to do)?|must i do|should i do|remains)",
        rf"(?:show|list|display)(?: me)?{_MY}(?: (?:open|done|completed|finished))?(?: {_ITEMS})*",
        rf"(?:my )?(?:(?:all|open|done|completed) )?(?:my )?{_ITEMS}",
    )),
    (_search, (
        r"(?:find|search(?: for)?|look (?:for|up)) (?P<what>.+)",
        rf"(?:do i have )?any(?:thing| {_ITEMS})? (?:about|with|for) (?P<what>.+)",
    )),
    (_unschedule, (r"(?:remove|delete|clear|drop) (?:the )?(?:due )?(?:date|deadline) (?:from|of|on) (?P<which>.+)",)),
    (_delete, (r"(?:delete|remove|drop|discard|erase|trash|get rid of|throw away|cancel) (?P<which>.+)",)),
    (_reopen, (
        r"(?:reopen|re-open|uncheck|untick) (?P<which>.+)",
        r"(?:mark |set )?(?P<which>.+?) (?:is |as )?(?:not (?:done|finished|complete)|undone|open)(?: (?:yet|again))?",
    )),
    (_rename, (
        r"(?:rename|edit|change(?: the (?:title|name) of)?) (?P<which>.+?) (?:to|into|as) (?P<title>.+)",
    )),
    (_reschedule, (
        r"(?:move|reschedule|postpone|push|defer|delay) (?P<which>.+?) (?:to|until|till|for|by|on) (?P<when>.+)",
        r"(?:set |make )?(?P<which>.+?)(?: is| to be)? due (?:on |by )?(?P<when>.+)",
    )),
    (_prioritise, (
        rf"(?:make|set|mark|give)(?: the priority of)? (?P<which>.+?) (?:(?:to|as|a) )?{_LEVELS}",
    )),
    (_tag, (r"(?:tag|label) (?P<which>.+?) (?:with|as) (?P<tags>.+)",)),
    (_complete, (
        r"(?:i(?:'m|m| am| have|'ve|ve)? )?(?:all )?(?:done|finished|completed|did)(?: with)? (?P<which>.+)",
        r"(?:complete|finish|close|check(?: off)?|tick(?: off)?|cross (?:off|out)) (?P<which>.+)",
        r"(?:mark |set )?(?P<which>.+?) (?:is |are |as )?(?:done|completed?|finished|ready)",
    )),
    (_add, (
        rf"(?:add|create|new|note)(?: (?:an? )?(?:new )?{_ITEMS}(?: to| for)?)?[:\s]+(?P<what>.+?){_TO_LIST}",
        r"(?:remind me to|remember(?: to)?|don't forget to|i (?:need|have|want) to|i must|todo:) (?P<what>.+)",
        r"put (?P<what>.+) on (?:my|the) (?:todo )?list",
    )),
)  # fmt: skip
_INTENTS = tuple((re.compile(way, re.IGNORECASE), intent) for intent, ways in _PHRASES for way in ways)


async def _find(turn: _Turn, reference: str, state: str) -> Todo:
    """Return the one todo that the words mean.

    Raises:
        _UnclearError: they mean none, or several.
    """
    reference = _unquote(reference)
    if position := _POSITION.fullmatch(reference):
        return await _at(turn, position["which"].lower())
    if _IT.fullmatch(reference):
        if len(turn.listed) == 1:
            return await _by_id(turn, turn.listed[0])
        raise _UnclearError("Which todo do you mean? Say a word from it.")
    return await _by_words(turn, _FILLER.sub("", reference), state)


async def _at(turn: _Turn, which: str) -> Todo:
    ids = list(turn.listed)
    if not ids:
        page = _data(await turn.toolbox.call("list_todos", state="open", limit=_SHOWN))
        ids = [uuid.UUID(todo["id"]) for todo in page["items"]]
    index = len(ids) if which == "last" else int(which) if which.isdigit() else _ORDINALS[which]
    if not 1 <= index <= len(ids):
        raise _UnclearError(f"There is no number {index}: the list has {_count(len(ids), 'todo')}.")
    return await _by_id(turn, ids[index - 1])


async def _by_id(turn: _Turn, todo_id: uuid.UUID) -> Todo:
    page = _data(await turn.toolbox.call("list_todos", state="all", ids=[str(todo_id)]))
    if not page["items"]:
        raise _UnclearError("That todo is not there any more.")
    todo: Todo = page["items"][0]
    return todo


async def _by_words(turn: _Turn, words: str, state: str) -> Todo:
    # The tool finds one piece of text, so it gets the longest word; the others are looked for here, in any order.
    longest = max(words.split(), key=len, default=words)
    page = _data(await turn.toolbox.call("search_todos", text=longest, state=state, limit=200))
    found = [todo for todo in page["items"] if _has_words(todo, words)]
    exact = [todo for todo in found if todo["title"].casefold() == words.casefold()]
    if len(exact) == 1 or len(found) == 1:
        todo: Todo = (exact or found)[0]
        return todo
    if not found:
        kind = {"open": "open ", "done": "completed "}.get(state, "")
        raise _UnclearError(f"I found no {kind}todo about “{words}”.")
    raise _UnclearError(f"{len(found)} todos match “{words}”. Which one? Say its number.", found[:_SHOWN])


def _has_words(todo: Todo, words: str) -> bool:
    text = " ".join([todo["title"], *todo["tags"]]).casefold()
    return all(word in text for word in words.casefold().split())


async def _change(turn: _Turn, reference: str, state: str, **values: Any) -> Todo:
    return await _update(turn, await _find(turn, reference, state), **values)


async def _update(turn: _Turn, todo: Todo, **values: Any) -> Todo:
    return _data(await turn.toolbox.call("update_todo", todo_id=todo["id"], version=todo["version"], **values))


def _data(reply: ToolReply) -> dict[str, Any]:
    if reply.outcome == "ok":
        return reply.data
    if reply.outcome == "error":
        raise AssistantError("error", f"That did not work: {reply.problem}.")
    raise _UnclearError(f"That is not possible: {reply.problem}.")


def _page(page: dict[str, Any], kind: str, today: date) -> tuple[str, Listed]:
    todos, total = page["items"], page["total"]
    if not todos:
        return f"There is no {kind}.", None
    more = f"\nand {total - len(todos)} more." if total > len(todos) else ""
    return f"{_count(total, kind).capitalize()}:\n{_numbered(todos, today)}{more}", _ids(todos)


def _numbered(todos: Sequence[Todo], today: date) -> str:
    return "\n".join(f"{number}. {_marked(todo, today)}" for number, todo in enumerate(todos, 1))


def _marked(todo: Todo, today: date) -> str:
    marks = _marks(todo, today)
    return f"{todo['title']} ({', '.join(marks)})" if marks else todo["title"]


def _describe(todo: Todo, today: date) -> str:
    return ", ".join([_quote(todo), *_marks(todo, today)])


def _marks(todo: Todo, today: date) -> list[str]:
    marks = ["done"] if todo["done"] else []
    if todo["due_date"]:
        marks.append(f"due {describe_date(date.fromisoformat(todo['due_date']), today)}")
    if todo["priority"] != "normal":
        marks.append(f"{todo['priority']} priority")
    return marks + [f"#{tag}" for tag in todo["tags"]]


def _quote(todo: Todo) -> str:
    return f"“{todo['title']}”"


def _unquote(text: str) -> str:
    return text.strip().strip("\"'“”«»\u2018\u2019").strip()


def _ids(todos: Sequence[Todo]) -> list[uuid.UUID]:
    return [uuid.UUID(todo["id"]) for todo in todos]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
