"""Add todos, in the words of a message."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from todo_backend import rules_notes
from todo_backend.assistant import MAX_TOOL_CALLS
from todo_backend.dates import When, find_dates, parse_when
from todo_backend.filters import data
from todo_backend.intents import Request, understand
from todo_backend.phrases import Phrase, parse_phrase, parse_priority
from todo_backend.references import Turn, content, everything, find
from todo_backend.replies import Reply, Todo, UnclearError, choice, count, describe, numbered
from todo_backend.rules_notes import note_behind_title
from todo_backend.rules_tag import is_tag, known_tag, tag
from todo_backend.spoken_fields import split_fields
from todo_backend.stems import ERRAND_STEMS, ERRANDS


def said_when(when: When, turn: Turn) -> str:
    """Say a day and a time, of those that were said."""
    if when.day and when.said_day:
        return turn.wording.moment(when.day, when.clock)
    return turn.wording.clock(when.clock) if when.clock else ""


def draft_words(phrase: Phrase, turn: Turn) -> str:
    """Say all that would be added."""
    parts = [f"“{phrase.title}”"]
    if phrase.due_date:
        parts.append(turn.wording.moment(phrase.due_date, phrase.due_time))
    if phrase.priority and phrase.priority != "normal":
        parts.append(f"{phrase.priority} priority")
    return ", ".join([*parts, *(f"#{tag.lower()}" for tag in phrase.tags)])


def add_message(phrase: Phrase) -> str:
    """Say in words, which are understood the same way again, what is to be added."""
    parts = [f'add "{phrase.title}"' if '"' not in phrase.title else f"add {phrase.title}"]
    if phrase.due_date:
        parts.append(f"on {phrase.due_date.isoformat()}")
    if phrase.due_time:
        parts.append(f"at {phrase.due_time:%H:%M}")
    if phrase.priority:
        parts.append(f"!{phrase.priority}")
    return " ".join([*parts, *(f"#{tag}" for tag in phrase.tags)])


_COUNTED = re.compile(
    r"(?P<count>two|three|four|five|[2-5]) (?:new )?(?:things|items|todos|to-dos|tasks|reminders),?\s+(?=\S)(?!to\b|for\b|due\b|on\b)",
    re.IGNORECASE,
)
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5}
_SEVERAL = re.compile(
    r"(?:(?:do|get|buy)\s+)?(?:(?:these|the following|some|\d+|two|three|four|five)\s+)*(?:things|items|todos|tasks|reminders|todo items|these|the following)\s*:\s*(?=\S)",
    re.IGNORECASE,
)


_WITH_LEVEL = re.compile(
    r"(?P<level>high|low|normal|medium|top|urgent|important)(?:[\s-]+(?:prio|priority))? (?:todo|task|item|reminder)(?: to| called| named| for| about|:)*\s+(?=\S)",
    re.IGNORECASE,
)


_WITH_TAG = re.compile(r"(?<=\w) (?:with|under) the (?:tag|label) #?(?P<tag>\w[\w-]*)[.!]?$", re.IGNORECASE)


async def add_each(turn: Turn, request: Request) -> Reply:
    """Add what is said in several requests: "add milk add eggs"."""
    parts = [understand(part).said["what"] for part in request.said["parts"].split("\n")]
    return await add_several(turn, [parse_phrase(part, turn.now) for part in parts])


# "Erinnere mich daran, Oma anzurufen": the todo is "Oma anrufen".
_GERMAN = re.compile(r"(?:erinn|denk|vergiss|merk|mich|nicht vergessen|ich (?:darf|muss|soll))", re.IGNORECASE)
_ZU_WITHIN = re.compile(
    r"\b(an|ab|auf|aus|ein|mit|vor|weg|raus|rein|zurück|hin|her|los|um|nach|durch|fertig|fest|weiter|teil|vorbei|heraus|runter|hoch|zusammen)zu(\w+e?n)\b",
    re.IGNORECASE,
)
_ZU = re.compile(r"\bzu (?=[a-zäöüß]{3,}e?n(?:$|[ ,.!]+(?:heute|morgen|übermorgen|am|um|bis|nächste\w*)\b))")
_ABOUT = re.compile(r"\ban (?P<article>den|die|das) (?=\S)", re.IGNORECASE)


def _without_article(phrase: Phrase, words: str) -> Phrase:
    """Call the todo of "erinnere mich an den Zahnarzt" by its noun: the article is in the wrong case for a title."""
    found = _ABOUT.search(words) if _GERMAN.search(words) else None
    if not found or not phrase.title.casefold().startswith(f"{found['article']} ".casefold()):
        return phrase
    return replace(phrase, title=phrase.title[len(found["article"]) + 1 :])


def said_to_add(request: Request) -> str:
    """Return the words of what is to be added, without those that lead to it: "about mom's birthday"."""
    rest = re.sub(r"^[.?!]+\s*", " ", request.said.get("rest", ""))  # "add milk to my list? On Sunday."
    what = re.sub(
        r"^(?:(?:really|still|also|definitely|probably|maybe|just|noch|mal|auch|bitte|también|aussi)\s+)*(?:(?:that )?i (?:need|have|should|must|ought)(?: to)? |remember to )?(?:(?:to|about|of|that i (?:need|have|should) to|that|for(?![^:]+:\s)|daran,?|ans?) (?=\D))?",
        "",
        f"{request.said['what']}{rest}".strip(),
        flags=re.IGNORECASE,
    )
    what = re.sub(r"^(?:(?:the following|this|these)(?: (?:one|ones))?\s*:\s*)", "", what, flags=re.IGNORECASE)
    if _GERMAN.match(request.words):
        what = _ZU_WITHIN.sub(r"\1\2", _ZU.sub("", what))
    return re.sub(r"^(?:for )?(?:me|us)\s+(?=\S)|^(?:an?|one more|another)\s+(?=\D)", "", what, flags=re.IGNORECASE)


def _counted(what: str) -> "re.Match[str] | None":
    """Return what "two todos pick up the coat and buy milk" begins with, where so many are named."""
    if not (found := _COUNTED.match(what)):
        return None
    wanted = found["count"].lower()
    parts = re.split(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+", what[found.end() :])
    return found if len(parts) == (_COUNTS.get(wanted) or int(wanted)) else None


async def add(turn: Turn, request: Request) -> Reply:
    """Add one todo, or several; ask when a day does not exist or a todo would repeat."""
    what = said_to_add(request)
    if found := _WITH_LEVEL.match(what):
        what = f"{what[found.end() :]} !{parse_priority(found['level'])}"
    if found := _SEVERAL.match(what) or _counted(what):
        parts = [part for part in re.split(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+", what[found.end() :]) if part.strip()]
        return await add_several(turn, [parse_phrase(part, turn.now) for part in parts])
    said = _WITH_TAG.sub(r", tag \g<tag>", what)
    what, note = split_fields(said, turn.now)
    has_marks = what != said
    what = re.sub(r"\s+(?:too|as well|instead)(?=$|,)", "", what, flags=re.IGNORECASE)
    what = re.sub(r"\s+(?:daran|dran),?\s+", " ", what)
    if (when := parse_when(what, turn.now)) and when.exists and not _is_quoted(what):
        raise UnclearError(f"What shall I add for {said_when(when, turn)}?")
    if known := await _of_todo_that_is_there(turn, request, what):
        return known
    if (_STATED.match(request.words) or _ABOUT_THE.match(request.words)) and not _ANOTHER.search(what):
        await _ask_about_same(turn, what)
    own = await _tag_of_list(turn, request.words)
    if (to_tag := _TO_TAG.fullmatch(request.words)) and await is_tag(turn, to_tag["tag"]):
        own, what = to_tag["tag"].lower(), to_tag["what"]
    phrases = [_tagged(_without_article(phrase, request.words), own) for phrase in drafts(what, turn.now)]
    if len(phrases) > 1:
        return await add_several(turn, _all_alike(phrases) if has_marks else phrases)
    (phrase,) = phrases
    if phrase.impossible:
        raise UnclearError(
            f"There is no such day: {phrase.impossible}. Which day is it due?",
            choices=[choice("Add it without a date", add_message(replace(phrase, title=_cut(phrase))))],
        )
    refuse_to_repeat(turn, phrase)
    todo = await _create(turn, phrase, note)
    kept = f" I left “{phrase.kept}” in its title." if phrase.kept else ""
    choices = []
    if phrase.kept and (when := parse_when(phrase.kept, turn.now)) and when.day:
        choices = [choice(f"Make it due {turn.wording.day(when.day)}", f"it is due {when.day.isoformat()}")]
    return Reply(f"Added {describe(todo, turn.wording)}.{kept}", mentioned=[todo], choices=choices)


async def _of_todo_that_is_there(turn: Turn, request: Request, what: str) -> Reply | None:
    """Tag or note a todo that is there, where the words say that; None for a new one. Raises UnclearError: it may be either."""
    if known := await known_tag(turn, what):
        return await tag(turn, known)
    if noted := await note_behind_title(turn, request.words):
        return await rules_notes.note(turn, noted)
    await _ask_about_note(turn, request.words)
    return None


def _all_alike(phrases: Sequence[Phrase]) -> Sequence[Phrase]:
    """Give each thing of a list what is said behind all: "add salt and oil, tag groceries"; an errand has its own."""
    last = phrases[-1]
    if any(each.tags or each.priority or each.title.split()[0].casefold() in ERRANDS for each in phrases[:-1]):
        return phrases
    return [replace(each, tags=last.tags, priority=last.priority) for each in phrases]


_OF_DAY = re.compile(r"(?P<day>[^:,]+):\s+(?P<list>.+)")


def drafts(what: str, now: datetime) -> list[Phrase]:
    """Return the todos that words name: "milk and eggs tomorrow" and "tomorrow: gym, pay the rent" are two each."""
    found = _OF_DAY.fullmatch(what)
    when = parse_when(found["day"], now) if found else None
    if found and when and when.exists and not when.repeats and "," in found["list"]:
        parts = re.split(r"\s*[,;]\s*(?:and\s+)?", found["list"])
        phrases = [parse_phrase(part if _says_day(part, now) else f"{part} {found['day']}", now) for part in parts]
        day, clock = when.day, when.clock
    else:
        parts = _split(what, now)
        phrases = _in_turn(parts, now)
        day, clock = phrases[-1].due_date, phrases[-1].due_time
        if _has_own_hour(parts, now):
            day = clock = None
    if len(phrases) > 1:
        for part in phrases:  # the day is said of each
            part.due_date = part.due_date or day
            part.due_time = part.due_time or (clock if part.due_date == day else None)
    return phrases


def _has_own_hour(parts: Sequence[str], now: datetime) -> bool:
    """Tell whether an hour is that of the last errand alone: nobody waters the plants and walks the dog at 7."""
    if not all(part.split()[0].casefold() in ERRANDS for part in parts):
        return False
    return any(span.when.clock and not span.when.is_part for span in find_dates(parts[-1], now))


def _says_day(part: str, now: datetime) -> bool:
    return any(span.when.said_day for span in find_dates(part, now))


def _in_turn(parts: Sequence[str], now: datetime) -> list[Phrase]:
    """Read todos one after the other: "the day after" is that of the one before."""
    phrases: list[Phrase] = []
    for part in parts:
        after = _DAY_AFTER.search(part) if phrases and phrases[-1].due_date else None
        phrase = parse_phrase(part[: after.start()] if after else part, now)
        if after and phrases[-1].due_date:
            phrase.due_date = phrases[-1].due_date + timedelta(days=1)
        phrases.append(phrase)
    return phrases


def _is_quoted(what: str) -> bool:
    return _ONE_QUOTED.fullmatch(what) is not None


_TO_TAG = re.compile(
    r"(?:add|append|put|write) (?:to|under|in) (?:the |my )?(?P<tag>[\w-]+)\s*:\s*(?P<what>.+)", re.IGNORECASE
)
_TO_LIST_OF = re.compile(
    r"\b(?:to|on|onto|in|into) (?:my |the |our )?(?P<list>shopping|grocery|groceries) list\b", re.IGNORECASE
)


async def _tag_of_list(turn: Turn, words: str) -> str:
    """Return the tag that stands for the list that is named; empty where no todo has it: there is one list."""
    if not (found := _TO_LIST_OF.search(words)):
        return ""
    tags = {each for todo in await everything(turn, "all") for each in todo["tags"]}
    return found["list"].lower() if found["list"].lower() in tags else ""


def _tagged(phrase: Phrase, own: str) -> Phrase:
    return replace(phrase, tags=[own]) if own and not phrase.tags else phrase


def refuse_to_repeat(turn: Turn, phrase: Phrase) -> None:
    """Offer the first time of what is said to repeat.

    Raises:
        UnclearError: it is said to.
    """
    if phrase.repeats:
        without = replace(phrase, due_date=None, due_time=None)
        raise UnclearError(
            f"A todo cannot repeat, so I cannot keep “{phrase.repeats}”. Shall I add {draft_words(phrase, turn)}, for the first time?",
            choices=[
                choice(f"Add {draft_words(phrase, turn)}", add_message(phrase)),
                choice("Add it without a date", add_message(without)),
            ],
        )


_STATED = re.compile(r"(?:i|we) (?:need|have|must|should|want|gotta|got)\b", re.IGNORECASE)


_ABOUT_THE = re.compile(
    r"(?:.*\b)?(?:remind (?:me|us) (?:about|of)|(?:need to|have to|must|should|gotta) (?:do|finish|handle|deal with)) (?:the|my)\b",
    re.IGNORECASE,
)
_TO_TODO = re.compile(
    r"(?:add|append|write) to (?!(?:my|the|our) [\w\s-]*list\b)(?P<which>[^:]+?)\s*:\s*(?P<note>.+)", re.IGNORECASE
)


_NOTED = re.compile(r"(?:make|take|add) a note that (?P<note>.+)", re.IGNORECASE)


async def _ask_about_note(turn: Turn, words: str) -> None:
    """Ask whether "add to cookies: no nuts" and "make a note that Ana pays" are notes of a todo that is there.

    Raises:
        UnclearError: there is one about cookies, or about Ana.
    """
    if found := _TO_TODO.fullmatch(words):
        todos, how = await find(turn, found["which"], "open")
        about = todos if how in ("exact", "words") else []
        ways = []
    elif found := _NOTED.fullmatch(words):
        said = content(found["note"]) - ERRAND_STEMS
        about = [todo for todo in await everything(turn, "open") if content(todo["title"]) & said]
        ways = [choice(f"Add “{found['note']}”", f'add "{found["note"]}"')]
    if found and len(about) == 1:
        title, note = about[0]["title"], found["note"]
        question = f"Shall I add a note to “{title}”: {note}?"
        yes = choice("Yes, add the note", f'add a note to "{title}": {note}')
        raise UnclearError(question, choices=[yes, *ways])


_ANOTHER = re.compile(r"\b(?:again|another|more|new|second|also)\b", re.IGNORECASE)


async def _ask_about_same(turn: Turn, what: str) -> None:
    """Ask what "I need to call mom" means where there is such a todo; "add call mom" is clear.

    Raises:
        UnclearError: there is one.
    """
    said = content(what) - ERRAND_STEMS
    is_about = _ABOUT_THE.match(turn.dialogue.question) is not None
    same = [
        todo
        for todo in await everything(turn, "all")
        if (own := content(todo["title"])) & said and (own - ERRAND_STEMS if is_about else own) <= content(what)
    ]
    if not same:
        return
    title, phrase = same[0]["title"], parse_phrase(what, turn.now)
    question = f"“{title}” is done. Shall I reopen it?" if same[0]["done"] else f"“{title}” is on the list already."
    ways = [choice("Reopen it", f'reopen "{title}"')] if same[0]["done"] else []
    if phrase.due_date and not same[0]["done"]:
        day = turn.wording.day(phrase.due_date)
        question = f"{question} Shall I move it to {day}?"
        ways = [choice(f"Move it to {day}", f'move "{title}" to {phrase.due_date.isoformat()}')]
    raise UnclearError(question, choices=[*ways, choice(f"Add {draft_words(phrase, turn)}", add_message(phrase))])


def _cut(phrase: Phrase) -> str:
    return re.sub(r"\s+", " ", phrase.title.replace(phrase.impossible, "")).strip(" ,") or phrase.title


_ONE_QUOTED = re.compile(r"\"[^\"]+\"|“[^”]+”|'[^']+'")
_QUOTED_LIST = re.compile(rf"(?:{_ONE_QUOTED.pattern})(?:(?:\s*,\s*|\s+)(?:and\s+)?(?:{_ONE_QUOTED.pattern}))+")


def _split(what: str, now: datetime) -> list[str]:
    """Split "milk and eggs" and "call mom and pay rent", but neither "buy milk and eggs" nor "research and development"."""
    if _QUOTED_LIST.fullmatch(what):
        return [found[0] for found in _ONE_QUOTED.finditer(what)]
    if re.match(r"[\"“«„']", what) and (dated := split_at_dates(what, now)):
        return dated
    if re.match(r"[\"“«„']", what) or re.search(r"\b(?:between|both|either)\b", what, re.IGNORECASE):
        return [what]
    if dated := split_at_dates(what, now):
        return dated
    apart = [part.strip() for part in re.split(r";|,? and also ", what) if part.strip()]
    if len(apart) > 1 and not any(parse_priority(part) or parse_when(part, now) for part in apart):
        return apart
    return _split_at_words(what, now)


_JOINT = re.compile(r"(\s*,\s*(?:and\s+)?|\s+(?:and|&|und|y|et|aur|اور)\s+)")


_MOST_PIECES = 40  # each is looked through again with the ones before it
_DAY_AFTER = re.compile(r"\s+(?:on )?the (?:day after|next day|following day)$", re.IGNORECASE)


def split_at_dates(what: str, now: datetime) -> list[str]:
    """Split "bread and butter tomorrow and gym on friday" behind each date; empty where there are not two such parts."""
    parts: list[str] = []
    part = joint = ""
    pieces = _JOINT.split(what)
    if not 3 <= len(pieces) <= _MOST_PIECES or any(re.match(r"not\b", piece, re.IGNORECASE) for piece in pieces[2::2]):
        return []  # "on friday, not saturday" names one day
    for piece in pieces:
        if parse_when(piece, now) or parse_priority(piece):
            return []
        if _JOINT.fullmatch(piece):
            joint = piece
            continue
        part = f"{part}{joint}{piece}" if part else piece
        own = parse_phrase(part, now)
        if (own.due_date and own.title != part and not own.repeats) or (parts and _DAY_AFTER.search(part)):
            parts.append(part)
            part = ""
    if part and parts and part.split()[0].casefold() in ERRANDS:  # "dentist tomorrow at 3 and buy milk"
        return [*parts, part]
    return parts if len(parts) > 1 and not part else []


def _split_at_words(what: str, now: datetime) -> list[str]:
    parts = [
        part.strip() for part in re.split(r"\s*,\s*(?:and\s+)?|\s+(?:and|&|und|y|et|aur|اور)\s+", what) if part.strip()
    ]
    if len(parts) > 1 and any(part[0].isdigit() for part in parts[1:]) and not parts[0][0].isdigit():
        return [what]  # "dog food, 2 bags"
    if len(parts) < 2 or any(
        parse_priority(part) or parse_when(part, now) or re.fullmatch(r"(?:#\S+\s*)+", part) for part in parts
    ):
        return [what]
    verbs = [part.split()[0].lower() in ERRANDS for part in parts]
    bare = [re.sub(r"\s+(?:today|tomorrow|tonight|#\S+|!\S+)(?:\s.*)?$", "", part) for part in parts]
    are_errands = all(verbs) and all(len(part.split()) > 1 for part in parts)
    are_things = (
        not any(verbs)
        and all(len(part.split()) <= (2 if len(parts) == 2 else 3) for part in bare)
        and not find_dates_in_all(parts[:-1])
    )
    return parts if are_errands or are_things else [what]


def find_dates_in_all(parts: Sequence[str]) -> bool:
    """Tell whether a comma separates marks of one todo rather than todos."""
    return any(re.search(r"(?<!\w)\d+(?!\w)|\d[:./]\d|#|!", part) for part in parts)


async def add_several(turn: Turn, phrases: Sequence[Phrase]) -> Reply:
    """Add several todos."""
    if bad := next((phrase.impossible for phrase in phrases if phrase.impossible), ""):
        raise UnclearError(f"There is no such day: {bad}. I added nothing. Which day do you mean?")
    turn.toolbox.allow(MAX_TOOL_CALLS + len(phrases))
    todos = [await _create(turn, phrase) for phrase in phrases[:50]]
    return Reply(f"Added {count(len(todos), 'todo')}:\n{numbered(todos, turn.wording)}", mentioned=todos)


async def _create(turn: Turn, phrase: Phrase, note: str = "") -> Todo:
    arguments: dict[str, Any] = {"title": phrase.title} | ({"notes": note} if note else {})
    if phrase.due_date:
        arguments["due_date"] = phrase.due_date.isoformat()
    if phrase.due_time:
        arguments["due_time"] = f"{phrase.due_time:%H:%M}"
    if phrase.priority:
        arguments["priority"] = phrase.priority
    if phrase.tags:
        arguments["tags"] = phrase.tags
    return data(await turn.toolbox.call("add_todo", **arguments))
