"""Ways to say a request in few signs, spelt out: "whens the exam", "exam when", "thesis +1 week", "slides r done"."""

import re

_WHEN_LAST = re.compile(
    r"^(?P<what>(?!(?:since|tell|remind|show|let|say|ask|add|note|know|and|but|or)\b)\w.*?),? when(?: is it)?(?: again)?[ ?]*$",
    re.IGNORECASE,
)
_WHENS = re.compile(r"^(?P<word>when|where|what)s (?P<rest>(?:is )?.+?)(?: again)?(?P<end>[ ?.!]*)$", re.IGNORECASE)
_MORE = re.compile(
    r"^(?P<what>\w.*?)[,:]? ?\+ ?(?P<number>\d{1,2}|an?|one|two|three) ?(?P<unit>d|days?|w|wks?|weeks?|h|hrs?|hours?|months?)[ .!]*$",
    re.IGNORECASE,
)
_UNITS = {"d": "days", "w": "weeks", "wk": "weeks", "wks": "weeks", "h": "hours", "hr": "hours", "hrs": "hours"}
_TO_EARLIER = re.compile(
    r"\bto (?=(?:an?|one|two|three|\d{1,2}) (?:hour|day|week|month)s? (?:earlier|later|sooner)\b)", re.IGNORECASE
)
_ARE = re.compile(
    r"(?<=\w )r(?= (?:done|finished|ready|completed?|paid|sent|over|due|overdue|open|left)\b)", re.IGNORECASE
)


def spelt(words: str) -> str:
    """Return the words of a message with what is short in them spelt out."""
    if found := _WHENS.match(words):
        return f"{found['word']}'s {found['rest']}{found['end']}"
    if (found := _MORE.match(words)) and not re.match(r"(?:add|new|todo|note|remind)\b", words, re.IGNORECASE):
        unit = _UNITS.get(found["unit"].lower(), found["unit"])
        return f"postpone {found['what']} by {found['number']} {unit}"
    if found := _WHEN_LAST.match(words):
        return f"when is {found['what']}?"
    return _TO_EARLIER.sub("", _ARE.sub("are", words))
