"""Questions about the world, which a todo list cannot answer: "what's the weather like tomorrow?"."""

import re

from todo_backend.references import Turn, everything
from todo_backend.replies import HELP, WHATS_LEFT, Reply

_ASKS = re.compile(
    r"(?:(?:so|and|hey|hi|please|can you|could you|do you know|tell me|any idea)[\s,]+)*"
    r"(?:what|who|where|when|why|how|which|is|are|was|were|will|does|do|did|should i|can i|tell me|give me"
    r"|translate|define)\b",
    re.IGNORECASE,
)
_TOPIC = re.compile(
    r"\b(?:weather|forecast|temperature|(?:rain|snow)(?:ing|y)?|sunny|windy|storm|humid|degrees (?:outside|in)|umbrella"
    r"|(?:the |any |latest )news|headlines|won the|score of|election|president|prime minister"
    r"|capital (?:city )?of|population of"
    r"|stock(?:s| price| market)|exchange rate|bitcoin|price of|recipe|horoscope|lottery|traffic"
    r"|translat\w+|mean(?:s|ing)? of|synonyms?|time is it in|joke|poem|song|movie to|square root|meaning of life"
    r"|tall is|old is|far is|big is|(?:many|much) (?:people live|miles|kilomet\w+))\b",
    re.IGNORECASE,
)
# A question about the list all the same.
_LIST = re.compile(
    r"\b(?:to-?dos?|tasks?|list|remind\w*|due|tagged|add|items?|(?:do|did|have|am) (?:i|we)|i (?:need|have))\b",
    re.IGNORECASE,
)


async def asked_of_the_world(turn: Turn, words: str) -> Reply | None:
    """Say that todos are all there is, where a question has another subject, and no todo is about that."""
    found = _TOPIC.search(words)
    if not found or not _ASKS.match(words) or _LIST.search(words):
        return None
    subject = max(re.findall(r"\w+", found[0].casefold()), key=len)
    if any(subject in f"{todo['title']} {' '.join(todo['tags'])}".casefold() for todo in await everything(turn, "all")):
        return None
    return Reply("I only keep todos, so I cannot tell you that.", choices=[WHATS_LEFT, HELP])
