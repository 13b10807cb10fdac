"""The assistant that needs no model: it understands a fixed set of requests, the same way every time."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from todo_backend import dates
from todo_backend.assistant import MAX_TOOL_CALLS, Closing, Dialogue, Say, Toolbox
from todo_backend.confirmation import ask_to_confirm
from todo_backend.dates import When, find_dates, parse_when
from todo_backend.filters import Filter, data, is_overdue, kind_of, parse_filter, select
from todo_backend.phrases import Phrase, describe_date, parse_phrase, parse_priority
from todo_backend.references import POSITION, Meant, Turn, find, resolve, resolve_one, unquote
from todo_backend.replies import Reply, Todo, UnclearError, choice, count, describe, due, numbered, page, quote, quoted
from todo_backend.requests import Request, clean, understand
from todo_backend.schemas import AssistantName, Choice, State, ToolName

_HELP = (
    'I keep your todo list. Try: "add buy milk tomorrow at 5pm, high", "what\'s left today?", "done with milk", "find milk", '
    '"move milk to friday", "rename milk to oat milk", "make milk low priority", "tag milk with shop", '
    '"clear completed", "delete the second" or "undo".'
)
_WHATS_LEFT = choice("What's left?", "what's left?")
_VERBS = (
    "buy call pay send write email mail text clean wash book fix read meet visit cook make prepare plan finish submit pick order return renew walk feed water take bring "
    "get go check review update schedule ask tell talk organize sell repair study practice learn move pack print sign file cancel do try build study watch register apply "
    "find look start train run exercise replace install charge empty vacuum iron fold mow paint post ship drop collect cut change contact reply respond research draft finalize"
).split()
_CALLS_BESIDE = 8  # of the tools, while a request is understood


class RulesAssistant:
    """Answers by what `understand` makes of the message."""

    name: AssistantName = "rules"
    model: str | None = None

    async def answer(self, dialogue: Dialogue, toolbox: Toolbox, say: Say) -> Closing:
        """Do what the message asks, and say what was done."""
        await asyncio.to_thread(dates.load)
        toolbox.allow(MAX_TOOL_CALLS + _CALLS_BESIDE)
        turn = Turn(toolbox, dialogue)
        try:
            reply = await _answer(turn, dialogue)
        except UnclearError as unclear:
            reply = unclear.reply(dialogue.today)
        await say(reply.text)
        return reply.closing()


async def _answer(turn: Turn, dialogue: Dialogue) -> Reply:
    words = clean(dialogue.question)
    earlier = [said for said in dialogue.utterances if said.role == "user"][-2:-1]
    if earlier and POSITION.fullmatch(words):  # "the second" alone completes the request that was unclear before
        request = understand(earlier[0].text)
        if "which" in request.said:
            return await _ACTS[request.kind](turn, replace(request, said={**request.said, "which": words}))
    lines = [re.sub(r"^\s*(?:[-*•+]|\d+[.)])\s*", "", line).strip() for line in dialogue.question.splitlines() if line.strip()]
    if len(lines) > 1 and (found := re.fullmatch(r"(?:please )?(?:add|todos?|new|list)(?: (?:these|the following|todos?|tasks?|items?|to my list))*:?(?P<rest> .+)?", lines[0], re.IGNORECASE)):
        return await _add_several(turn, [parse_phrase(line, turn.now) for line in ([found["rest"]] if found["rest"] else []) + lines[1:]])
    request = understand(dialogue.question)
    return await _ACTS[request.kind](turn, request)


async def _help(_turn: Turn, _request: Request) -> Reply:
    return Reply(_HELP, choices=[_WHATS_LEFT, choice("What is due today?", "what is due today?")])


async def _thanks(_turn: Turn, _request: Request) -> Reply:
    return Reply("You are welcome.")


async def _bye(_turn: Turn, _request: Request) -> Reply:
    return Reply("Goodbye.")


async def _keep(_turn: Turn, _request: Request) -> Reply:
    return Reply("All right, I changed nothing.")


async def _two(_turn: Turn, request: Request) -> Reply:
    parts = [request.said["one"], request.said["two"]]
    return Reply("I do one thing at a time. Which first?", choices=[choice(part, part) for part in parts])


async def _unknown(turn: Turn, request: Request) -> Reply:
    """Say that it is not clear, with ways on: add it, or what could be done with the todo that it names."""
    words = request.words
    phrase = parse_phrase(words, turn.now)
    if phrase.impossible:
        raise UnclearError(f"There is no such day: {phrase.impossible}. Which day do you mean?")
    choices: list[Choice] = []
    about, how = await find(turn, words, "open")
    if len(about) == 1 and how != "near":
        title = about[0]["title"]
        choices = [choice(f"Mark “{title}” as done", f'complete "{title}"')]
        question = f"What shall I do with “{title}”?"
    else:
        question = f"I am not sure what you mean. Shall I add {_draft_words(phrase, turn)}?"
    if len(phrase.title) <= 200 and re.search(r"\w", phrase.title):
        choices.append(choice(f"Add {_draft_words(phrase, turn)}", _add_message(phrase)))
    return Reply(question, choices=[*choices, choice(f"Find “{words}”", f"find {words}")] if len(words) < 60 else [*choices, _WHATS_LEFT])


def _draft_words(phrase: Phrase, turn: Turn) -> str:
    parts = [f"“{phrase.title}”"]
    if phrase.due_date:
        parts.append(describe_date(phrase.due_date, turn.now.date()) + (f" at {phrase.due_time:%H:%M}" if phrase.due_time else ""))
    return ", ".join(parts)


def _add_message(phrase: Phrase) -> str:
    """Say in words, which are understood the same way again, what is to be added."""
    parts = [f'add "{phrase.title}"' if '"' not in phrase.title else f"add {phrase.title}"]
    if phrase.due_date:
        parts.append(f"on {phrase.due_date.isoformat()}")
    if phrase.due_time:
        parts.append(f"at {phrase.due_time:%H:%M}")
    if phrase.priority:
        parts.append(f"!{phrase.priority}")
    return " ".join([*parts, *(f"#{tag}" for tag in phrase.tags)])


_SEVERAL = re.compile(r"(?:(?:these|the following|some|\d+|two|three|four|five)\s+)*(?:things|items|todos|tasks|reminders|todo items)\s*:\s*(?=\S)", re.IGNORECASE)


async def _add(turn: Turn, request: Request) -> Reply:
    what = re.sub(r"^(?:to|about|of|that i (?:need|have|should) to|that|for|daran,?|an) (?=\D)", "", request.said["what"].strip(), flags=re.IGNORECASE)
    if found := _SEVERAL.match(what):
        parts = [part for part in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", what[found.end() :]) if part.strip()]
        return await _add_several(turn, [parse_phrase(part, turn.now) for part in parts])
    phrases = [parse_phrase(part, turn.now) for part in _split(what)]
    if len(phrases) > 1:
        for part in phrases:  # "milk and eggs tomorrow": the day is said of both
            part.due_date = part.due_date or phrases[-1].due_date
            part.due_time = part.due_time or (phrases[-1].due_time if part.due_date == phrases[-1].due_date else None)
        return await _add_several(turn, phrases)
    (phrase,) = phrases
    if phrase.impossible:
        raise UnclearError(f"There is no such day: {phrase.impossible}. Which day is it due?", choices=[choice("Add it without a date", _add_message(replace(phrase, title=_cut(phrase))))])
    if phrase.repeats:
        without = replace(phrase, due_date=None, due_time=None)
        raise UnclearError(
            f"A todo cannot repeat, so I cannot keep “{phrase.repeats}”. Shall I add {_draft_words(phrase, turn)}, for the first time?",
            choices=[choice(f"Add {_draft_words(phrase, turn)}", _add_message(phrase)), choice("Add it without a date", _add_message(without))],
        )
    todo = await _create(turn, phrase)
    kept = f" I left “{phrase.kept}” in its title." if phrase.kept else ""
    choices = []
    if phrase.kept and (when := parse_when(phrase.kept, turn.now)) and when.day:
        choices = [choice(f"Make it due {describe_date(when.day, turn.now.date())}", f"it is due {when.day.isoformat()}")]
    return Reply(f"Added {describe(todo, turn.now.date())}.{kept}", mentioned=[todo], choices=choices)


def _cut(phrase: Phrase) -> str:
    return re.sub(r"\s+", " ", phrase.title.replace(phrase.impossible, "")).strip(" ,") or phrase.title


def _split(what: str) -> list[str]:
    """Split "milk and eggs" and "call mom and pay rent", but neither "buy milk and eggs" nor "research and development"."""
    if re.match(r"[\"“«„']", what) or re.search(r"\b(?:between|both|either)\b", what, re.IGNORECASE):
        return [what]
    parts = [part.strip() for part in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+&\s+", what) if part.strip()]
    if len(parts) < 2 or any(parse_priority(part) for part in parts):
        return [what]
    verbs = [part.split()[0].lower() in _VERBS for part in parts]
    if all(verbs) and all(len(part.split()) > 1 for part in parts):
        return parts
    bare = [re.sub(r"\s+(?:today|tomorrow|tonight|#\S+|!\S+)(?:\s.*)?$", "", part) for part in parts]
    if not any(verbs) and all(len(part.split()) <= 2 for part in bare) and not find_dates_in_all(parts[:-1]):
        return parts
    return [what]


def find_dates_in_all(parts: Sequence[str]) -> bool:
    """Tell whether a comma separates marks of one todo rather than todos."""
    return any(re.search(r"\d|#|!", part) for part in parts)


async def _add_several(turn: Turn, phrases: Sequence[Phrase]) -> Reply:
    if bad := next((phrase.impossible for phrase in phrases if phrase.impossible), ""):
        raise UnclearError(f"There is no such day: {bad}. I added nothing. Which day do you mean?")
    turn.toolbox.allow(MAX_TOOL_CALLS + len(phrases))
    todos = [await _create(turn, phrase) for phrase in phrases[:50]]
    return Reply(f"Added {count(len(todos), 'todo')}:\n{numbered(todos, turn.now.date())}", mentioned=todos)


async def _create(turn: Turn, phrase: Phrase) -> Todo:
    arguments: dict[str, Any] = {"title": phrase.title}
    if phrase.due_date:
        arguments["due_date"] = phrase.due_date.isoformat()
    if phrase.due_time:
        arguments["due_time"] = f"{phrase.due_time:%H:%M}"
    if phrase.priority:
        arguments["priority"] = phrase.priority
    if phrase.tags:
        arguments["tags"] = phrase.tags
    return data(await turn.toolbox.call("add_todo", **arguments))


_LIST_STARTS = re.compile(
    r"^(?:how (?:many|much)|count|number of|show|list|display|see|view|print|give|get|tell|read|sort|order|what(?:'s|s| is| are| do| did| have| must| should| can)?|which|zeige?|was|welche|muestra|muéstrame|qué|que|montre(?:-moi)?|affiche|"
    r"is there|are there|am i|do i have|have i|anything|any|got|wie viele|cuántas|combien de|qu'est-ce qu(?:e|i)(?: j'ai| est)?|dime|mostrar|ver|quelles?|cuáles|else)\b", re.IGNORECASE
)  # fmt: skip
_LIST_FILLER = re.compile(
    r"\b(?:agenda|schedule|plan(?:s|ned)?|upcoming|to be|remaining|remains?|else|next|happening|going on|look like|looks like|can|about|got|ist|sind|steht|noch|an|fällig|muss|habe|gibt es|zu tun|tun|machen|son|hay|está|tiene|pendiente|à faire|faire|ai-je|j'ai|sont|"
    r"ce que|dois|je|deadlines?|up|behind|aujourd'hui|میری|میرے|دکھاؤ|دکھائیں|دکھا دو|کیا کرنا ہے|کیا کرنا|کیا|ہے|ہیں|باقی|مجھے|کرنا|بتاؤ|dikhao|kya|karna|hai|meri|mujhe|batao|you|did|tell|number|see|give|show|list|was|were|finish|complete|achieve|accomplish|when|how|many|there)\b",
    re.IGNORECASE,
)  # fmt: skip


async def _list(turn: Turn, request: Request) -> Reply:
    words = request.words
    counts = bool(re.match(r"how (?:many|much)|count|number of|wie viele|cuántas|combien", words, re.IGNORECASE))
    did = re.search(r"\b(?:did i|have i|i've|i have (?:done|finished|completed))\b", words, re.IGNORECASE)
    subject = _LIST_STARTS.sub("", words).strip()
    chosen = parse_filter(subject, turn.now, "open")
    if did and chosen.said_state:
        chosen = replace(chosen, state="done")
    rest = " ".join(_LIST_FILLER.sub(" ", chosen.rest).split()).strip("'\" ")
    rest = re.sub(r"^(?:about|with|for|named|called|s)\s+", "", rest)
    chosen = replace(chosen, rest=rest)
    if chosen.state == "done" and chosen.first:  # "what did I finish today" is about another day than the due one
        return await _finished(turn, chosen)
    if re.match(r"what (?:should|must|can|shall) i (?:do|work on|tackle|start)|what(?:'s| is) (?:next|first|most important|the next)", words, re.IGNORECASE) and chosen.is_plain:
        chosen = replace(chosen, sort="due")
    todos, total = await select(turn.toolbox, chosen, turn.now, turn.shown)
    kind = kind_of(chosen)
    about = f" about “{chosen.rest}”" if chosen.rest else f" tagged #{chosen.tag}" if chosen.tag else ""
    day = f" due {chosen.day}" if chosen.day and not chosen.overdue else " without a due date" if chosen.undated else ""
    if counts and not todos:
        return Reply(f"There is no {kind}{about}{day}.")
    if counts:
        return Reply(f"{count(total, kind).capitalize()}{about}{day}.", mentioned=todos[:20])
    if not todos and chosen.rest and re.match(r"(?:what|which)\b", words, re.IGNORECASE):
        return Reply(f"I found no todo about “{chosen.rest}”, and todos are all that I know.", choices=[_WHATS_LEFT])
    if not todos:
        return await _nothing(turn, chosen, f"There is no {kind}{about}{day}.")
    heading = f"{kind}{about}{day}" if not (about or day) else kind
    reply = page(todos, total, heading, turn.now.date())
    if about or day:
        first, _, others = reply.text.partition(":\n")
        reply.text = f"{first}{about}{day}:\n{others}"
    return reply


async def _nothing(turn: Turn, chosen: Filter, text: str) -> Reply:
    """Say that nothing is due then; what is overdue is said too, since it is left to do."""
    if not (chosen.first and chosen.first <= turn.now.date()) or chosen.state == "done":
        return Reply(text)
    late, total = await select(turn.toolbox, Filter(overdue=True), turn.now, [])
    if not late:
        return Reply(text)
    return Reply(f"{text} {count(total, 'todo').capitalize()} overdue:\n{numbered(late[:20], turn.now.date())}", late[:20])


async def _finished(turn: Turn, chosen: Filter) -> Reply:
    todos, _ = await select(turn.toolbox, replace(chosen, first=None, last=None), turn.now, turn.shown)
    zone = turn.now.tzinfo
    first, last = (chosen.first or turn.now.date()), (chosen.last or turn.now.date())
    kept = [todo for todo in todos if todo["completed_at"] and first <= datetime.fromisoformat(todo["completed_at"]).astimezone(zone).date() <= last]
    return page(kept, len(kept), "completed todo", turn.now.date()) if kept else Reply(f"You completed no todo {chosen.day}.")


async def _search(turn: Turn, request: Request) -> Reply:
    what = unquote(re.sub(r"^(?:(?:all|any|my|the)\s+)*(?:todos?|tasks?|items?|things?|everything|anything|something)?\s*(?:about|with|for|containing|called|named|that mention)?\s+(?=\S)", "", f"{request.said['what']} ".lstrip()).strip()) or request.said["what"]
    chosen = parse_filter(request.said["what"], turn.now, "all")
    if not (chosen.tag or chosen.overdue or chosen.priority or chosen.first):
        answer = data(await turn.toolbox.call("search_todos", text=what[:200], limit=20))
        if not answer["items"]:
            found, _ = await find(turn, what, "all")
            answer = {"items": found[:20], "total": len(found)}
        return page(answer["items"], answer["total"], "matching todo", turn.now.date())
    todos, total = await select(turn.toolbox, chosen, turn.now, turn.shown)
    return page(todos, total, "matching todo", turn.now.date())


async def _question(turn: Turn, request: Request) -> Reply:
    """Answer a question about a todo; a question never changes anything."""
    what = re.sub(r"^(?:i|we|my|the|there)\s+", "", request.said["what"])
    what = re.sub(r"\s+(?:is|are|was|due|done|finished|completed|open|scheduled|already|yet|still|overdue)\b", " ", f" {what}").strip()
    what = re.sub(r"\s+(?:on|in) (?:my|the) (?:todo )?list$", "", what)
    what = re.sub(r"^(?:(?:is|are|my|the|i|supposed|to|have|need|delete|remove|complete|finish|do|done|did|need|call(?=ed))\s+)+(?=\S)", "", what)
    found, _ = await find(turn, what, "all")
    if not found:
        return Reply(f"I found no todo about “{what}”.", choices=[_WHATS_LEFT])
    return page(found, len(found), "todo", turn.now.date())


async def _how(_turn: Turn, _request: Request) -> Reply:
    return Reply(_HELP, choices=[_WHATS_LEFT])


async def _complete(turn: Turn, request: Request) -> Reply:
    which = re.sub(r"\s+(?:already|now|finally)$", "", request.said["which"])
    meant = await resolve(turn, which, "open")
    return await _change_all(turn, meant, "complete_todo", lambda todo: {"todo_id": todo["id"]}, "Complete", "Completed", lambda todo: f"Done: {quote(todo)}.", keep=lambda todo: not todo["done"])


async def _did(turn: Turn, request: Request) -> Reply:
    """Complete what "I already called mom" speaks of, when a todo is about it."""
    which = re.sub(r"\s+(?:already|now|today|yesterday|tonight|just now|this morning|this afternoon|this evening|last night|earlier|finally|on \w+day|an hour ago)+$", "", request.said["which"], flags=re.IGNORECASE)
    which = re.sub(r"^(?:done|finished|completed|did)\s+(?:with\s+)?", "", which)
    try:
        meant = await resolve(turn, which, "open")
    except UnclearError as unclear:
        if unclear.candidates:
            raise
        raise UnclearError(f"{unclear.question} Which todo is done?", choices=[_WHATS_LEFT]) from None
    return await _complete(turn, replace(request, said={"which": which})) if meant.is_set or len(meant.todos) > 1 else await _complete_one(turn, meant.todos[0])


async def _complete_one(turn: Turn, todo: Todo) -> Reply:
    done = data(await turn.toolbox.call("complete_todo", todo_id=todo["id"]))
    return Reply(f"Done: {quote(done)}.", mentioned=[done])


async def _delete(turn: Turn, request: Request) -> Reply:
    which = request.said["which"]
    if re.fullmatch(r"(?:up|out|away|off)", which):
        raise UnclearError("What shall I delete? Say a word from it.")
    meant = await resolve(turn, which, "all")
    return await _change_all(turn, meant, "delete_todo", lambda todo: {"todo_id": todo["id"]}, "Delete", "Deleted", lambda todo: f"Deleted {quote(todo)}.")


async def _change_all(
    turn: Turn, meant: Meant, tool: ToolName, arguments: Callable[[Todo], dict[str, Any]], verb: str, past: str,
    one: Callable[[Todo], str], keep: Callable[[Todo], bool] = lambda _: True, tail: str = "",
) -> Reply:  # fmt: skip
    """Change the one todo that is meant; name several, and ask."""
    todos = list({todo["id"]: todo for todo in meant.todos if keep(todo)}.values())
    if not todos:
        return Reply(f"{quoted(meant.todos)} {'is' if len(meant.todos) == 1 else 'are'} done already.", mentioned=meant.todos)
    if len(todos) == 1 and not meant.is_set:
        changed = data(await turn.toolbox.call(tool, **arguments(todos[0])))
        return Reply(one(changed if "title" in changed else todos[0]), mentioned=[] if tool == "delete_todo" else [changed])
    many = count(len(todos), "todo")
    pending, choices = ask_to_confirm(tool, [arguments(todo) for todo in todos], do=f"{verb} {many}{tail}", done=f"{past} {many}{tail}.")
    question = f"{verb} {many}{tail}? I ask before I change several at once:\n{numbered(todos[:20], turn.now.date())}"
    if len(todos) > 20:
        question += f"\nand {len(todos) - 20} more."
    return Reply(question, todos[:20], todos, choices, pending)


async def _restore(_turn: Turn, _request: Request) -> Reply:
    return Reply("I can take back my last change: say “undo”. A deletion in the list is undone there.", choices=[choice("Undo", "undo")])


async def _reopen(turn: Turn, request: Request) -> Reply:
    meant = await resolve(turn, request.said["which"], "done")
    return await _change_all(turn, meant, "update_todo", lambda todo: _version(todo, done=False), "Reopen", "Reopened", lambda todo: f"Reopened {quote(todo)}.")


def _version(todo: Todo, **values: Any) -> dict[str, Any]:
    return {"todo_id": todo["id"], "version": todo["version"], **values}


async def _rename(turn: Turn, request: Request) -> Reply:
    if "title" not in request.said:
        todo = await resolve_one(turn, request.said["which"], "all")
        raise UnclearError(f"What shall “{todo['title']}” be called? Say: rename {todo['title']} to …")
    title = request.said["title"].strip()
    todo = await resolve_one(turn, request.said["which"], "all")
    when = parse_when(title, turn.now) if unquote(title) == title else None
    if when:
        raise UnclearError(
            f"“{title}” is a date. Shall I rename “{todo['title']}”, or is it due then?",
            choices=[*([choice(f"It is due {title}", f'"{todo["title"]}" is due {title}')] if when.exists else []), choice(f"Rename it to “{title}”", f'rename "{todo["title"]}" to "{title}"')],
        )
    return await _rename_to(turn, todo, unquote(title))


async def _rename_to(turn: Turn, todo: Todo, title: str) -> Reply:
    changed = await _update(turn, todo, title=title)
    return Reply(f"Renamed to {quote(changed)}.", mentioned=[changed])


async def _change(turn: Turn, request: Request) -> Reply:
    """Take "change x to y" by what y is: a date, a priority, a title in quotes. Else ask."""
    which, to = request.said["which"], request.said["to"].strip()
    if unquote(to) != to:
        return await _rename_to(turn, await resolve_one(turn, which, "all"), unquote(to))
    if re.fullmatch(r"(?:be )?(?:done|completed?|finished)", to):
        return await _complete(turn, replace(request, said={"which": which}))
    if parse_when(to, turn.now):
        return await _reschedule(turn, replace(request, said={"which": which, "when": to}))
    if parse_priority(to):
        return await _prioritise(turn, replace(request, said={"which": which, "level": to}))
    todo = await resolve_one(turn, which, "all")
    raise UnclearError(f"Shall I rename “{todo['title']}” to “{to}”?", choices=[choice(f"Rename it to “{to}”", f'rename "{todo["title"]}" to "{to}"')])


async def _reschedule(turn: Turn, request: Request) -> Reply:
    said = re.sub(r"^(?:to|be|on|for|due)\s+", "", request.said["when"])
    when = parse_when(said, turn.now)
    if when is None and (shift := _SHIFT.fullmatch(said)) and re.search(r"\b(?:by|for|back)\b", request.words):
        return await _shift(turn, request.said["which"], shift)
    if when is None and (again := await _reschedule_tail(turn, request)):
        return again
    if when is None:
        raise UnclearError(f"I do not know the day “{said}”. Try “friday”, “in 3 days” or “2026-12-31”.")
    if not when.exists:
        raise UnclearError(f"There is no such day: {said}. Which day do you mean?")
    if when.repeats:
        raise UnclearError(f"A todo cannot repeat. Shall I make it due {describe_date(when.day or turn.now.date(), turn.now.date())}?", choices=[choice("Yes, the first time", f"move {request.said['which']} to {when.day}")])
    try:
        meant = await resolve(turn, request.said["which"], "open")
    except UnclearError as unclear:
        if unclear.candidates or unclear.choices or POSITION.fullmatch(request.said["which"]):
            raise
        phrase = Phrase(re.sub(r"^an? ", "", unquote(request.said["which"])), when.day, when.clock)
        raise UnclearError(unclear.question, choices=[choice(f"Add {_draft_words(phrase, turn)}", _add_message(phrase))]) from None
    return await _move(turn, meant, when)


async def _reschedule_tail(turn: Turn, request: Request) -> Reply | None:
    """Find the date at the end of "move the report for Ana to friday at 5", wherever the first "to" was."""
    spans = find_dates(request.words, turn.now)
    if not spans or spans[-1].end != len(request.words):
        return None
    head = request.words[: spans[-1].start].strip()
    found = re.fullmatch(r"\S+ (?P<which>.+?)(?: (?:to|until|till|for|by|on|at))?", head)
    if found is None or not spans[-1].when.exists:
        return None
    return await _move(turn, await resolve(turn, found["which"], "open"), spans[-1].when)


async def _move(turn: Turn, meant: Meant, when: When) -> Reply:
    def arguments(todo: Todo) -> dict[str, Any]:
        values: dict[str, Any] = {"due_date": when.day and when.day.isoformat()}
        if when.clock:
            values["due_time"] = f"{when.clock:%H:%M}"
        return _version(todo, **values)

    said = describe_date(when.day or turn.now.date(), turn.now.date())
    return await _change_all(turn, meant, "update_todo", arguments, "Move", "Moved", lambda todo: f"{quote(todo)} is now due {due(todo, turn.now.date())}.", tail=f" to {said}")


async def _reschedule_at_end(turn: Turn, request: Request) -> Reply:
    """Understand "postpone milk tomorrow", "push the dentist by 2 days" and "postpone milk"."""
    words = request.said["which"]
    if found := re.fullmatch(rf"(?P<which>.+?)(?: back| out)?(?: by| for)? {_SHIFT.pattern}", words, re.IGNORECASE):
        return await _shift(turn, found["which"], found)
    if again := await _reschedule_tail(turn, request):
        return again
    todo = await resolve_one(turn, words, "open")
    raise UnclearError(
        f"To which day shall I move “{todo['title']}”?",
        choices=[choice(day.capitalize(), f'move "{todo["title"]}" to {day}') for day in ("tomorrow", "next week")],
    )


_SHIFT = re.compile(r"(?:another )?(?P<count>\d{1,3}|an?|one|two|three|four|another)? ?(?P<unit>day|week|month)s?(?: later)?", re.IGNORECASE)


async def _shift(turn: Turn, which: str, found: "re.Match[str]") -> Reply:
    """Move a todo by some days, from the day that it is due, or from today when that is past."""
    said = (found["count"] or "one").lower()
    number = {"a": 1, "an": 1, "one": 1, "another": 1, "two": 2, "three": 3, "four": 4}.get(said) or int(said)
    todo = await resolve_one(turn, which, "open")
    today = turn.now.date()
    base = max(date.fromisoformat(todo["due_date"]), today) if todo["due_date"] else today
    unit = found["unit"].lower()
    day = base + (relativedelta(months=number) if unit == "month" else timedelta(days=number * {"day": 1, "week": 7}[unit]))
    return await _move(turn, Meant([todo]), When(day=day))


async def _unschedule(turn: Turn, request: Request) -> Reply:
    todo = await _update(turn, await resolve_one(turn, request.said["which"], "open"), clear_due_date=True)
    return Reply(f"{quote(todo)} has no due date any more.", mentioned=[todo])


async def _prioritise(turn: Turn, request: Request) -> Reply:
    level = parse_priority(re.sub(r"^an?\s+|importance$", "", request.said.get("level", "high"))) or "high"
    meant = await resolve(turn, request.said["which"], "open")
    return await _change_all(
        turn, meant, "update_todo", lambda todo: _version(todo, priority=level), "Change", "Changed", lambda todo: f"{quote(todo)} now has {todo['priority']} priority.", tail=f" to {level} priority"
    )


async def _tag(turn: Turn, request: Request) -> Reply:
    todo = await resolve_one(turn, request.said["which"], "all")
    changed = await _update(turn, todo, tags=[*todo["tags"], *_tags(request.said["tags"])])
    return Reply(f"{quote(changed)} is tagged {', '.join(changed['tags'])}.", mentioned=[changed])


async def _untag(turn: Turn, request: Request) -> Reply:
    todo = await resolve_one(turn, request.said["which"], "all")
    if "tags" not in request.said and len(todo["tags"]) != 1:
        raise UnclearError(
            f"Which tag shall I remove from “{todo['title']}”?",
            choices=[choice(f"#{tag}", f'remove #{tag} from "{todo["title"]}"') for tag in todo["tags"][:3]],
        )
    gone = _tags(request.said["tags"].lower()) if "tags" in request.said else todo["tags"]
    changed = await _update(turn, todo, tags=[tag for tag in todo["tags"] if tag not in gone])
    return Reply(f"{quote(changed)} is tagged {', '.join(changed['tags'])}." if changed["tags"] else f"{quote(changed)} has no tag any more.", mentioned=[changed])


def _tags(text: str) -> list[str]:
    return [tag.lstrip("#") for tag in re.split(r"[\s,]+(?:and\s+)?", text) if tag.lstrip("#") and tag not in ("and", "the", "tag")]


async def _update(turn: Turn, todo: Todo, **values: Any) -> Todo:
    return data(await turn.toolbox.call("update_todo", **_version(todo, **values)))


_Act = Callable[[Turn, Request], Awaitable[Reply]]
_ACTS: dict[str, _Act] = {
    "help": _help, "thanks": _thanks, "bye": _bye, "keep": _keep, "how": _how, "two": _two, "unknown": _unknown, "add": _add, "list": _list, "search": _search,
    "question": _question, "complete": _complete, "did": _did, "delete": _delete, "restore": _restore, "reopen": _reopen, "rename": _rename, "change": _change, "set_to": _change,
    "reschedule": _reschedule, "reschedule_at_end": _reschedule_at_end, "unschedule": _unschedule, "prioritise": _prioritise, "tag": _tag, "untag": _untag,
}  # fmt: skip
