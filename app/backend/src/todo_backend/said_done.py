"""Which todos a sentence says are done: "the plants are watered", "invoices approved", "j'ai appelé Ana"."""

import re

from todo_backend.intents import Request
from todo_backend.references import Fit, Turn, content, find, unquote
from todo_backend.replies import Todo
from todo_backend.stems import IS_CANCELLED, infinitives, is_past, same_deeds, stem, synonyms

NOT = re.compile(r"\b(?:not|never|no|nicht|kein\w*|noch|pas|nunca)\b|n't\b", re.IGNORECASE)

TO_COME = re.compile(
    r"\b(?:will|shall|should|must|going to|gonna|need|needs|to be|if|when|want|wanna|might|may|could|would)\b",
    re.IGNORECASE,
)

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
    re.compile(r"(?P<rest>.+) (?P<verb>\w+) (?:liya|li|diya|di|لیا|لی|دیا|دی)(?: hai| ہے)?", re.IGNORECASE),
    re.compile(r"(?P<rest>.+) (?P<verb>\w+(?:[ai]d[oa]s?|ée?s?))", re.IGNORECASE),
    re.compile(
        r"(?:(?:ich|wir) )?hab(?:en?)? (?:(?:schon|bereits|gerade|heute) )?(?P<rest>.+) (?P<verb>\w+)", re.IGNORECASE
    ),
    re.compile(r"(?P<rest>.+) (?P<verb>\w*ge\w{2,}(?:t|en)|(?:be|ver|er|ent)\w{2,}t)", re.IGNORECASE),
)


async def done_by_its_verb(turn: Turn, words: str) -> Request | None:
    """Understand "the plants are watered" and "j'ai appelé Ana" when one open todo is called so."""
    if NOT.search(words) or TO_COME.search(words) or turn.dialogue.question.rstrip().endswith("?"):
        return None
    if done := await _done_in_any_order(turn, words):
        return done
    if done := await several_done(turn, words):
        return done
    if title := await _title_dealt_with(turn, words) or await _title_of_strong_verb(turn, words):
        return Request("complete", {"which": f'"{title}"'}, words)
    for pattern in (_PASSIVE, *_PERFECT):
        found = pattern.fullmatch(re.sub(r"(?<=\w)'s been\b", " has been", words))
        if found and (title := await _title_of_verb(turn, pattern, found)):
            return Request("complete", {"which": f'"{title}"'}, words)
    return None


# What ends the todo that has just the name before it; "expense report rejected" ends nothing.
_DEALT_WITH = re.compile(
    r"(?P<rest>.+) (?:submitted|paid|sent(?: off| out)?|bought|booked|filed|mailed|posted|delivered|handed in|turned in|signed|cleaned"
    r"|washed|watered|picked up|dropped off|returned|renewed|fixed|repaired|packed|written|printed|shipped|baked|cooked|made)",
    re.IGNORECASE,
)


async def _title_dealt_with(turn: Turn, words: str) -> str:
    """Return the title that "expense report submitted" names whole."""
    if not (found := _DEALT_WITH.fullmatch(words)) or IS_CANCELLED.search(words):
        return ""
    todos, how = await find(turn, found["rest"], "open")
    return str(todos[0]["title"]) if len(todos) == 1 and how == "exact" else ""


_STRONG = re.compile(
    r"(?P<rest>.+?)(?: (?:ist|sind|wurden?|hab|habe|haben))?(?: ich| wir)? (?P<verb>\w{4,}en)", re.IGNORECASE
)


async def _title_of_strong_verb(turn: Turn, words: str) -> str:
    """Return the title that "Miete überwiesen" names: a German strong verb changes only its vowels ("überweisen")."""
    if not (found := _STRONG.fullmatch(words)):
        return ""
    todos, how = await find(turn, found["rest"], "open")
    if len(todos) != 1 or how not in ("exact", "words"):
        return ""
    verb, title = found["verb"].casefold(), str(todos[0]["title"])
    own = {_consonants(word) for word in title.casefold().split() if word.endswith("en") and word != verb}
    return title if own & {_consonants(verb), _consonants(verb.replace("ge", "", 1))} else ""


def _consonants(word: str) -> str:
    return re.sub(r"[aeiouäöüy]", "", word)


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


async def several_done(turn: Turn, words: str) -> Request | None:
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


async def not_done(turn: Turn, words: str) -> Request | None:
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


_DONE_WORDS = re.compile(
    r"\b(?:(?:is|are|was|were|has been|have been|i've|we've|i'm|i|we|have|did|am|now|just|finally|already|today|yesterday|this morning|last night|(?:let'?s |lets )go+|yay|woo+(?:hoo+)?|phew|hooray|yes|haha|lol|turned in|handed in|went (?:out|off|through)|done|finish(?:ed)?|completed?|over|ready|fertig|erledigt|hecho|fait)\b[\s,:!-]*)+",
    re.IGNORECASE,
)

_HAS_CALLED = re.compile(
    r"^(?!.*(?:'s|:\s*|\b(?:is|are|was|were|been|got|i|we|done))\b).+ (?:called|rang|phoned|texted|messaged|emailed|e-mailed|wrote|visited|met|asked|told|invited|helped|contacted|thanked)$",
    re.IGNORECASE,
)

_SAYS_DONE = re.compile(
    r"\b(?:already|turned in|handed in|went (?:out|off|through)|done|finish(?:ed)?|completed?|fertig|erledigt)\b",
    re.IGNORECASE,
)


async def _named_beside_its_verb(turn: Turn, name: str) -> tuple[list[Todo], Fit]:
    """Find "email the setlist to Jo" by "setlist sent to jo": what it is about, and another word for its own verb."""
    past = [word for word in name.casefold().split() if is_past(word)]
    if len(past) != 1:
        return [], "near"
    todos, how = await find(turn, " ".join(word for word in name.split() if word.casefold() not in past), "open")
    return [todo for todo in todos if same_deeds(past[0]) & content(todo["title"])], how


async def _done_in_any_order(turn: Turn, words: str) -> Request | None:
    """Understand "invoices approved", "handed in the report" and "i pay internet already" when one todo is called so.

    Either a word says that it is done, or the todo's own verb is in the past.
    """
    name = " ".join(_DONE_WORDS.sub(" ", re.sub(r"(?<=\w)'s been\b", " has been", words)).split())
    todos, how = await find(turn, name, "open")
    if not todos or how == "near":
        todos, how = await _named_beside_its_verb(turn, name)
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
    if _SAYS_DONE.search(words) or any(same_deeds(word) & {stem(own) for own in title} for word in past):
        return Request("complete", {"which": f'"{todos[0]["title"]}"'}, words)
    return None
