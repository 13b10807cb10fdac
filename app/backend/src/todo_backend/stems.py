"""What the forms of an English word share, so that "called" finds "call"."""

import re

# The verbs that todos begin with.
ERRANDS = frozenset(
    """
    buy call pay send write email mail text clean wash book fix read meet visit cook make prepare plan finish
    submit pick order return renew walk feed water take bring get go check review update schedule ask tell talk
    organize sell repair study practice learn move pack print sign file cancel do try build watch register apply
    find look start train run exercise replace install charge empty vacuum iron fold mow paint post ship drop
    collect cut change contact reply respond research draft finalize exchange invite bake wrap measure hang rent
    borrow lend
    """.split()  # noqa: SIM905 - a literal would take a line for each word
)

# German has its verb at the end: "Milch kaufen".
GERMAN_ERRANDS = frozenset(
    """
    kaufen besorgen holen abholen anrufen bezahlen überweisen schreiben schicken putzen waschen reparieren bringen rausbringen
    buchen bestellen machen erledigen lesen lernen backen kochen gießen verlängern kündigen abgeben zurückgeben vorbereiten
    """.split()  # noqa: SIM905 - a literal would take a line for each word
)

# The irregular verbs of what people do: the verb, then its past tense and participle where they differ from it.
_IRREGULAR = (
    "buy bought", "pay paid", "send sent", "write wrote written", "take took taken", "make made", "get got gotten", "go went gone",
    "do did done", "meet met", "bring brought", "find found", "give gave given", "run ran", "sell sold", "sweep swept", "tell told",
    "build built", "feed fed", "drive drove driven", "eat ate eaten", "drink drank drunk", "ring rang rung", "speak spoke spoken",
    "teach taught", "think thought", "hang hung", "leave left", "lend lent", "spend spent", "choose chose chosen", "begin began begun",
    "come came", "see saw seen", "hold held", "keep kept", "lose lost", "win won", "grow grew grown", "draw drew drawn",
    "swim swam swum", "be been", "have had", "say said", "catch caught", "throw threw thrown", "wake woke woken", "wear wore worn",
    "sing sang sung", "hide hid hidden", "break broke broken", "forget forgot forgotten", "ride rode ridden", "fly flew flown",
    "sew sewed sewn", "tear tore torn", "dig dug", "sleep slept", "lead led", "light lit", "shoot shot", "stick stuck", "bind bound",
    "string strung", "fix fixed", "submit submitted",
)  # fmt: skip
_SAME = {"put", "cut", "read", "set", "hit", "shut", "let"}  # the past is as the verb
_NOT_PAST = {"need", "feed", "weed", "seed", "embed", "shed", "bed", "speed", "breed", "proceed"}
_PAST = {form: verb for verb, *forms in map(str.split, _IRREGULAR) for form in forms}


def is_past(word: str) -> bool:
    """Tell whether an English word may be a past tense or a participle."""
    return (
        word in _PAST
        or word.removeprefix("re") in _PAST
        or word in _SAME
        or (word.endswith("ed") and len(word) > 4 and word not in _NOT_PAST)
    )


IS_CANCELLED = re.compile(
    r"\b(?:delet|remov|cancel|scrap|called off|fell through|not happening|(?:is|are|was) off$|lösch|fällt (?:aus|weg)|abgesagt|gestrichen|borr|elimin|supprim|annul)",
    re.IGNORECASE,
)

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


def same_deeds(past: str) -> set[str]:
    """Return the stems of the verbs that a todo may have which "sent" says is done."""
    return {stem(past), *(stem(verb) for group in _SYNONYMS if past in group for verb in group)}


def infinitives(participle: str) -> list[str]:
    """Return what "appelé", "llamado" and "angerufen" may come from; the word itself comes first."""
    found = [participle]
    participle = re.sub(r"(?<=[éiu])e?s?$", "", re.sub(r"(?<=[ai]d)(?:a|os|as)$", "o", participle))
    for end, stays in (
        ("é", ("er", "ar")), ("í", ("er", "ir")), ("ado", ("ar",)), ("ido", ("er", "ir")), ("i", ("ir",)),
        ("u", ("re", "oir")), ("t", ("en",)), ("bracht", ("bringen",)), ("dacht", ("denken",)), ("gangen", ("gehen",)), ("nommen", ("nehmen",)), ("elt", ("eln",)), ("ert", ("ern",)), ("fait", ("faire",)), ("hecho", ("hacer",)), ("hice", ("hacer",)),
        ("écrit", ("écrire",)), ("escrito", ("escribir",)), ("pris", ("prendre",)), ("", ("na", "نا")),
    ):  # fmt: skip
        found += [participle.removesuffix(end) + each for each in stays if participle.endswith(end)]
    return found + [word.replace("ge", "", 1) for word in found if "ge" in word]


def stem(word: str) -> str:
    """Return the part of a word that its forms share: "called" and "calling" are "call"."""
    again = word.removeprefix("re")
    word = _PAST.get(word) or (f"re{_PAST[again]}" if again in _PAST else word)  # "restrung"
    for endings in ((("ies", "y"), ("es", ""), ("s", "")), (("ied", "y"), ("ing", ""), ("ed", ""))):  # "meetings"
        for end, stays in endings:
            if word.endswith(end) and len(word) - len(end) >= 3:
                word = word[: -len(end)] + stays
                break
    if len(word) > 3 and word[-1] == word[-2] and (word[-1] not in "ls" or len(word) > 6):  # "cancelled", not "called"
        word = word[:-1]
    return word.rstrip("e") if len(word) > 3 else word


ERRAND_STEMS = frozenset(map(stem, ERRANDS))
