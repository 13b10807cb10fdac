"""What a message says beside its request: a greeting, and before or behind it why it is made."""

import re
from datetime import datetime

from todo_backend.dates import find_dates
from todo_backend.intents import begins_as_command, understand
from todo_backend.plain_words import clean
from todo_backend.references import IT, LONGEST, THEM
from todo_backend.said_otherwise import otherwise, without_hedges
from todo_backend.stems import is_past

_ASKS = r"(?:(?:can|could|would|will) (?:you|u)(?: please| pls| just| also| kindly)*|please|pls|plz)"
_QUOTED_CLAUSE = re.compile(r"[\"“][^\"”]*[,.;!?:][^\"”]*[\"”]")
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there| again| bot)?|morning|evening)[!,. ]+"
    rf"(?={_ASKS}\b)",
    re.IGNORECASE,
)
_TELLS = (
    r"(?:because |since |as |cause |bc )?(?:i|i'm|im|i've|ive|i'll|we|we're|we've|it|it's|its|he|he's|she|she's|they|they're|you|there|there's|"
    r"my|our|the|this|that|that's|his|her|their)"
)
_WHY_FIRST = re.compile(
    rf"^(?P<why>{_TELLS} (?:[^?!;:]|(?<=\d):(?=\d)){{4,}}?)(?:[,.;!]+(?: and| so)*| (?:and )?so) (?P<asked>{_ASKS} .+)$",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"^(?P<asked>.+?),? (?:and |but )?(?:i|we)(?:'ll| will| can| am going to)\b[^,]* (?:later|another (?:time|day)|some other time|soon)[ .!]*$",
    re.IGNORECASE,
)
_TAKES_BACK = re.compile(
    r"\b(?:mean|meant|instead|no|wait|rather|but|only|except|actually|sorry|or|other|another|also|too|same)\b",
    re.IGNORECASE,
)
_CHANGES = frozenset(
    "delete complete did reschedule reschedule_at_end unschedule prioritise tag untag rename reopen".split()  # noqa: SIM905 - a line
)
_ASKED = frozenset({"list", "question", "search"})
_ORDER = (
    r"(?:move|push|postpone|reschedule|shift|delete|remove|cancel|mark|tick off|check off|rename|tag|make|set|change)"
)
_WHY_SO = re.compile(
    rf"^(?P<why>{_TELLS} [^?!;:]{{4,}}?)(?:[,.;!]+(?: so)?| so) (?P<asked>{_ORDER} .+)$", re.IGNORECASE
)
_NAME_IS = r"\w+(?:'s| is| are| was| were| has| have| doesn't| doesn’t)"
_BUT = re.compile(r"^(?P<done>.+?),? but (?:they|we|i|the|there|not|no|he|she|it)\b.+$", re.IGNORECASE)
_WEARY = re.compile(
    r"(?:i'?m|i am|we'?re|we are) (?:so |too |totally |completely |a bit )*(?:swamped|exhausted|tired|stuck|booked|packed|overloaded|drained|stressed)\b",
    re.IGNORECASE,
)
_STATE_OF = re.compile(r"^(?:the |my |our )?(?P<what>.+?) (?:is|are|was|were|has been|have been) .+$", re.IGNORECASE)
_DONE_TAIL = re.compile(r"[,.;!]+ (?:done|finished|sorted|check|all done)[ .!]*$", re.IGNORECASE)
_TICK_OFF = re.compile(
    r"[,.;!]? (?:(?:so|and|you can|u can|ya can|please|pls|can you|could you) )*(?:tick|check|cross|mark) "
    r"(?:(?:it|that|this|them|those|both) (?:off|(?:as )?done)|off (?:it|that|them))(?: (?:the|my) list)?"
    r"(?: (?:now|please|pls|then|too))*[ .!?]*$",
    re.IGNORECASE,
)
_SO_DONE = re.compile(r"[,.;!]+ (?:so|and|now) (?:that|it|this)(?:'s| is) done(?: now| too)?[ .!]*$", re.IGNORECASE)
_AND_IT_WAS = re.compile(r",? and (?:it|that|they) (?:was|were|is|are) .+$", re.IGNORECASE)
_CHANGE_THAT = re.compile(
    rf"^(?P<told>.+?)[,.;!]+ (?:so |and )*{_ASKS} (?:change|update|adjust|fix|correct|move|edit) (?:that|it|this)[ .!?]*$",
    re.IGNORECASE,
)
_PUT_THAT = re.compile(
    rf"^(?P<told>.+?)[,.;!]+ (?:so |and )*{_ASKS} (?:put|add|note|write) (?:that|it|this)(?: down)?"
    r"(?: (?:on|to|in) (?:my|the) (?:to-?do |todo )?list)?[ .!?]*$",
    re.IGNORECASE,
)


_WHY_LAST = re.compile(rf"^(?P<asked>.+?)[,.;!?]+ (?P<why>(?:{_TELLS}|theyre|{_NAME_IS}) .+)$", re.IGNORECASE)


def without_asides(text: str, now: datetime) -> str:
    """Return a message's request alone; where what is beside it may be a request too, the message as it was."""
    said = " ".join(text.replace("\u2019", "'").split())
    if "\n" in text.strip() or len(said) > LONGEST or _QUOTED_CLAUSE.search(said):
        return text
    bare = without_hedges(_GREETING.sub("", said))
    return otherwise(bare, now) or _told(bare) or _asked(bare, now) or (bare if bare != said else text)


def _told(said: str) -> str:  # noqa: PLR0911 - one way a line
    """Say "I finished it, so you can tick that off" by its first half, and "the call is at 9, can you change that?" too."""
    if (found := _LATER.match(said)) and understand(found["asked"]).kind in ("complete", "did"):
        return found["asked"]
    if (found := _BUT.match(said)) and _is_done(found["done"]):
        return found["done"]
    if (found := _DONE_TAIL.search(said)) and _is_done(said[: found.start()]):
        return said[: found.start()]
    if (found := _SO_DONE.search(said) or _TICK_OFF.search(said)) and _is_done(said[: found.start()]):
        return _AND_IT_WAS.sub("", said[: found.start()])
    if (
        (found := _TICK_OFF.search(said))
        and (state := _STATE_OF.match(said[: found.start()]))
        and not _TAKES_BACK.search(state[0])
    ):
        return f"complete {state['what']}"
    if found := _CHANGE_THAT.match(said):
        return found["told"] if understand(found["told"]).kind != "add" else ""
    if (found := _PUT_THAT.match(said)) and understand(found["told"]).kind == "add":
        return found["told"]
    return ""


def _is_done(said: str) -> bool:
    first = said.casefold().split(maxsplit=1)[:1]
    return understand(said).kind in ("did", "complete") or any(map(is_past, first))


def _asked(said: str, now: datetime) -> str:
    """Leave out why something is asked for, before it or behind it, where that can be no request or part of one."""
    found = _WHY_FIRST.match(said)
    is_reason = found is not None and _asks_nothing(found["why"])
    if not is_reason:
        found = _WHY_SO.match(said)
        is_reason = found is not None and (
            _WEARY.match(found["why"]) is not None or understand(found["why"]).kind in ("unknown", "list")
        )
    if found and is_reason:
        request = understand(found["asked"])
        which = request.said.get("which", "")
        if request.kind in {*_CHANGES, *_ASKED, "add"} - {"did"} and not (IT.fullmatch(which) or THEM.fullmatch(which)):
            return _asked(found["asked"], now) or found["asked"]
    if (found := _WHY_LAST.match(said)) and not _TAKES_BACK.search(found["why"]) and not _sets_day(found["why"], now):
        request = understand(found["asked"])
        is_command = begins_as_command(clean(found["asked"])) or request.kind in {*_ASKED, "prioritise"}
        if request.kind in (_CHANGES - {"delete"}) | _ASKED and is_command and _asks_nothing(found["why"]):
            return found["asked"] + ("?" if request.kind in _ASKED else "")
        if (
            request.kind in ("unknown", "did")
            and is_past(found["asked"].split(maxsplit=1)[0].casefold())
            and _asks_nothing(found["why"])
        ):
            return found["asked"]  # "told the neighbours, they are cool with it"
    return ""


_RUNS_OUT = re.compile(
    r"\b(?:expires?|runs? out|ends?|closes?|starts?|begins?|leaves?|opens?) (?:in|on|at|this|next)\b", re.IGNORECASE
)


def _sets_day(why: str, now: datetime) -> bool:
    """Tell whether a reason may say when a todo is due: "it expires in January" does not."""
    return bool(find_dates(why, now)) and not _RUNS_OUT.search(why)


_STATES = re.compile(
    r"(?:i|we)(?: (?:really|probably|guess i|think i|know i))+ should\b|(?:i|we)(?:'ve| have)?(?: got)? (?!to\b)",
    re.IGNORECASE,
)


def _asks_nothing(why: str) -> bool:
    """Tell whether a reason is no request: "I really should see a dentist" and "I have no time" are none beside one."""
    if ":" in why:
        return False
    kind = understand(why).kind
    return kind in ("unknown", "list", "keep", "drop") or (kind == "add" and _STATES.match(why) is not None)
