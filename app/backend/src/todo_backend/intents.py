"""What a message asks for: one of a fixed set of requests, in the ways that people say it in five languages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from todo_backend.foreign_ways import FOREIGN
from todo_backend.plain_words import clean
from todo_backend.small_talk import is_talk
from todo_backend.stems import ERRANDS, is_past
from todo_backend.ways import ENGLISH, THANKS, Kind


@dataclass(frozen=True)
class Request:
    """A kind of request, and the named parts of the message."""

    kind: Kind
    said: Mapping[str, str] = field(default_factory=dict)
    words: str = ""


# A way that begins with the todo itself ("milk is done") is not meant when the message begins with a command: in "clear
# completed" nothing called "clear" is completed.
_ORDERS = (
    r"new|del|rm|bin|scrap|kill|purge|discard|toss|dump|chuck|ditch|bump|shift|prio|cross|count|give|flag|push|delay|snooze|unmark|uncheck|untag|delete|remove|drop|erase|trash|clear|wipe|add|create|show|list|find|search|rename|move|reschedule|postpone|tag|label|mark|set|make|complete|finish|check|tick|reopen|undo|cancel|"
    r"remind|note|change|edit|update|get rid|throw|put|lösche|entferne|borra|elimina|supprime|efface|zeige?|muestra|montre"
)
_ORDER = re.compile(rf"\b(?:{_ORDERS})\s+\w", re.IGNORECASE)
_COMMAND = re.compile(
    rf"(?:{_ORDERS}|what|which|how|why|if|when|should|could|did|do|does|is|are|am|was|were|can)\b", re.IGNORECASE
)


def may_name_a_command(text: str) -> bool:
    """Tell whether a title that begins like a command may stand in a text."""
    return _ORDER.search(text) is not None


def begins_as_command(title: str) -> bool:
    """Tell whether a title would be a command if it were said."""
    return _ORDER.match(title) is not None


_WAYS = tuple(
    (re.compile(way, re.IGNORECASE), kind, way.startswith("(?P<which>"))
    for kind, ways in (*ENGLISH, *FOREIGN)
    for way in ways
)
# "I already called mom": a past tense is what was done, when a todo is about it.
_DID = re.compile(
    r"(?:(?:i|we)(?:'ve| have|'m| am)? |already |just |finally )(?:(?:have|already|just|finally|now|also) )*(?P<which>(?!got to\b|.*\b(?:add|put|note) (?:it|that|this)\b)(?P<past>\w+)(?! not\b) .+)",
    re.IGNORECASE,
)
# Without "I" the past tense must be one that is not a noun, an adjective or an order too ("found objects", "put milk on").
_DID_ALONE = re.compile(
    r"(?P<which2>(?:called|bought|paid|sent|emailed|cleaned|washed|booked|fixed|submitted|finished|watered|returned|picked up|dropped off|ordered|visited|cooked|posted|mailed|texted|signed|filed|scheduled|renewed|walked|fed|took)\b.+)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:if|unless|once|when|as soon as) .+? (?:then )?(?P<then>(?:delete|remove|complete|mark|rename|move|reschedule|postpone|reopen|add|remind me)\b.+)",
    re.IGNORECASE,
)
# Where a message goes on with another command. After "add" and a mere "and" or comma only what no errand begins with is
# one: "add clean the desk and finish the report" are two todos.
_COMMANDS = r"(?:delete|remove|mark|add|rename|reopen|show|remind me|undo|postpone|reschedule|check off|(?:make|push|put|move|set|call|tag) (?:it|that)\b)"
_ERRAND_COMMANDS = r"(?:complete|finish|move|set|make|list|tag|clear|cancel|push|bump|change)"
_QUESTIONS = r"(?:what(?:'s| is| do| have| should)?|which|how (?:many|much)|anything)\b"
_ALSO = r"(?:(?:and|also|then|plus|please|pls|oh|so|now) )*"
_NEXT_COMMAND = re.compile(
    rf"(?:(?P<stop>\s*[;.!?]+ {_ALSO}|,? (?:and )?then {_ALSO}|,? (?:and )?also {_ALSO})(?={_COMMANDS}|{_ERRAND_COMMANDS}\b.|{_QUESTIONS})"
    rf"|(?:, {_ALSO}| (?:and|plus) {_ALSO})(?:(?={_COMMANDS})|(?P<errand>(?={_ERRAND_COMMANDS}\b.))|(?P<asked>(?={_QUESTIONS}))))",
    re.IGNORECASE,
)


# "add milk. Also add eggs"; in "ask Tim to add me" nothing is added.
_ADD_AGAIN = re.compile(
    r"(?:\s*[,;.]\s*|(?<!\bto)(?<!\bcan)(?<!\bwill)\s+)(?:(?:and|then|also|plus|please)\s+)*(?=add\s(?!kar\b|karo\b))",
    re.IGNORECASE,
)
# "I picked up the parcel. And I signed the form": two are done.
_DID_AGAIN = re.compile(
    r"(?:\s*[.;!,]\s+(?:(?:and|also)\s+)*|\s+and\s+)(?=(?:i|we)(?:'ve| have| also)? \w)", re.IGNORECASE
)
_QUOTED = re.compile(r"(?<!\w)(?:\"[^\"]+\"|“[^”]+”|„[^“”]+[“”]|«[^»]+»|'[^']+'(?!\w))")
_VEIL = 0xE000  # private characters, which nobody types


DO_EACH = "do each: "  # begins the message of a button that several requests were asked about with


def understand(text: str) -> Request:
    """Tell what a message asks for; what stands in quotes is a name, whatever its words are."""
    quotes = _QUOTED.findall(text)[:100]
    for number, quoted in enumerate(quotes):
        text = text.replace(quoted, f"{quoted[0]}{chr(_VEIL + number)}{quoted[-1]}", 1)

    def unveiled(words: str) -> str:
        for number, quoted in enumerate(quotes):
            words = words.replace(chr(_VEIL + number), quoted[1:-1])
        return words

    request = _understand(text)
    return Request(request.kind, {name: unveiled(said) for name, said in request.said.items()}, unveiled(request.words))


def _understand(text: str) -> Request:  # noqa: PLR0911 - one kind of message a line
    if text.startswith(DO_EACH):
        return Request("each", {"parts": text.removeprefix(DO_EACH).replace("; ", "\n"), "sure": "yes"}, text)
    parts = _parts(" ".join(text.split()))
    if len(parts) > 1 and is_talk(parts[0]) and not _TO_DO.match(parts[0]):  # "thanks! also add milk"
        return _understand("; ".join(parts[1:]))
    if THANKS.fullmatch(" ".join(text.split()).strip(" .!")):
        return Request("thanks", {}, text)
    if (talk := _match(" ".join(text.split()).strip(" .!?"))).kind in ("help", "thanks", "bye"):
        return talk  # "hi there" and "thanks, you're great" are more than their politeness
    words = clean(text)
    if text.rstrip().endswith("?") and (asked := _asked(text.strip(), words)):
        return asked
    if len(adds := _ADD_AGAIN.split(words)) > 1 and all(_match(each).kind == "add" for each in adds):
        return Request("add_each", {"parts": "\n".join(adds)}, words)
    if len(told := _DID_AGAIN.split(words)) > 1 and all(_match(each).kind == "did" for each in told):
        return Request("each", {"parts": "\n".join(told)}, words)
    if (conditional := _CONDITION.fullmatch(words)) and _match(conditional["then"]).kind not in ("unknown", "list"):
        return Request("condition", {"then": conditional["then"]}, words)
    if len(parts) > 1:
        return Request("each", {"parts": "\n".join(parts)}, words)
    return _unless_asked(text, _match(words))


# "I did the shopping, right?" asks, whatever it states.
_TAG_QUESTION = re.compile(
    r"(?P<what>.+?)(?:,| (?=right|correct)) *(?:right|correct|didn't (?:i|we)|haven't (?:i|we)|did (?:i|we)|have (?:i|we)|isn't it|is it|aren't they|no) *\?",
    re.IGNORECASE,
)


def _asked(text: str, words: str) -> Request | None:
    """Return the question that asks what is done; a question never changes anything."""
    if re.fullmatch(r"done|finished|completed", words, re.IGNORECASE):
        return Request("list", {}, f"show {words}")
    if found := _DID_I.match(words):
        return Request("question", {"what": found["what"]}, words)
    if found := _TAG_QUESTION.fullmatch(text):
        return Request("question", {"what": clean(found["what"])}, words)
    return None


_DID_I = re.compile(r"(?:did(?! (?:i|we) (?:miss|forget)\b)|done|finished|completed) (?P<what>.+)", re.IGNORECASE)


def _unless_asked(text: str, request: Request) -> Request:
    """Take "jobs due next week?" as a question: it moves nothing."""
    if not text.rstrip().endswith("?") or request.kind not in _STATED:
        return request
    if (found := _ASKS_US.search(text)) and found[0] not in request.words:  # "könnten Sie das auf morgen verschieben?"
        return request
    begins_with_todo = request.words.startswith(request.said.get("which", "\0"))
    if request.kind == "complete":
        which = request.said.get("which", "")
        return Request("question", {"what": which}, f"is {which} done") if begins_with_todo else request
    return Request("list", {}, f"show {request.words}") if begins_with_todo else request


_ASKS_US = re.compile(
    r"\b(?:can|could|would|will|may|shall|kannst|könn\w+|würde\w*|puede\w*|podr\w+|peu[xt]|pou[vr]\w+)\b", re.IGNORECASE
)
_STATED = ("complete", "reschedule", "reschedule_at_end", "prioritise", "unschedule")


_TAG_ALONE = re.compile(r"(?:tag|label)(?:l?ed)?(?: (?:with|as))? #?[\w-]+(?:, notes?\s*:.*)?", re.IGNORECASE)
_IT_AGAIN = re.compile(r"^(?:add|put) (?:it|that|this)\b(?: (?:down|in|on|to|onto)\b.*)?$", re.IGNORECASE)
_TO_DO = re.compile(r"(?:(?:i|we) )?(?:need|have|want|got|ought) to\b", re.IGNORECASE)


def _parts(words: str) -> list[str]:
    """Split "add milk and mark rent as done" into its commands; a message that is one request stays whole."""
    parts, start = [], 0
    for found in _NEXT_COMMAND.finditer(words):
        first = _match(clean(words[start : found.start()]))
        if found["errand"] is not None and first.kind in ("add", "unknown"):
            continue
        if found["asked"] is not None and not _may_go_before_a_question(first):
            continue
        if first.kind in ("list", "question", "how", "search", "keep") and not found["stop"] and found["asked"] is None:
            continue
        if first.kind == "add" and _IT_AGAIN.search(words[found.end() :]):
            continue  # "need more glue, put it on the list"
        about_it = re.match(r"\w+ (?:it|that|this|them|those|both)\b", words[found.end() :])
        if first.kind == "unknown" and (
            about_it or not re.match(r"\s*[,;.!?]", found[0]) or _is_one(words[start:], found, start)
        ):
            continue  # "the invoice bounced, reopen it" is one request
        if first.kind == "add" and re.match(r"(?:tag|label)\b", words[found.end() :], re.IGNORECASE):
            continue
        if first.words.partition(" ")[0].lower() in ERRANDS and _TAG_ALONE.fullmatch(words[found.end() :]):
            continue  # "book flights, low priority, tag travel" is one todo
        parts.append(words[start : found.start()].strip())
        start = found.end()
    return [*parts, words[start:].strip()]


def _may_go_before_a_question(first: Request) -> bool:
    """Tell "roses pruned, what's next?" from "ask Tim what's next"."""
    is_told = first.kind == "unknown" and any(map(is_past, first.words.casefold().split()))
    return is_told or first.kind in ("list", "question", "complete", "did")


def _is_one(words: str, found: "re.Match[str]", start: int) -> bool:
    """Tell whether what follows is no request without what is before it: "dentist at ten, please add"."""
    return _match(clean(words[found.end() - start :])).kind == "unknown" or _match(clean(words)).kind != "unknown"


_GOT_NEW = re.compile(r"got (?:an?|another|some|two|three) ", re.IGNORECASE)


def _is_done(found: "re.Match[str]") -> bool:
    """Tell "I paid the rent" and "got the milk" from "I forgot the rent" and "I've got an interview"."""
    past = found["past"].lower()
    return is_past(past) and past != "forgot" and not _GOT_NEW.match(found["which"])


_IT_AFTER = re.compile(r"[,;:] (?:so |please |then )?\w+ (?:it|that|this)$", re.IGNORECASE)


# What begins like an order and is a noun: "shift swap with Dana is sorted".
_NOUN_IS_OVER = re.compile(
    r"(?P<which>(?:shift|check|list|note|update|flag|label|count|change|move|search)\s+(?!.*\b(?:that|which|what|everything|all|if)\b).+?)"
    r" (?:is|are|was|were|has been|have been) (?:now |already |all |finally )*(?:done|completed?|finished|sorted|over|taken care of|dealt with)",
    re.IGNORECASE,
)

# A noun that is a verb of deletion too: "trash is out", "bin emptied" and "trash has gone out" tell, and delete nothing.
_NOUN_OF_STATEMENT = re.compile(
    r"(?:trash|bins?|dump|drop|scrap)\s+(?!(?:the|my|a|an|our|all|every\w*|any\w*|these|those|this|it|them|both)\b)"
    r"(?:(?:(?!(?:that|what\w*|which)\b)[\w-]+\s+){0,3}?(?:is|are|was|were|has|have|had|got|went)(?:n't)?\b"
    r"|(?!(?:done|completed|finished|checked|ticked|closed)\b)(?P<past>\w+)\b).*",
    re.IGNORECASE,
)


def _is_statement(words: str) -> bool:
    """Tell whether a message that begins like an order tells of a thing: "trash is out", "trash taken out"."""
    found = _NOUN_OF_STATEMENT.fullmatch(words)
    return found is not None and (found["past"] is None or is_past(found["past"].lower()))


def _match(words: str) -> Request:
    if (found := _DID.fullmatch(words)) and _is_done(found):
        return Request("did", {"which": found["which"]}, words)
    if found := _DID_ALONE.fullmatch(words):
        return Request("did", {"which": found["which2"]}, words)
    if (found := _NOUN_IS_OVER.fullmatch(words)) is not None:
        return Request("complete", {"which": found["which"]}, words)
    is_statement = _is_statement(words)
    is_command = _COMMAND.match(words) is not None and not is_statement
    for pattern, kind, begins_with_todo in _WAYS:
        if (is_command and begins_with_todo) or (is_statement and not begins_with_todo):
            continue
        if begins_with_todo and kind != "add" and _TO_DO.match(words):
            continue  # "i need to book flights, high priority" says no priority of "i need to book flights"
        if not (found := pattern.fullmatch(words)):
            continue
        said = {name: value for name, value in found.groupdict().items() if value is not None}
        if "past" in said and not is_past(said["past"].lower()):
            continue  # "mark milk as cheap"
        if begins_with_todo and _IT_AFTER.search(said.get("which", "")):
            continue  # "it is not urgent, make it low priority"
        return Request(kind, {name.rstrip("1234"): value for name, value in said.items()}, words)
    return Request("unknown", {}, words)
