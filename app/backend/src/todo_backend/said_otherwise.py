"""Requests that are made by saying how things are: "too tired for laundry, put it on saturday", "two things on sunday: …"."""

import re
from datetime import datetime

from todo_backend.dates import find_dates

_I_THINK = re.compile(
    r"^(?:(?:i (?:think|guess|feel like|believe)|maybe|imo)(?: that)?,? )+"
    r"(?=(?!i\b|we\b).+ (?:should|needs? to|must|has to) (?:now )?(?:be|have)\b)",
    re.IGNORECASE,
)
_ACTUALLY = re.compile(r"^(?P<rest>(?:make|move|set|put|change) .+?),? actually[ .!?]*$", re.IGNORECASE)
_THEN = re.compile(r"^(?P<rest>(?:ok|okay|alright|all right|so|well|fine)\b.+?) then(?P<end>[ .!?]*)$", re.IGNORECASE)
_IT_MATTERS = re.compile(
    r"^it(?:'s| is) (?:(?:very|really|so|super|quite|extremely) )?(?:important|urgent|crucial|vital) (?:that (?:i|we)|to|for me to) (?P<what>.+)$",
    re.IGNORECASE,
)
_BEFORE_IT = re.compile(
    r"^(?P<first>(?:add |remind me to |(?:i|we)(?:'ve| have)? (?:got|need|have) to ).+),? and (?P<second>(?:buy|order|get|book|call|pack|send|write|make|bake|prepare|print|pick up|clean|wrap|confirm)\b"
    r".+ (?:an?|one|two|three|\d{1,2}) (?:day|week|month)s? (?:before|earlier|ahead|after|later)(?: (?:that|it))?[ .!]*)$",
    re.IGNORECASE,
)
_CANNOT = re.compile(
    r"^(?:(?:i'?m|i am|we'?re) )?(?:too (?:tired|busy|ill|sick|late) (?:for|to do)|no time (?:for|to do)|not in the mood for|not feeling like"
    r"|(?:(?:i|we) )?(?:(?:can'?t|cannot|won'?t) do|(?:don'?t have|won'?t have|have no) time (?:for|to do))) "
    r"(?P<what>.+?)(?: (?:today|tonight|tomorrow|this \w+|(?:on )?\w+day))?[,.;]+ (?:(?:so|please|pls|can you|can we|let'?s) )*"
    r"(?:(?:put|move|push|shift|reschedule|postpone)(?: it| that| this)? (?:on|to|for|until|till)|(?:make|do) (?:it|that)(?: on)?) (?P<when>[^,]+)$",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"^(?:(?:i|we) )?(?:(?:also|still) )?(?:have|need|want|got|gotta|must)(?: got)?(?: to)?(?: do| get done)? "
    r"(?:two|three|four|five|[2-5]|a few|some|several|these) (?:more )?(?:things|todos|to-dos|tasks|errands)(?: to do)?"
    r"(?P<when> [^:]{1,30})?\s*: *(?P<what>.+)$",
    re.IGNORECASE,
)


def without_hedges(said: str) -> str:
    """Leave out "I think", "actually" and "ok … then" around a request."""
    bare = _ACTUALLY.sub(r"\g<rest>", _I_THINK.sub("", said))
    then = _THEN.match(bare)
    return then["rest"] + then["end"] if then else bare


def otherwise(said: str, now: datetime) -> str:
    """Return the request in the words of one; empty where it is made in such words, or is none."""
    if matters := _IT_MATTERS.match(said.strip(" .!")):
        return f"add {matters['what']} !high"
    if before := _BEFORE_IT.match(said):
        return f"{before['first'].rstrip(' ,')}. I need to {before['second']}"
    if cannot := _CANNOT.match(said):
        return f"move {cannot['what']} to {cannot['when']}"
    return _several(said, now)


def _several(said: str, now: datetime) -> str:
    """Say "two things on sunday: call Nina and mow the lawn" as a list with a day each."""
    found = _SEVERAL.match(said)
    parts = re.split(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+", found["what"].strip(" .!")) if found else []
    when = (found["when"] or "").strip() if found else ""
    if len(parts) < 2 or (when and not find_dates(when, now)):
        return ""
    lines = (part if not when or find_dates(part, now) else f"{part} {when}" for part in parts if part)
    return "\n".join(["add:", *lines])
