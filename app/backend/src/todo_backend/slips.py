"""Slips of the fingers in the words that requests are made of; a title is never corrected."""

import difflib
import re

_VERBS = (
    "delete", "remove", "complete", "finish", "rename", "reschedule", "postpone", "remind", "remember", "search",
    "reopen", "create", "change", "update", "cancel", "erase", "prioritize", "prioritise", "mark", "show", "list",
    "find", "move", "clear", "undo",
)  # fmt: skip
# Words of their own that are near to one of the verbs.
_REAL = {
    "bark", "canceled", "cancels", "cancer", "care", "chance", "changed", "changes", "charge", "clean", "clears",
    "cleat", "compete", "completed", "completes", "complex", "compute", "core", "crate", "created", "creates",
    "cremate", "dark", "deleted", "eraser", "find", "finds", "fine", "finished", "finnish", "fund", "hide", "kind",
    "last", "late", "less", "lest", "lift", "line", "liste", "lists", "live", "lost", "love", "made", "make",
    "male", "marked", "marks", "markt", "mart", "mask", "member", "mind", "more", "moved", "mover", "moves",
    "movie", "movies", "park", "remote", "removed", "remover", "removes", "research", "rewind", "shop", "shown",
    "shows", "slow", "snow", "starch", "updates",
}  # fmt: skip
_VOCABULARY = (
    *_VERBS, "priority", "high", "overdue", "task", "tasks", "todo", "todos", "today", "completed", "finished",
    "important", "urgent", "everything", "sorted", "tomorrow", "count", "without", "deadline", "undone", "done",
)  # fmt: skip


def corrected(words: str) -> str:
    """Return the words with mistyped ones that requests are made of put right."""
    return re.sub(r"(?<!\S)[A-Za-z]{4,12}(?!\S)", lambda found: _correct(found[0]), words)


def _correct(word: str) -> str:
    lower = word.lower()
    if lower in _VOCABULARY or lower in _REAL:
        return word
    for right in _VOCABULARY:  # letters that changed places
        if sorted(right) == sorted(lower) and right[0] == lower[0]:
            return right
    close = difflib.get_close_matches(lower, _VOCABULARY, n=1, cutoff=0.82) if len(lower) > 4 else []
    return close[0] if close and close[0][0] == lower[0] else word


_SHORT_SLIPS = {
    **dict.fromkeys(("ad", "addd", "aad", "dd"), "add"),
    **dict.fromkeys(("wat", "waht", "wht", "whta", "wut"), "what"),
    **dict.fromkeys(("hwo", "hw"), "how"),
    **dict.fromkeys(("don", "doen", "dne"), "done"),
    **dict.fromkeys(("mak", "mkae"), "make"),
}


_SHORTHAND = {
    "nvm": "never mind",
    "idk": "i don't know",
    "jk": "just kidding",
    "im": "i'm",
    "ive": "i've",
    **dict.fromkeys(("whats", "wats", "wuts", "whts"), "what's"),
    "rly": "really",
    **dict.fromkeys(("sry", "soz"), "sorry"),
    **dict.fromkeys(("musnt", "musn't", "mustnt", "must'nt"), "mustn't"),
    "gimme": "give me",
    "lemme": "let me",
}
_NO_APOSTROPHE = re.compile(r"\b(do|does|did|is|are|was|were|have|has|had|could|should|would|wo|ca)nt\b", re.IGNORECASE)


_ITS = re.compile(
    r"\bits (?=(?:done|finished|not|now|already|very|really|important|urgent|high|low|overdue)\b)", re.IGNORECASE
)
_MUSTNT = re.compile(r"^((?:i|we) )(?:musnt|musn't|mustnt|must'nt)\b", re.IGNORECASE)


_AND = re.compile(r"(?<=\w )'?n'?(?= \w)", re.IGNORECASE)  # "phone bill n rent"


_NEW_TITLE = re.compile(r"(?:add|create|new|note|remind|rename)\b", re.IGNORECASE)


def spelt_out(words: str) -> str:
    """Return the words with a shorthand at their beginning, and contractions, as they are spelt."""
    if not _NEW_TITLE.match(words):
        words = _AND.sub("and", _NO_APOSTROPHE.sub(r"\1n't", re.sub(r"\bb4\b", "before", words)))
    words = _MUSTNT.sub(r"\1mustn't", _ITS.sub("it's ", words))
    first, _, rest = words.partition(" ")
    return f"{_SHORTHAND.get(first.lower(), first)} {rest}".rstrip()


def verb(word: str) -> str:
    """Return the first word of a request, put right when it is a mistyped verb."""
    lower = word.lower()
    if right := _SHORT_SLIPS.get(lower):
        return right
    if lower in _VERBS or lower in _REAL or len(lower) < 4 or not lower.isascii() or not lower.isalpha():
        return word
    close = difflib.get_close_matches(lower, _VERBS, n=1, cutoff=0.8)
    swapped = [
        verb for verb in _VERBS if len(verb) == len(lower) and sorted(verb) == sorted(lower) and verb[0] == lower[0]
    ]
    if swapped or (close and close[0][0] == lower[0] and abs(len(close[0]) - len(lower)) <= 1):
        return swapped[0] if swapped else close[0]
    return word


def infinitive(gerund: str) -> str:
    """Return "delete" for "deleting"."""
    bare = gerund[:-3].lower()
    return next((each for each in (bare, f"{bare}e", bare[:-1]) if each in _VERBS), bare)
