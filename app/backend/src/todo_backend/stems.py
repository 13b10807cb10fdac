"""What the forms of an English word share, so that "called" finds "call"."""

_PAST = {
    "bought": "buy",
    "paid": "pay",
    "sent": "send",
    "wrote": "write",
    "took": "take",
    "made": "make",
    "got": "get",
    "went": "go",
    "did": "do",
    "met": "meet",
    "brought": "bring",
    "found": "find",
    "gave": "give",
    "ran": "run",
    "sold": "sell",
    "swept": "sweep",
    "told": "tell",
    "built": "build",
    "fed": "feed",
    "drove": "drive",
    "ate": "eat",
    "drank": "drink",
    "rang": "ring",
    "spoke": "speak",
    "taught": "teach",
    "thought": "think",
    "hung": "hang",
    "left": "leave",
    "lent": "lend",
    "spent": "spend",
    "chose": "choose",
    "began": "begin",
    "came": "come",
    "submitted": "submit",
}


def stem(word: str) -> str:
    """Return the part of a word that its forms share: "called" and "calling" are "call"."""
    word = _PAST.get(word, word)
    for endings in ((("ies", "y"), ("es", ""), ("s", "")), (("ied", "y"), ("ing", ""), ("ed", ""))):  # "meetings"
        for end, stays in endings:
            if word.endswith(end) and len(word) - len(end) >= 3:
                word = word[: -len(end)] + stays
                break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word.rstrip("e") if len(word) > 3 else word
