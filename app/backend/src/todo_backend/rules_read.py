"""Answer questions about the list. Nothing here changes a todo."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from todo_backend import slips
from todo_backend.asked_state import answer_of_state
from todo_backend.dates import without_dates
from todo_backend.filters import Filter, data, kind_of, parse_filter, select, without_strange_words
from todo_backend.intents import Request
from todo_backend.references import Turn, find, unquote
from todo_backend.replies import HELP, WHATS_LEFT, Reply, count, numbered, page

_LIST_STARTS = re.compile(
    r"^(?:how (?:many|much|far)|how(?:'s| is| does)|count|number of|show|list|display|see|view|print|give|get|tell|read|(?:re-?)?sort|rank|(?:re-?)?order|what(?:'s|s| is| are| do| did| have| must| should| can)?|which|zeige?|was|welche|sortiere?|ordena|ordenar|trie|trier|muestra|muéstrame|qué|que|montre(?:-moi)?|affiche|"
    r"is there|are there|am i|do i have|have i|did (?:i|we)|anything|any|got|wie viele?|cuánt[oa]s|combien de|qu'est-ce qu(?:e|i|'(?=ils?\b|on\b))(?: j'ai| est)?|dime|mostrar|ver|quelles?|cuáles|else)\b", re.IGNORECASE
)  # fmt: skip


_LIST_FILLER = re.compile(
    r"\b(?:busy|free|attention|quick|overview|summary|rundown|c'est|programme|planning|hab|vor|mach|mache|agenda|plate|radar|calendar|schedule|plan(?:s|ned)?|upcoming|to be|remaining|remains?|else|next|happening|going on|look like|looks like|looking|look|comes|can|about|got|ist|sind|steht|noch|an|fällig|muss|habe|gibt es|zu tun|tun|machen|por|son|hay|está|tiene|pendiente|à faire|faire|ai-je|j'ai|sont|"
    r"ce que|dois|je|me|quedan?|faltan?|restent|reste|il|quoi|bleiben|bleibt|übrig|encore|deadlines?|up|behind|aujourd'hui|میری|میرے|کے|کا|کی|کام|دکھاؤ|دکھائیں|دکھا دو|کیا کرنا ہے|کیا کرنا|کیا|ہے|ہیں|باقی|مجھے|کرنا|بتاؤ|dikhao|dikha|mere|mera|kaam|kya|karna|hai|meri|mujhe|batao|you|did|tell|number|see|give|show|list|was|were|finish|complete|achieve|accomplish|when|how|many|there|to|anyone|anybody|someone)\b",
    re.IGNORECASE,
)  # fmt: skip

_FINISH = re.compile(r"\b(?:finish|complete|do|accomplish|achieve|get done|(?:tick|check|cross) off)\b", re.IGNORECASE)


_FORGOT = re.compile(
    r"^(?:did|have) (?:i|we) (?:miss(?:ed)?|forget|forgotten) (?:anything|something)(?= .*\b(?:today|tomorrow|this week)\b)",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"what (?:should|must|shall|do) i (?:do|work on|tackle|start)(?: with)? (?:first|next)|what(?:'s| is) (?:first|most important)",
    re.IGNORECASE,
)
_MOST = re.compile(r"\bmost (?:urgent|important|pressing)\b", re.IGNORECASE)
_FEW = 3
_SATURDAY = 5
_NEXT = re.compile(r"(?:what|when)(?:'s| is| are| comes| do i have) (?:my |the )?next\b", re.IGNORECASE)


async def list_todos(turn: Turn, request: Request) -> Reply:  # noqa: C901, PLR0911, PLR0912 - one kind of question a line
    """List or count the todos that the words select."""
    words = re.sub(r"\b(?:my|the) day\b(?=$| look)", "today", request.words, flags=re.IGNORECASE)
    words = re.sub(r"\bwe\b", "i", re.sub(r"\bour\b", "my", words, flags=re.IGNORECASE), flags=re.IGNORECASE)
    words = _FORGOT.sub("show open", words)
    counts = bool(re.match(r"how (?:many|much)|count|number of|wie viele?|cuánt[oa]s?|combien", words, re.IGNORECASE))
    did = re.search(r"\b(?:did i|have i|i've|i have (?:done|finished|completed))\b", words, re.IGNORECASE)
    subject = _LIST_STARTS.sub("", words).strip()
    chosen = parse_filter(subject, turn.now, "open")
    if re.match(r"am i (?:all )?(?:done|finished)\b", words, re.IGNORECASE):
        chosen = replace(chosen, state="open")
    if did and (chosen.said_state or _FINISH.search(subject)):
        chosen = replace(chosen, state="done")
    rest = " ".join(_LIST_FILLER.sub(" ", chosen.rest).split()).strip("'\" ")
    rest = re.sub(r"^(?:about|with|for|named|called|s)\s+", "", rest)
    chosen = replace(chosen, rest=rest)
    if chosen.state == "done" and chosen.first:  # "what did I finish today" is about another day than the due one
        return await _finished(turn, chosen)
    if (
        re.match(
            r"what (?:should|must|can|shall) i (?:do|work on|tackle|start)|what needs|next\b|what(?:'s| is) (?:next|first|most important|the next)",
            words,
            re.IGNORECASE,
        )
        and chosen.is_plain
    ):
        chosen = replace(chosen, sort="due")
    if _MOST.search(words):
        chosen = replace(chosen, sort="due")
    if chosen.day:
        chosen = replace(chosen, day=re.sub(r"^(?:for|on) ", "", chosen.day))
    todos, total = await select(turn.toolbox, chosen, turn.now, turn.shown)
    if not todos and chosen.rest and (right := slips.corrected(words)) != words:
        return await list_todos(turn, replace(request, words=right))
    if not todos and chosen.rest:
        known = await without_strange_words(turn.toolbox, chosen)
        if known.rest or not known.is_plain or _NEXT.match(words):
            chosen = known
            todos, total = await select(turn.toolbox, chosen, turn.now, turn.shown)
    if _FIRST.match(words) and chosen.is_plain and total > _FEW:
        heading = f"{count(total, kind_of(chosen)).capitalize()}; the first by their dates:"
        return Reply(f"{heading}\n{numbered(todos[:_FEW], turn.wording)}", todos[:_FEW], choices=[WHATS_LEFT])
    kind = kind_of(chosen)
    about = f" about “{chosen.rest}”" if chosen.rest else f" tagged #{chosen.tag}" if chosen.tag else ""
    day = f" due {chosen.day}" if chosen.day and not chosen.overdue else " without a due date" if chosen.undated else ""
    if counts and not todos:
        return Reply(f"There is no {kind}{about}{day}.")
    if counts:
        return Reply(f"{count(total, kind).capitalize()}{about}{day}.", mentioned=todos[:20])
    if not todos and chosen.rest and re.match(r"(?:what|which)\b", words, re.IGNORECASE):
        return Reply(
            f"I found no todo about “{chosen.rest}”, and todos are all that I know.", choices=[HELP, WHATS_LEFT]
        )
    if not todos:
        return await _nothing(turn, chosen, f"There is no {kind}{about}{day}.")
    heading = f"{kind}{about}{day}" if not (about or day) else kind
    reply = page(todos, total, heading, turn.wording)
    return _headed(reply, f"{about}{day}")


def _headed(reply: Reply, more: str) -> Reply:
    """Say more in the line above a list, behind how many there are."""
    first, _, others = reply.text.partition(":\n")
    return replace(reply, text=f"{first}{more}:\n{others}") if more else reply


async def _nothing(turn: Turn, chosen: Filter, text: str) -> Reply:
    """Say that nothing is due then; what is overdue is said too, since it is left to do."""
    if not (chosen.first and chosen.first <= turn.now.date()) or chosen.state == "done":
        return Reply(text)
    if coming := await _next_week(turn, chosen):
        return replace(coming, text=f"{text} {coming.text}")
    late, total = await select(turn.toolbox, Filter(overdue=True), turn.now, [])
    if not late:
        return Reply(text)
    return Reply(f"{text} {count(total, 'todo').capitalize()} overdue:\n{numbered(late[:20], turn.wording)}", late[:20])


async def _next_week(turn: Turn, chosen: Filter) -> Reply | None:
    """List what is due next week where "this week" is asked for at its end: whoever plans on a sunday means the days to come."""
    today = turn.now.date()
    ends = today + timedelta(days=6 - today.weekday())
    if today.weekday() < _SATURDAY or chosen.last != ends or chosen.last == chosen.first or not chosen.last:
        return None
    monday = chosen.last + timedelta(days=1)
    week = replace(chosen, first=monday, last=monday + timedelta(days=6), day="next week")
    todos, total = await select(turn.toolbox, week, turn.now, turn.shown)
    if not todos:
        return None
    return _headed(page(todos, total, "todo", turn.wording), " due next week")


async def _finished(turn: Turn, chosen: Filter) -> Reply:
    todos, _ = await select(turn.toolbox, replace(chosen, first=None, last=None), turn.now, turn.shown)
    zone = turn.now.tzinfo
    first, last = (chosen.first or turn.now.date()), (chosen.last or turn.now.date())
    kept = [
        todo
        for todo in todos
        if todo["completed_at"]
        and first <= datetime.fromisoformat(todo["completed_at"]).astimezone(zone).date() <= last
    ]
    if not kept:
        return Reply(f"You completed no todo {chosen.day}.")
    return _headed(page(kept, len(kept), "completed todo", turn.wording), f" {chosen.day}")


async def search(turn: Turn, request: Request) -> Reply:
    """Find todos by their words."""
    what = (
        unquote(
            re.sub(
                r"^(?:(?:all|any|my|the)\s+)*(?:todos?|tasks?|items?|things?|everything|anything|something)?\s*(?:about|with|for|containing|called|named|that mention)?\s+(?=\S)",
                "",
                f"{request.said['what']} ".lstrip(),
            ).strip()
        )
        or request.said["what"]
    )
    chosen = parse_filter(request.said["what"], turn.now, "all")
    if not (chosen.tag or chosen.overdue or chosen.priority or chosen.first):
        answer = data(await turn.toolbox.call("search_todos", text=what[:200], limit=20))
        if not answer["items"]:
            found, _ = await find(turn, what, "all")
            answer = {"items": found[:20], "total": len(found)}
        return page(answer["items"], answer["total"], "matching todo", turn.wording)
    todos, total = await select(turn.toolbox, chosen, turn.now, turn.shown)
    return page(todos, total, "matching todo", turn.wording)


async def question(turn: Turn, request: Request) -> Reply:
    """Answer a question about a todo; a question never changes anything."""
    what = re.sub(r"^(?:(?:i|we|you)(?:'ve| have)?|my|the|there)\s+", "", request.said["what"], flags=re.IGNORECASE)
    what = re.sub(
        r"\s+(?:is|are|was|due|done|finished|completed|open|scheduled|already|yet|still|overdue)\b", " ", f" {what}"
    ).strip()
    what = re.sub(r"\s+(?:on|in) (?:my|the) (?:todo )?list$|\s+or not$|\s+(?:been|get|got)\b(?= \w)", "", what)
    what = re.sub(
        r"^(?:(?:ever|actually|really|finally|remember to|add(?:ed)?|manage to|get (?:a)?round to|is|are|my|the|i|supposed|to|have|need|delete|remove|complete|finish|do|done|did|need|call(?=ed))\s+)+(?=\S)",
        "",
        what,
    )
    found, how = await find(turn, what, "all")
    bare = without_dates(what, turn.now)
    if bare != what and (not found or how == "near"):
        again, fits = await find(turn, bare, "all")
        found, how = (again, fits) if again else (found, how)
    if not found and (known := await without_strange_words(turn.toolbox, Filter(rest=what))).rest:
        found, _ = await find(turn, known.rest, "all")
    if not found and parse_filter(request.words, turn.now).first:  # "am I busy tomorrow"
        return await list_todos(turn, request)
    if not found:
        return Reply(f"I found no todo about “{what}”, and todos are all that I know.", choices=[HELP, WHATS_LEFT])
    if len(found) == 1 and how in ("exact", "words") and (told := answer_of_state(turn, request.words, found[0])):
        return told
    return page(found, len(found), "todo", turn.wording)
