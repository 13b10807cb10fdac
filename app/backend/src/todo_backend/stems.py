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
    "done": "do",
    "written": "write",
    "taken": "take",
    "given": "give",
    "eaten": "eat",
    "driven": "drive",
    "chosen": "choose",
    "spoken": "speak",
    "begun": "begin",
    "gone": "go",
    "fixed": "fix",
}


def is_past(word: str) -> bool:
    """Tell whether an English word may be a past tense or a participle."""
    return word in _PAST or (word.endswith("ed") and len(word) > 4)


_SYNONYMS = (
    ("bought", "got", "picked up", "grabbed", "purchased", "ordered"),
    ("called", "rang", "phoned", "telephoned"),
    ("sent", "mailed", "posted", "emailed", "shipped"),
    ("repaired", "fixed", "mended"),
    ("paid", "transferred", "settled"),
)


def synonyms(words: str) -> list[str]:
    """Return "bought milk" and so on for "got milk"."""
    for group in _SYNONYMS:
        for verb in group:
            if words.startswith(f"{verb} "):
                return [f"{other}{words.removeprefix(verb)}" for other in group if other != verb]
    return []


def infinitives(participle: str) -> list[str]:
    """Return what "appelé", "llamado" and "angerufen" may come from; the word itself comes first."""
    found = [participle]
    for end, stays in (
        ("é", ("er", "ar")), ("ée", ("er",)), ("í", ("er", "ir")), ("ado", ("ar",)), ("ido", ("er", "ir")), ("i", ("ir",)),
        ("u", ("re", "oir")), ("t", ("en",)), ("fait", ("faire",)), ("hecho", ("hacer",)), ("hice", ("hacer",)),
        ("écrit", ("écrire",)), ("escrito", ("escribir",)), ("pris", ("prendre",)),
    ):  # fmt: skip
        found += [participle[: -len(end)] + each for each in stays if participle.endswith(end)]
    return found + [word.replace("ge", "", 1) for word in found if "ge" in word]


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
