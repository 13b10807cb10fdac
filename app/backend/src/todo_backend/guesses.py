"""What a message may mean that is no known request: from the todos that are there and what was said before.

A guess changes something only when all that was said is accounted for: the words name one todo, and the rest is a
date, a priority or its own verb. Nothing is deleted on a guess. Otherwise it is a question with choices.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from todo_backend import slips
from todo_backend.dates import Span, find_dates, parse_when
from todo_backend.filters import parse_filter, select, without_strange_words
from todo_backend.intents import Request, understand
from todo_backend.phrases import parse_phrase, parse_priority, without_end
from todo_backend.references import IT, POSITION, THEM, Turn, among, by_ids, content, everything, find, resolve, unquote
from todo_backend.replies import Reply, Todo, UnclearError, choice
from todo_backend.rules_add import add_message, draft_words
from todo_backend.stems import ERRANDS, IS_CANCELLED, infinitives, is_past, stem, synonyms
from todo_backend.ways import Kind

Act = Callable[[Turn, Request], Awaitable[Reply]]

_LONGEST = 200  # characters: who writes more does not mean a todo that is there, and looking through it costs time
_ASKED = re.compile(r"Which one\?|Which one do|Do you mean|Say its number")
_ASKED_DAY = re.compile(r"To which day|Which day do you mean")
_NAMED = re.compile(
    r"(?:no,? |wait,? |not (?:that|this)(?: one)?,? )*(?:i (?:meant?|want)|meant?|it'?s|that'?s)?\s*(?P<which>.+?)",
    re.IGNORECASE,
)


def answer_to_what(turn: Turn, words: str) -> Request | None:
    """Return the addition that "What shall I add for tomorrow?" asked about."""
    said = turn.dialogue.utterances
    if len(said) < 3 or not said[-2].text.startswith("What shall I add for ") or understand(words).kind != "unknown":
        return None
    return Request("add", {"what": f"{words}, {understand(said[-3].text).said.get('what', '')}".rstrip(", ")}, words)


_NARROWED = re.compile(
    r"(?:(?:no|nope|yes|yeah|ok|okay)\b[\s,.!]*)?(?:but )?(?P<how>only|just|all (?:but|except)|except(?: for)?|(?:but )?not) (?P<which>.+?)(?: please)?",
    re.IGNORECASE,
)


async def narrowed(turn: Turn, words: str) -> Request | None:
    """Return the request of a set that waits for a yes, of only those that "only the first" or "not the second" leave."""
    said = turn.dialogue.utterances
    if len(said) < 3 or not said[-2].pending or not (found := _NARROWED.fullmatch(words)):
        return None
    earlier = understand(said[-3].text)
    asked = await by_ids(turn, [str(todo_id) for todo_id in said[-2].mentioned])
    named = await _of_these(turn, asked, found["which"])
    if "which" not in earlier.said or not named:
        return None
    keeps = found["how"].lower() in ("only", "just")
    left = [todo for todo in asked if (todo["id"] in named) is keeps]
    titles = " and ".join(f'"{todo["title"]}"' for todo in left)
    if len(left) == 1 and not keeps and earlier.kind == "delete":  # what was not named itself is not deleted unasked
        earlier = replace(earlier, kind="drop")
    return replace(earlier, said={**earlier.said, "which": titles}, words=words) if left else None


async def _of_these(turn: Turn, asked: list[Todo], which: str) -> set[str]:
    """Return the ids of those of a few todos that are named, by their words or their numbers in the last answer."""
    if found := among(asked, which):
        return {todo["id"] for todo in found}
    with suppress(UnclearError):
        ids = {todo["id"] for todo in asked}
        return {todo["id"] for todo in (await resolve(turn, which, "all")).todos if todo["id"] in ids}
    return set()


async def answer_to_which(turn: Turn, words: str) -> Request | None:  # noqa: PLR0911 - one kind of answer a line
    """Return the request that was asked about ("2 todos match. Which one?"), completed by what is said now."""
    said = turn.dialogue.utterances
    if len(words) > _LONGEST:
        return None
    words_of_day = re.sub(r"^(?:to|for|on)\s+", "", words, flags=re.IGNORECASE)
    if len(said) > 2 and _ASKED_DAY.search(said[-2].text) and parse_when(words_of_day, turn.now):
        earlier = understand(said[-3].text)
        if earlier.kind == "reschedule_at_end":
            return Request("reschedule", {"which": earlier.said["which"], "when": words_of_day}, words)
    if len(said) < 3 or not said[-2].listed or said[-2].pending or not _ASKED.search(said[-2].text):
        return None
    earlier = understand(said[-3].text)
    if earlier.kind == "each":  # of several requests that one which named what the question repeats
        parts = [understand(part) for part in earlier.said["parts"].split("\n")]
        earlier = next((each for each in parts if f"“{each.said.get('which')}”" in said[-2].text), earlier)
    if "which" not in earlier.said:
        return None
    if POSITION.fullmatch(words) or THEM.fullmatch(words):
        return replace(earlier, said={**earlier.said, "which": words})
    if understand(words).kind not in ("unknown", "meant", "keep") or not (named := _NAMED.fullmatch(words)):
        return None
    candidates = await by_ids(turn, [str(todo_id) for todo_id in said[-2].listed])
    if len(chosen := among(candidates, named["which"])) != 1:
        return None
    number = [str(todo_id) for todo_id in said[-2].listed].index(chosen[0]["id"]) + 1
    return replace(earlier, said={**earlier.said, "which": str(number)})


async def guess(turn: Turn, request: Request, act: Act) -> Reply | None:
    """Answer a message that was not understood as such; None when there is no guess.

    `act` does what a request asks for.
    """
    words = request.words
    if len(words) > _LONGEST:
        return None
    for understood in (_as_before, _leading_date, _trailing_date, _mistyped, _about_it):
        if again := understood(turn, words):
            return await act(turn, again)
    for looked_up in (_field_of, _done_by_its_verb, _not_done, _last_clause, _selection):
        if again := await looked_up(turn, words):
            return await act(turn, again)
    if asked := await _asked_of_a_day(turn, words):
        return await act(turn, asked)
    return await _todo_and_date(turn, words, act)


async def _asked_of_a_day(turn: Turn, words: str) -> Request | None:
    """Understand a question that names a day and no todo as one about that day, whatever its words are."""
    spans = [span for span in find_dates(words, turn.now) if span.when.said_day and span.when.exists]
    if not spans or not turn.dialogue.question.rstrip().endswith("?") or words.split(maxsplit=1)[0].lower() in ERRANDS:
        return None
    said = content(words)
    if any(content(todo["title"]) & said for todo in await everything(turn, "open")):
        return None
    return Request("list", {}, f"show {words[spans[0].start : spans[0].end].strip()}")


_CLAUSE = re.compile(r"(?:\s*[,;:!]|(?<=\w\w\w\w)\.|\s[–—-])\s+(?:(?:also|so|and|then|please)\s+)*", re.IGNORECASE)


async def _last_clause(turn: Turn, words: str) -> Request | None:
    """Understand "the invoice bounced, reopen it": an order at the end, of the todo that was spoken of before it.

    A deletion is asked about.
    """
    *before, last = _CLAUSE.split(words)
    request = understand(_OBJECTLESS.sub(r"\1 it", last))
    which = request.said.get("which", "")
    told = " ".join(before)
    if not told or request.kind not in _OF_ONE or not which or _TO_COME.search(told):  # "if it rains, push it"
        return None
    if not IT.fullmatch(which):
        found, how = await find(turn, unquote(which), "all")
        return request if len(found) == 1 and how == "exact" else None
    shared = [(todo, content(told) & content(todo["title"])) for todo in await everything(turn, "all")]
    most = max((len(common) for _, common in shared), default=0)
    best = [todo for todo, common in shared if common and len(common) == most]
    if len(best) != 1:
        return None
    kind: Kind = "drop" if request.kind == "delete" else request.kind
    return replace(request, kind=kind, said={**request.said, "which": f'"{best[0]["title"]}"'})


# A verb alone, or one that goes on with a preposition: "push by two days".
_OBJECTLESS = re.compile(r"^(\w+)(?=$| (?:to|by|back|until|till|for|as|with|on)\b)", re.IGNORECASE)
_OF_ONE = frozenset(
    {
        "complete",
        "reopen",
        "delete",
        "reschedule",
        "reschedule_at_end",
        "prioritise",
        "tag",
        "unschedule",
        "note",
        "rename",
    }
)


_TOO = re.compile(
    r"(?:(?:and|also|so is|same (?:for|with)|do the same (?:for|with)) )*(?P<which>.+?)(?P<too>,? (?:too|as well|also))?",
    re.IGNORECASE,
)


def _as_before(turn: Turn, words: str) -> Request | None:
    """Understand "and the milk too" as the request before, said of the milk; a deletion is not made of that."""
    said = [each.text for each in turn.dialogue.utterances if each.role == "user"]
    found = _TOO.fullmatch(words)
    question = turn.dialogue.question
    if len(said) < 2 or not found or not (found["too"] or _SAME.match(question) or _MORE.match(question)):
        return None
    earlier = understand(said[-2])
    if earlier.kind == "add" and not parse_when(words, turn.now) and not parse_priority(words):
        return replace(earlier, said={"what": found["which"]}, words=words)
    if (
        not (found["too"] or _SAME.match(question))
        or "which" not in earlier.said
        or earlier.kind in ("delete", "rename", "note")
    ):
        return None
    return replace(earlier, said={**earlier.said, "which": found["which"]}, words=words)


_MORE = re.compile(r"(?:and|also|plus|oh and)\b", re.IGNORECASE)
_SAME = re.compile(r"(?:and |do )*(?:the )?same (?:for|with)\b", re.IGNORECASE)


def _leading_date(turn: Turn, words: str) -> Request | None:
    """Understand "tomorrow I have to return the drill" as if the day came last."""
    spans = find_dates(words, turn.now)
    if not spans or spans[0].start != 0 or spans[0].end == len(words):
        return None
    rest, day = words[spans[0].end :].strip(" ,:"), words[: spans[0].end].strip()
    again = understand(rest)
    return _with_day(again, day) if again.kind in ("add", "list") else None


def _trailing_date(turn: Turn, words: str) -> Request | None:
    """Understand "sabzi lana yaad dilao kal", where the day follows the command."""
    spans = find_dates(words, turn.now)
    if not spans or spans[-1].end != len(words) or spans[-1].start == 0:
        return None
    again = understand(words[: spans[-1].start].strip(" ,"))
    return _with_day(again, words[spans[-1].start :].strip()) if again.kind in ("add", "list") else None


def _with_day(request: Request, day: str) -> Request:
    if request.kind == "list":
        return replace(request, words=f"{request.words} {day}")
    return replace(request, said={**request.said, "what": f"{request.said['what']} {day}"})


def _mistyped(_turn: Turn, words: str) -> Request | None:
    """Understand "hihg priority tasks" by the words that requests are made of; a title is never corrected."""
    if (right := slips.corrected(words)) == words:
        return None
    again = understand(right)
    return None if again.kind in ("unknown", "add", "did", "help", "thanks", "keep") else again


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
    said = turn.dialogue.utterances
    lacks_day = len(said) > 1 and said[-2].text.startswith("Added ") and ", due " not in said[-2].text
    request = about_the_last(turn, words) if lacks_day else None
    if request is None or request.kind != "reschedule" or understand(words).kind != "list":
        return None
    return replace(request, kind="may_reschedule")


def correction_of_the_last(turn: Turn, words: str) -> Request | None:
    """Understand what follows "no, wait" or "I meant": a day, a time or a priority of the todo that was changed."""
    bare = re.sub(
        r"^(?:(?:no|wait|sorry|actually|rather|make (?:it|that)|on|for)\b[\s,.]*)+", "", words, flags=re.IGNORECASE
    )
    if re.fullmatch(r"\d{1,2}(?::\d\d)?", bare):
        bare = f"at {bare}"
    return about_the_last(turn, bare)


def _about_it(turn: Turn, words: str) -> Request | None:
    """Understand "high priority" and "at 5pm", of the todo that was spoken of, or else as a question."""
    last = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    bare = re.sub(r"^(?:with|make it|it'?s|it is|as|and|due)\s+", "", words, flags=re.IGNORECASE)
    if last and last.listed and len(last.mentioned) == 1 and bare.casefold().endswith(" instead"):
        day = bare[: -len(" instead")]
        return Request("reschedule", {"which": "it", "when": day}, words) if parse_when(day, turn.now) else None
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


def with_its_fields(turn: Turn, words: str) -> Request | None:
    """Understand "make the oven urgent and due tomorrow, #home" as a request for each field of the todo."""
    head, *tails = re.split(r",\s*(?:and\s+)?|\s+and\s+", words)
    first = understand(head)
    if not tails or first.kind not in ("prioritise", "reschedule", "set_to"):
        return None
    parts = [head]
    for tail in tails:
        bare = re.sub(r"^(?:make it|set it to|with|it'?s|as|due)\s+", "", tail, flags=re.IGNORECASE)
        if parse_priority(bare) or (first.kind != "reschedule" and parse_when(bare, turn.now)):
            parts.append(f"make it {bare}")
        elif found := re.fullmatch(r"(?P<tags>#\S+)|(?:tag|label|tagged)(?: (?:it|as|with))* #?(?P<tag>[\w-]+)", bare):
            parts.append(f"tag it with {found['tags'] or found['tag']}")
        else:
            return None
    return Request("each", {"parts": "\n".join(parts)}, words)


async def _field_of(turn: Turn, words: str) -> Request | None:
    """Understand "roses: high" when one open todo is called so; "roses: friday" may be a new one, so that is asked."""
    found = re.fullmatch(r"(?P<which>[^:]+?)(?::|\s[-–—]+|\s*[=-]>) (?P<level>.+)", words)
    if not found or not parse_priority(found["level"]):
        return None
    todos, how = await find(turn, found["which"], "open")
    if len(todos) != 1 or how not in ("exact", "words"):
        return None
    return Request("prioritise", {"which": f'"{todos[0]["title"]}"', "level": found["level"]}, words)


_ITEM = re.compile(
    r"\b(?:stuff|chores|errands|jobs|things?|items?|tasks?|todos?|to-dos?|ones|everything|list)\b", re.IGNORECASE
)


async def _selection(turn: Turn, words: str) -> Request | None:
    """Understand "late stuff" and "kids tasks": words that only select, of which each is known."""
    chosen = parse_filter(words, turn.now)
    if chosen.is_plain or not (_ITEM.search(words) or chosen.overdue or chosen.priority or chosen.tag):
        return None
    known = await without_strange_words(turn.toolbox, chosen)
    if any(word not in known.rest.split() and not _ITEM.fullmatch(word) for word in chosen.rest.split()):
        return None
    chosen = known
    todos, _ = await select(turn.toolbox, chosen, turn.now, turn.shown)
    return Request("list", {}, f"show {words}") if todos or not chosen.rest else None


_PASSIVE = re.compile(
    r"(?P<rest>.+?) (?:is|are|was|were|(?:has|have)(?: (?:now|already|all|finally|just|both))* been|got|gets?)(?: (?:now|already|all|finally|just|both))* (?P<verb>\w+)(?: (?:now|already|today))*",
    re.IGNORECASE,
)
_FOREIGN_PASSIVE = re.compile(
    r"(?P<rest>.+?) (?:ya |déjà )?(?:ist|sind|wurden?|est|sont|a été|está|están|ha sido)(?: (?:schon|jetzt|bereits|ya|déjà))* (?P<verb>(?:ge|be|ver|ab|an|auf|aus|ein)\w+(?:t|en)|\w+(?:ad[oa]s?|id[oa]s?|[ée]e?s?))",
    re.IGNORECASE,
)
_PERFECT = (
    re.compile(r"(?:j'ai|on a|nous avons)(?: (?:déjà|bien|enfin))? (?P<verb>\w+) (?P<rest>.+)", re.IGNORECASE),
    re.compile(r"(?:ya |yo )?(?:he |hemos )?(?:ya )?(?P<verb>\w+(?:é|í|ado|ido|cho|to)) (?P<rest>.+)", re.IGNORECASE),
    _FOREIGN_PASSIVE,
    re.compile(r"(?:ich|wir) haben? (?:(?:schon|bereits|gerade|heute) )?(?P<rest>.+) (?P<verb>\w+)", re.IGNORECASE),
    re.compile(r"(?P<rest>.+) (?P<verb>\w*ge\w{2,}(?:t|en)|(?:be|ver|er|ent)\w{2,}t)", re.IGNORECASE),
)
_NOT = re.compile(r"\b(?:not|never|no|nicht|kein\w*|noch|pas|nunca)\b|n't\b", re.IGNORECASE)


async def _done_by_its_verb(turn: Turn, words: str) -> Request | None:
    """Understand "the plants are watered" and "j'ai appelé Ana" when one open todo is called so."""
    if _NOT.search(words) or _TO_COME.search(words) or turn.dialogue.question.rstrip().endswith("?"):
        return None
    if done := await _done_in_any_order(turn, words):
        return done
    if done := await _several_done(turn, words):
        return done
    for pattern in (_PASSIVE, *_PERFECT):
        found = pattern.fullmatch(re.sub(r"(?<=\w)'s been\b", " has been", words))
        if found and (title := await _title_of_verb(turn, pattern, found)):
            return Request("complete", {"which": f'"{title}"'}, words)
    return None


async def _title_of_verb(turn: Turn, pattern: re.Pattern[str], found: "re.Match[str]") -> str:
    """Return the title of the one open todo that a verb in the past and its object name; empty when there is none."""
    if pattern is _FOREIGN_PASSIVE:  # "buy milk ist gekauft": an English title, a foreign verb
        todos, how = await find(turn, found["rest"], "open")
        if len(todos) == 1 and how == "exact":
            return str(todos[0]["title"])
    ways = [f"{verb} {found['rest']}" for verb in infinitives(found["verb"])]
    for way in [ways[0], *synonyms(ways[0])] if pattern is _PASSIVE else ways:
        todos, how = await find(turn, way, "open")
        if len(todos) != 1 or how not in ("exact", "words"):
            continue
        verb, title = found["verb"].lower(), str(todos[0]["title"])
        # "The trash is out" says that it was taken out; "the report is in" may say anything.
        if pattern is not _PASSIVE or is_past(verb) or verb in title.lower().split():
            return title
    return ""


_CALLS_A_PART = 30  # of the tools: a verb has several synonyms, each of which is looked for


async def _several_done(turn: Turn, words: str) -> Request | None:
    """Understand "glasses ordered and cat food bought"; as of several todos, it is asked about."""
    parts = re.split(r",? and |, ", words)
    if len(parts) < 2:
        return None
    verb, _, rest = parts[0].partition(" ")
    if rest and is_past(verb.casefold()):  # "got milk and eggs"
        parts = [part if any(map(is_past, part.casefold().split())) else f"{verb} {part}" for part in parts]
    turn.toolbox.allow(_CALLS_A_PART * (len(parts) + 1))
    titles = [await _title_done(turn, part) for part in parts]
    if not all(titles) or len(set(titles)) < len(titles):
        return None
    return Request("complete", {"which": " and ".join(f'"{title}"' for title in titles)}, words)


async def _title_done(turn: Turn, words: str) -> str:
    """Return the title of the todo that "cat food bought" names, or "phone bill paid", whose verb is not its own."""
    if done := await _done_in_any_order(turn, words):
        return unquote(done.said["which"])
    name = " ".join(word for word in _DONE_WORDS.sub(" ", words).split() if not is_past(word.casefold()))
    if name == words or IS_CANCELLED.search(words) or _HAS_CALLED.search(words):
        return ""
    todos, how = await find(turn, name, "open")
    return str(todos[0]["title"]) if len(todos) == 1 and how in ("exact", "words") else ""


_NOT_YET = re.compile(
    r"(?P<rest>.+?) (?:is|are|was|were|has|have)(?:n't| not| still not)(?: been)?(?: (?:yet|actually|really|even))* (?P<verb>\w+)(?: (?:yet|after all|though))*",
    re.IGNORECASE,
)


async def _not_done(turn: Turn, words: str) -> Request | None:
    """Understand "the room isn't booked yet": what is open is shown, what is done is asked about."""
    if not (found := _NOT_YET.fullmatch(words)) or not is_past(found["verb"].lower()):
        return None
    todos, how = await find(turn, f"{found['verb']} {found['rest']}", "all")
    if len(todos) != 1 or how not in ("exact", "words"):
        return None
    title = todos[0]["title"]
    if todos[0]["done"]:
        return Request("may_reopen", {"which": f'"{title}"'}, words)
    return Request("question", {"what": title}, words)


_TO_COME = re.compile(
    r"\b(?:will|shall|should|must|going to|gonna|need|needs|to be|if|when|want|wanna|might|may|could|would)\b",
    re.IGNORECASE,
)
_DONE_WORDS = re.compile(
    r"\b(?:(?:is|are|was|were|has been|have been|i've|we've|i'm|i|we|have|did|am|now|just|finally|already|today|yesterday|this morning|last night|(?:let'?s |lets )go+|yay|woo+(?:hoo+)?|phew|hooray|yes|haha|lol|done|finish(?:ed)?|completed?|over|ready|fertig|erledigt|hecho|fait)\b[\s,:!-]*)+",
    re.IGNORECASE,
)
_HAS_CALLED = re.compile(
    r"^(?!.*(?:'s|\b(?:is|are|was|were|been|got|i|we|done))\b).+ (?:called|rang|phoned|texted|messaged|emailed|e-mailed|wrote|visited|met|asked|told|invited|helped|contacted|thanked)$",
    re.IGNORECASE,
)
_SAYS_DONE = re.compile(r"\b(?:already|done|finish(?:ed)?|completed?|fertig|erledigt)\b", re.IGNORECASE)


async def _done_in_any_order(turn: Turn, words: str) -> Request | None:
    """Understand "invoices approved", "handed in the report" and "i pay internet already" when one todo is called so.

    Either a word says that it is done, or the todo's own verb is in the past.
    """
    name = " ".join(_DONE_WORDS.sub(" ", words).split())
    todos, how = await find(turn, name, "open")
    for verb in synonyms(name.casefold()):  # "got the dog food"
        if not todos or how == "near":
            todos, how = await find(turn, verb, "open")
            name = verb if len(todos) == 1 else name
    if len(todos) != 1 or how not in ("exact", "words"):
        return None
    title = todos[0]["title"].casefold().split()
    if _HAS_CALLED.search(words) and stem(words.casefold().split()[-1]) == stem(title[0]):
        return None  # mom called: who is to be called
    past = [word for word in name.casefold().split() if word not in title and is_past(word)]
    if _SAYS_DONE.search(words) or any(stem(word) in {stem(own) for own in title} for word in past):
        return Request("complete", {"which": f'"{todos[0]["title"]}"'}, words)
    return None


_IS_NOW = re.compile(
    r"\b(?:(?:can|could|must|has to|needs to) (?:now )?be|is|are|was|were|will be|should be|must be|has been|have been|got|gets|is now|ist|sind|wird|takes place|happens|starts|begins|opens|closes|(?:moved|changed|rescheduled|postponed|pushed|shifted|extended|delayed)(?= (?:to|until|back)\b))\b(?: (?:now|jetzt|nun|moved|changed|rescheduled|postponed|pushed|back|delayed|brought forward|actually|to|on|until))*",
    re.IGNORECASE,
)
_AROUND = re.compile(
    r"^(?:do|the|my|our|so|but|actually)\s+|\s+(?:can wait|till|until|deadline|due date|date|now|instead|then|again|to|on|for|(?:at )?(?:the )?same time)$",
    re.IGNORECASE,
)


# "It doesn't have to be today, monday's fine"
_FINE = re.compile(
    r"\b(\w+day)(?:'s| is| would be| works| will be)(?: also| totally)?(?: (?:fine|ok|okay|good|better|enough|early enough))\b",
    re.IGNORECASE,
)
_NOT_THEN = re.compile(
    r"\b(?:doesn't|does not|don't|needn't|need not)(?: (?:have|need) to)?(?: be)?(?: done| finished)?(?: on| by)? (?:today|tonight|tomorrow|\w+day|this week)\b,?",
    re.IGNORECASE,
)


async def _todo_and_date(turn: Turn, words: str, act: Act) -> Reply | None:
    """Understand "the flight is on dec 6 now"; "call mom at 6pm" may also be a new todo, so that is asked."""
    words, _ = without_end(_NOT_THEN.sub("", _FINE.sub(r"\1 instead", words)), turn.now)
    spans = [span for span in find_dates(words, turn.now) if span.when.exists and not span.when.repeats]
    if len(spans) == 2 and (moved := await _from_its_day(turn, words, spans[0], spans[1])):
        return await act(turn, moved)
    if len(spans) != 1 or IS_CANCELLED.search(words):
        return None
    when = words[spans[0].start : spans[0].end].strip()
    rest = f"{words[: spans[0].start].strip()} {words[spans[0].end :].strip()}".strip()
    is_sure = not re.match(r"(?:at )?\d{1,2}\b(?!:| ?[ap]\.?m)", when)  # "at 7 instead of 6": in the morning?
    states_it = _IS_NOW.search(rest) or re.search(r"\binstead\b", rest) or (spans[0].instead and is_sure)
    name = _IS_NOW.sub(" ", rest, count=1).strip()
    while name != (name := _AROUND.sub("", name).strip()):
        pass
    todos, how = await find(turn, name, "open")
    if len(todos) != 1:
        return None
    title = todos[0]["title"]
    if how in ("exact", "words") and states_it and not _NOT.search(rest):
        return await act(turn, Request("reschedule", {"which": f'"{title}"', "when": when}, words))
    return _ask_which_of_two(turn, words, todos[0], when)


async def _from_its_day(turn: Turn, words: str, its_own: Span, new: Span) -> Request | None:
    """Understand "the meeting tomorrow is at 5 now": the first date tells which todo is meant."""
    between = words[its_own.end : new.start]
    if not _IS_NOW.match(between.strip()) or _NOT.search(words) or not its_own.when.day:
        return None
    todos, how = await find(turn, _AROUND.sub("", words[: its_own.start].strip()), "open")
    its = [todo for todo in todos if how != "near" and todo["due_date"] == its_own.when.day.isoformat()]
    if len(its) != 1:
        return None
    return Request("reschedule", {"which": f'"{its[0]["title"]}"', "when": words[new.start : new.end].strip()}, words)


def _ask_which_of_two(turn: Turn, words: str, todo: Todo, when: str) -> Reply:
    phrase = parse_phrase(words, turn.now)
    meant = parse_when(when, turn.now)
    day = turn.wording.moment(meant.day, meant.clock) if meant and meant.day else when
    return Reply(
        f"Is “{todo['title']}” due {day}, or is this another todo?",
        mentioned=[todo],
        choices=[
            choice(f"It is due {day}", f'"{todo["title"]}" is due {when}'),
            choice(f"Add {draft_words(phrase, turn)}", add_message(phrase)),
        ],
    )
