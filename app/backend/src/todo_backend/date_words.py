"""The words of dates and times that the date library does not know, or reads in another way than a todo list means."""

import calendar
import difflib
import re
from datetime import date, time, timedelta

MORNING, AFTERNOON, EVENING, NIGHT = time(9), time(15), time(18), time(20)

TODAY: dict[str, tuple[int, time | None]] = {
    **dict.fromkeys(("today", "heute", "hoy", "aujourd'hui", "آج", "aaj", "later today", "2day"), (0, None)),
    **dict.fromkeys(("tonight", "tonite", "2nite", "esta noche", "آج رات"), (0, NIGHT)),
    **dict.fromkeys(("this morning", "heute früh", "heute morgen", "esta mañana", "ce matin"), (0, MORNING)),
    **dict.fromkeys(("this evening", "heute abend", "ce soir", "aaj shaam"), (0, EVENING)),
    **dict.fromkeys(("yesterday", "gestern", "ayer", "hier"), (-1, None)),
    **dict.fromkeys(("this afternoon", "heute nachmittag", "esta tarde", "cet après-midi"), (0, AFTERNOON)),
    **dict.fromkeys(("tomorrow", "tmrw", "tmr", "tmw", "2moro", "morgen", "mañana", "manana", "demain", "کل", "kal"), (1, None)),
    **dict.fromkeys(("morgen früh",), (1, MORNING)),
    **dict.fromkeys(
        ("the day after tomorrow", "day after tomorrow", "übermorgen", "uebermorgen", "pasado mañana", "après-demain",
         "apres-demain", "après demain", "پرسوں"), (2, None),
    ),
}  # fmt: skip
_PARTS = {
    **dict.fromkeys(("morning", "früh", "vormittag", "matin", "por la mañana", "صبح", "subah"), MORNING),
    **dict.fromkeys(
        ("afternoon", "nachmittag", "après-midi", "por la tarde", "دوپہر", "dopahar", "dopehar"), AFTERNOON
    ),
    **dict.fromkeys(("evening", "abend", "soir", "شام", "shaam", "sham"), EVENING),
    **dict.fromkeys(("night", "nacht", "por la noche", "رات", "raat"), NIGHT),
}


def _any(phrases: "list[str]") -> str:
    return "|".join(
        re.escape(phrase).replace(r"\ ", r"\s+").replace("'", "['\u2019]")
        for phrase in sorted(phrases, key=len, reverse=True)
    )


TODAY_PATTERN = _any(list(TODAY))
PART_PATTERN = rf"(?:in\s+the\s+)?(?:{_any(list(_PARTS))})"

# Words that lead to a date and belong to it.
LEAD = re.compile(
    r"(?:(?<=\s)|^)(?:(?:sometime|some\s+time|preferably|ideally|no\s+later\s+than|not\s+later\s+than|spätestens(?:\s+am)?|a\s+más\s+tardar(?:\s+el)?|au\s+plus\s+tard(?:\s+le)?|eod|cob|first\s+thing|to\s+be\s+(?:done|completed|finished|ready)|(?:which|that|it)(?:'s|\s+is)\s+due|due(?:\s+(?:date|on|by))?:?|by|on|until|till|before|b4|for|für|at|around|starting|from|this|the|coming|à|am|um|ab|bis|bis\s+zum|zum|vor"
    r"|fällig(?:\s+am)?|el|le|para(?:\s+el)?|antes\s+del?|hasta(?:\s+el)?|pour(?:\s+le)?|avant(?:\s+le)?|d['\u2019]ici|a\s+las?"
    r"|deadline:?|@|-|–|—)(?:\s+|(?<=:)))+$",
    re.IGNORECASE,
)  # fmt: skip
# Words that follow a date and belong to it.
TRAIL = re.compile(
    r"\s+(?:ko|tak|تک|کو|کے لیے|at the latest|latest|ideally|preferably|first thing|eod|cob)(?=$|\s|[,.])",
    re.IGNORECASE,
)
# What may stand between the day and the time.
GLUE = re.compile(r"[\s,]*(?:(?:at|on|by|around|@|um|gegen|am|à|a\s+las?|el|le|the|in\s+the|,|کو)\s+)*", re.IGNORECASE)

# What stands between a date and the one that corrects it: "on monday no wait tuesday".
CORRECTION = re.compile(
    r"[\s,.–—-]*(?:no|wait|sorry|oops|scratch that|actually|or rather|rather|i mean|i meant|make (?:that|it))"
    r"(?:[\s,.]+(?:no|wait|sorry|actually|rather|i mean|i meant|make (?:that|it)))*[\s,]+(?:(?:on|at|by|the|for)\s+)*",
    re.IGNORECASE,
)

# What stands between a date and the one that it takes the place of: "tuesday, not monday".
INSTEAD_OF = re.compile(
    r"[\s,]*\b(?:now\s+)?(?:instead\s+of|rather\s+than|and\s+not|not)\s+(?:(?:on|at|by|the)\s+)*", re.IGNORECASE
)

# What counts from the date that follows: "3 days before", "the day after".
COUNTED_FROM = re.compile(
    r"(?:on\s+)?(?:the|an?|one|(?P<count>\d{1,2}|two|three|four|five|six|seven|ten))\s+(?P<unit>day|week)s?\s+(?P<side>before|after)\s+(?:the\s+)?$",
    re.IGNORECASE,
)

EVERY = r"(?:every|evry|evrey|evey)(?:\s+(?:other|single|\d+|two|three|second))?|each|jede[nrsm]?|cada|todos\s+los|todas\s+las|tous\s+les|toutes\s+les|chaque|ہر"
EVERY_UNIT = (
    r"days?|weeks?|months?|years?|weekdays?|weekends?|mornings?|afternoons?|evenings?|nights?|hours?|quarters?|tag|woche|monat|jahr|día|dias|días"
    r"|semana|mes|año|jours?|semaines?|mois|matins?|soirs?|روز|ہفتے|ہفتہ|مہینے|دن"
)
ADVERBS = r"(?:on\s+)?(?:weekdays|weeknights|weekends)|daily|weekly|monthly|yearly|annually|biweekly|quarterly|täglich|wöchentlich|monatlich|diariamente|semanalmente|روزانہ"
EDGES = r"(?:the\s+)?end\s+of|start\s+of|beginning\s+of|ende|anfang|finales?\s+de|fin\s+de|fin|principios\s+de|début"

_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth",
    "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth", "twenty-first", "twenty-second",
    "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth", "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth",
    "thirty-first",
)  # fmt: skip
ORDINAL = "|".join(sorted((name.replace("-", r"[\s-]") for name in _ORDINALS), key=len, reverse=True))

_COUNT = (
    r"(?:\d{1,4}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a\s+couple\s+of|a\s+few|half\s+an)"
)
_UNIT = r"(?:fortnights?|min(?:ute)?s?|mins?|hours?|hrs?|days?|weeks?|months?|years?)"
RELATIVE = (
    rf"in\s+{_COUNT}\s+(?:hours?\s+and\s+a\s+half|and\s+a\s+half\s+hours?)|in\s+{_COUNT}\s+hours?(?:\s+and|,)?\s+{_COUNT}\s+min(?:ute)?s?|"
    rf"in\s+{_COUNT}\s+{_UNIT}|in\s+\d{{1,3}}\s?(?:min|h|m|d|w)|{_COUNT}\s+{_UNIT}\s+from\s+(?:now|today)"
    r"|in\s+(?:\d{1,3}|einem|einer|zwei|drei|vier|fünf|sechs|sieben|zehn)\s+(?:minuten?|stunden?|tag(?:en)?|wochen?|monat(?:en)?|jahr(?:en)?)"
    r"|(?:en|dentro\s+de)\s+(?:\d{1,3}|un|una|dos|tres|cuatro|cinco)\s+(?:minutos?|horas?|d[ií]as?|semanas?|mes(?:es)?)"
    r"|dans\s+(?:\d{1,3}|une?|deux|trois|quatre|cinq)\s+(?:minutes?|heures?|jours?|semaines?|mois)"
    r"|\d{1,3}\s+(?:دن|دنوں|ہفتے|ہفتوں|مہینے|گھنٹے|گھنٹوں|منٹ)\s+میں"
)
_COUNTS = {"a couple of": "2", "a few": "3"}

NEXT = r"(?:this|next|coming|upcoming|this\s+coming|nächste[nrs]?|kommende[nrs]?|diese[nrs]?|próximo|este|ce|اگلے|اس)"
IN = r"in|im|en|au\s+mois\s+de"

# Days that are dates when a word leads to them; "christmas shopping" is a title.
HOLIDAYS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("christmas eve", "heiligabend", "nochebuena"), (12, 24)),
    **dict.fromkeys(("christmas", "christmas day", "xmas", "weihnachten", "navidad", "noël"), (12, 25)),
    **dict.fromkeys(("boxing day",), (12, 26)),
    **dict.fromkeys(("new year's eve", "new years eve", "nye", "silvester", "nochevieja"), (12, 31)),
    **dict.fromkeys(("new year's day", "new years day", "new year's", "new year", "neujahr"), (1, 1)),
    **dict.fromkeys(("valentine's day", "valentines day"), (2, 14)),
    **dict.fromkeys(("halloween",), (10, 31)),
}
HOLIDAY_LEADS = re.compile(
    r"(?<!\w)(?:on|by|before|after|until|till|due(?:\s+(?:on|by))?|an|bis|vor|antes\s+de|avant)\s+$", re.IGNORECASE
)
HOLIDAY_PATTERN = _any(list(HOLIDAYS))

NEXT_AFTER = r"prochain|que\s+viene|próximo"

_SPANS = {
    "this week": r"this\s+week|diese\s+woche|esta\s+semana|cette\s+semaine|اس\s+ہفتے",
    "rest of the week": r"(?:the\s+)?rest\s+of\s+(?:the|this)\s+week|(?:the\s+)?remaining\s+week",
    "next week": r"next\s+week|nächste\s+woche|kommende\s+woche|la\s+próxima\s+semana|próxima\s+semana|la\s+semana\s+que\s+viene"
                 r"|(?:la\s+)?semaine\s+prochaine|اگلے\s+ہفتے",
    "next weekend": r"next\s+weekend",
    "weekend": r"(?:this\s+|the\s+|at\s+the\s+|over\s+the\s+|(?:am|dieses)\s+)?(?:weekend|wknd|wochenende)|(?:el\s+|este\s+)?fin\s+de\s+semana|(?:ce\s+|le\s+)?week-end",
    "this month": r"this\s+month|diesen\s+monat|este\s+mes|ce\s+mois(?:-ci)?",
    "next month": r"next\s+month|nächsten\s+monat|(?:el\s+)?próximo\s+mes|el\s+mes\s+que\s+viene|(?:le\s+)?mois\s+prochain|اگلے\s+مہینے|اگلے\s+ماہ",
    "this year": r"this\s+year",
    "next year": r"next\s+year|nächstes\s+jahr|(?:el\s+)?próximo\s+año|l['\u2019]année\s+prochaine|اگلے\s+سال",
    "end of day": r"(?:the\s+)?end\s+of\s+(?:the\s+|my\s+)?day|(?<!tomorrow\s)(?<!day\s)(?:eod|cob)(?!\s+(?:on\s+)?\w+day|\s+tomorrow)",
    "before the weekend": r"before\s+the\s+weekend",
    "end of week": r"(?:the\s+)?end\s+of\s+(?:the\s+|this\s+)?week|eow|ende\s+der\s+woche|(?:la\s+)?fin\s+de\s+(?:la\s+)?semaine",
    "end of next week": r"(?:the\s+)?end\s+of\s+next\s+week",
    "end of month": r"(?:the\s+)?last\s+day\s+of\s+(?:the|this)\s+month|(?:the\s+)?end\s+of\s+(?:the\s+|this\s+)?month|eom|month[\s-]end|(?:zum\s+)?monatsende|ende\s+des\s+monats|(?:a\s+)?fin(?:ales)?\s+de\s+mes|(?:la\s+)?fin\s+du\s+mois"
                    r"|مہینے\s+کے\s+آخر",
    "end of next month": r"(?:the\s+)?end\s+of\s+next\s+month",
    "end of year": r"(?:the\s+)?end\s+of\s+(?:the\s+|this\s+)?year|eoy|jahresende|ende\s+des\s+jahres|fin\s+de\s+año|(?:la\s+)?fin\s+de\s+l['\u2019]année",
    "start of next week": r"(?:the\s+)?(?:start|beginning)\s+of\s+next\s+week|early\s+next\s+week",
    "start of next month": r"(?:the\s+)?(?:start|beginning|first)\s+of\s+(?:the\s+)?next\s+month|(?:the\s+)?(?:1st|first)\s+of\s+the\s+month",
    "week from today": r"a\s+week\s+from\s+(?:today|now)",
    "week after next": r"(?:the\s+)?week\s+after\s+next|in\s+two\s+weeks'?\s+time|übernächste\s+woche",
    "month after next": r"(?:the\s+)?month\s+after\s+next",
    "week from tomorrow": r"a\s+week\s+from\s+tomorrow",
}  # fmt: skip
_AHEAD = r"(?:in\s+|within\s+)?(?:the\s+)?(?:next|coming)\s+(?P<count>\d{1,2}|two|three|four|five|six|seven|ten|few|couple\s+of)\s+(?P<unit>day|week)s"
SPAN_PATTERN = (
    re.sub(r"\?P<\w+>", "?:", _AHEAD)
    + "|"
    + "|".join(f"(?:{pattern})" for pattern in sorted(_SPANS.values(), key=len, reverse=True))
)

_GERMAN_HOURS = "eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf"
_SPANISH_HOURS = "una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce"
_FRENCH_HOURS = "une|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze"
_URDU_HOURS = "ایک|دو|تین|چار|پانچ|چھ|سات|آٹھ|نو|دس|گیارہ|بارہ"
_HOURS_ABROAD = {
    name: number
    for names in (_GERMAN_HOURS, _SPANISH_HOURS, _FRENCH_HOURS, _URDU_HOURS)
    for number, name in enumerate(names.split("|"), 1)
}
_HOUR_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_MINUTES = {"fifteen": 15, "twenty": 20, "thirty": 30, "forty-five": 45, "forty five": 45, "oh five": 5}
_MINUTE_WORDS = "|".join(_MINUTES)
CLOCK = (
    rf"(?:a\s+las?\s+(?P<spanish>\d{{1,2}}|{_SPANISH_HOURS})|(?:um\s+|gegen\s+)(?P<german>{_GERMAN_HOURS})(?:\s+uhr)?|(?:à\s+)?(?P<french>\d{{1,2}}|{_FRENCH_HOURS})\s*(?:h|heures?)(?=\s+(?:et|moins)\s|\s+(?:du|de\s+l)|(?<=s)\b)"
    rf"|(?:um\s+|gegen\s+)?(?P<quarter>halb|viertel\s+(?:nach|vor))\s+(?P<german2>\d{{1,2}}|{_GERMAN_HOURS})|(?P<urdu>{_URDU_HOURS})\s+بجے)"
    r"(?P<fraction>\s+(?:y\s+media|y\s+cuarto|menos\s+cuarto|et\s+demie|et\s+quart|moins\s+le\s+quart))?(?P<part9>ABROAD)?(?![\w:.])"
    r"|(?:(?:at|@|um|gegen|à|a\s+las?|by|around)\s*)?(?:"
    r"(?P<h1>\d{1,2})(?P<sep>[:h])(?P<m1>\d{2})\s*(?P<p1>am|pm|a\.m\.?|p\.m\.?)?(?:\s*(?:uhr|hrs|h))?(?P<part1>\s+(?:in\s+the\s+)?(?:morning|evening|afternoon)|\s+at\s+night|ABROAD)?"
    r"|(?P<h2>\d{1,2})\.(?P<m2>\d{2})\s*(?P<p2>am|pm|a\.m\.?|p\.m\.?|uhr)"
    r"|(?P<h3>\d{1,2})\s*(?P<p3>am|pm|a\.m\.?|p\.m\.?|-?ish|o['\u2019]?clock|uhr|h|heures?|baje|بجے)(?P<part3>\s+(?:in\s+the\s+)?(?:morning|evening|afternoon|at\s+night)|ABROAD)?"
    rf"|(?P<hw>{_HOUR_WORDS})(?:[\s-]+(?P<mw>{_MINUTE_WORDS}))?\s*(?P<pw>am|pm|a\.m\.?|p\.m\.?|o['\u2019]?clock)"
    r"|(?:12\s+)?(?P<word>noon|midday|midnight|lunchtime|mittags?|mitternacht|mediod[ií]a|medianoche|midi|minuit)"
    rf"|(?:(?P<rel>half|(?:a\s+)?quarter)\s+(?P<side>past|after|to|before)|(?P<rel2>half)(?=\s+(?:\d{{1,2}}|{_HOUR_WORDS})(?:\s*$|\s*[,;]|\s+(?:on|today|tomorrow|tonight|next|this|\w+day)\b)))\s+(?P<h4>\d{{1,2}}|{_HOUR_WORDS})(?:\s*(?P<p4>am|pm|a\.m\.?|p\.m\.?))?"
    r"(?P<part4>\s+(?:in\s+the\s+)?(?:morning|evening|afternoon)|\s+at\s+night)?"
    r")"
    r"|(?:at|@|um|a\s+las?|à|around|gegen|vers)\s+(?P<h5>\d{1,2})(?:\s+(?:in\s+the\s+)(?P<part5>morning|afternoon|evening))?(?=\s*$|\s*[,;!?)]|\s+(?:on|tomorrow|today|tonight|next|with|to|and|zum|zur|an|den|die|das|mit|beim|bei|con|avec|chez|for|now|sharp|please|not|instead|rather|#|mon|tue|wed|thu|fri|sat|sun)|\s+#)"
    r"|(?<=\w\s)(?P<h10>\d{1,2})(?=\s*$|\s*[,;!?)#])"
    r"|by\s+(?P<h9>\d{1,2})(?=\s+(?:today|tomorrow|tonight|on|instead)\b|\s+not\s+(?:at\s+)?(?:\d|noon|midday|midnight))"
    r"|(?:at|@|um|à|a\s+las?)\s+(?P<h8>\d{1,2})\.(?P<m8>\d{2})(?![\d.])"
    r"|(?:(?:at|@|by)\s+|(?=\d{4}\s+instead\b))(?P<h6>[01]\d|2[0-3])(?P<m6>[0-5]\d)(?=\s+instead\b|\s*$|\s*[,;!?)]|\s+(?:on|tomorrow|today|tonight|next|with|to|and|for|#))"
    r"|(?P<h7>[01]\d|2[0-3])(?P<m7>[0-5]\d)\s?(?:hrs|hours|h|uhr)"
    rf"|(?:at|@|by|around)\s+(?P<hw2>{_HOUR_WORDS})(?:[\s-]+(?P<mw2>{_MINUTE_WORDS}))?(?=\s*$|\s*[,;!?)]|\s+(?:on|tomorrow|today|tonight|next|with|to|and|in|for|now|sharp|please|not|instead|rather|#|mon|tue|wed|thu|fri|sat|sun))"
    r"|(?:in\s+the\s+)(?P<part>morning|afternoon|evening)|(?:at\s+)night"
).replace(
    "ABROAD",
    r"\s+(?:(?:de|por)\s+la\s+(?:mañana|tarde|noche)|du\s+(?:matin|soir)|de\s+l['\u2019]après-midi|(?:abend|morgen|nachmittag|nacht)s)",
)
# "At 8pm instead of 7"
INSTEAD_OF_HOUR = re.compile(
    rf"[\s,]*\b(?:instead\s+of|rather\s+than|and\s+not|not)\s+(?:at\s+)?(?:\d{{1,2}}(?:[:.]\d\d)?|{_HOUR_WORDS})(?=$|[\s,.!])",
    re.IGNORECASE,
)
_HOURS = {
    name: number
    for number, name in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
}
_CLOCK_WORDS = {
    **dict.fromkeys(("noon", "midday", "lunchtime", "mittag", "mittags", "mediodía", "mediodia", "midi"), time(12)),
    **dict.fromkeys(("midnight", "mitternacht", "medianoche", "minuit"), time(0)),
}

_TYPED = ("today", "tomorrow", "tonight", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "january", "february",
          "september", "october", "november", "december", "weekend")  # fmt: skip
PAD = "\u200b"  # fills up a corrected word
_REAL_WORDS = {"sundae", "forbid", "frida", "moray", "decembers", "fridge"}


def correct(text: str) -> str:
    """Correct misspelt days and months, in place: the text keeps its length where nothing else is possible."""
    return re.sub(r"[A-Za-z]{4,10}", lambda found: _corrected(found[0]), text)


def _corrected(word: str) -> str:
    lower = word.lower()
    if lower in _TYPED or lower in _REAL_WORDS:
        return word
    close = difflib.get_close_matches(lower, _TYPED, n=1, cutoff=0.82)
    if not close or close[0][0] != lower[0] or lower.endswith(("s", "ly")):
        return word
    # The text keeps its length, so that places in it are places in the original: shorter words cannot be padded
    # inside, and are given as the three letters that every weekday and month is known by.
    short = {"tomorrow": "tmrw", "tonight": "tonight", "weekend": "weekend"}.get(close[0], close[0][:3])
    fits = close[0] if len(close[0]) == len(word) else short
    return fits + PAD * (len(word) - len(fits)) if len(fits) <= len(word) else word


def key(text: str) -> str:
    """Return a phrase as it stands in the tables here."""
    return " ".join(text.lower().replace("\u2019", "'").split())


def part_of_day(text: str | None) -> time | None:
    """Return the time that "morning" and the like stand for."""
    if not text:
        return None
    return _PARTS.get(re.sub(r"^in the ", "", key(text)))


def day_number(text: str) -> int:
    """Return the day of a month that "15" and "fifteenth" name."""
    return int(text) if text.isdigit() else _ORDINALS.index("-".join(re.split(r"[\s-]+", text.lower()))) + 1


def is_end(edge: str) -> bool:
    """Tell whether "end of" or "beginning of" was said."""
    return bool(re.search(r"end|fin", edge, re.IGNORECASE))


def days_of(counted: dict[str, str]) -> int:
    """Return how many days "3 weeks before" and the like move a date."""
    said = (counted["count"] or "one").lower()
    number = int(said) if said.isdigit() else _HOURS[said]
    return number * (7 if counted["unit"].lower() == "week" else 1) * (-1 if counted["side"].lower() == "before" else 1)


def is_leap(year: int) -> bool:
    """Tell whether a year has a 29th of February."""
    return calendar.isleap(year)


def month_end(day: date) -> date:
    """Return the last day of a month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def nth_weekday(first: date, weekday: int, nth: str) -> date:
    """Return the "second" or "last" such weekday of the month that begins on that day."""
    if nth == "last":
        end = month_end(first)
        return end - timedelta(days=(end.weekday() - weekday) % 7)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * _ORDINALS.index(nth))


def _whole_month(first: date) -> tuple[date, date]:
    return first, month_end(first)


def plain_relative(text: str) -> str:
    """Say "in a couple of days" in words that the library knows."""
    said = key(text)
    for phrase, number in _COUNTS.items():
        said = said.replace(phrase, number)
    said = re.sub(r"\ba fortnight\b|\bone fortnight\b", "2 weeks", said)
    said = _IN_MINUTES.sub(_in_minutes, said.replace("half an hour", "30 minutes"))
    said = re.sub(r"^(.*) from (?:now|today)$", r"in \1", said)
    said = re.sub(
        r"\bin (\d+)\s?(min|h|m|d|w)$",
        lambda f: f"in {f[1]} " + {"h": "hours", "d": "days", "w": "weeks"}.get(f[2], "minutes"),
        said,
    )
    said = re.sub(r"^en (?=\d|un|dos|tres|cuatro|cinco)", "dentro de ", said)
    for word, number in {"dos": "2", "tres": "3", "cuatro": "4", "cinco": "5"}.items():
        said = re.sub(rf"\bdentro de {word}\b", f"dentro de {number}", said)
    return re.sub(r"\bhrs?\b", "hours", said)


_IN_MINUTES = re.compile(
    rf"\b(?P<hours>\d{{1,2}}|an?|{_HOUR_WORDS}) (?:hours? and (?P<half1>a half)|and (?P<half2>a half) hours?|hours?(?: and|,)? (?P<minutes>\d{{1,2}}|{_HOUR_WORDS}) min(?:ute)?s?)"
)


def _in_minutes(found: "re.Match[str]") -> str:
    """Say "two and a half hours" in minutes, which the library knows."""

    def number(said: str) -> int:
        return int(said) if said.isdigit() else _HOURS.get(said, 1)

    return f"{60 * number(found['hours']) + (number(found['minutes']) if found['minutes'] else 30)} minutes"


def has_clock_unit(text: str) -> bool:
    """Tell whether a phrase counts minutes or hours."""
    return bool(re.search(r"min|hour|stunde|hora|heure|منٹ|گھنٹ", text, re.IGNORECASE))


_EVENINGS = re.compile(
    r"\b(?:dinner|supper|drinks?|beers?|wine|pub|bar|party|movies?|cinema|film|concert|theat(?:re|er)|opera|abendessen|kino|konzert|cena|cine|d[iî]ner|cinéma)\b",
    re.IGNORECASE,
)
_MORNINGS = re.compile(
    r"\b(?:wake|get up|alarm|breakfast|sunrise|aufstehen|wecker|frühstück|desayun\w+|despert\w+|petit[- ]déjeuner|réveil\w*|lever)\b",
    re.IGNORECASE,
)


def clock_of(said: dict[str, str | None], text: str = "") -> time | None:
    """Return the time that the groups of CLOCK say; None when there is no such time.

    What is done then tells "dinner at 8" from "breakfast at 8".
    """
    if word := said["word"]:
        return _CLOCK_WORDS[word.lower()]
    hour, minute, half = _digits(said)
    if hour is None:
        return part_of_day(said["part"]) or NIGHT
    if not 0 <= hour <= 24 or minute > 59 or (half and half[0] in "ap" and not 1 <= hour <= 12):
        return None
    part = key(said["part1"] or said["part3"] or said["part4"] or said["part5"] or said["part9"] or "")
    is_evening = part.endswith(
        ("afternoon", "evening", "night", "tarde", "noche", "soir", "midi", "abends", "nachmittags")
    )
    if half.startswith("p") or (is_evening and hour < 12):
        hour = hour % 12 + 12
    elif half.startswith("a"):
        hour %= 12
    elif not part and _is_after_noon(said, hour, half, text):
        hour += 12
    return time(hour % 24, minute)


def is_vague(said: dict[str, str | None]) -> bool:
    """Tell whether the half of the day was not said: "7:30", "at 8"."""
    part = said["part1"] or said["part3"] or said["part4"] or said["part5"] or said["part9"]
    hour, _, half = _digits(said)
    is_of_24 = (said["h1"] or "").startswith("0") or said["h6"] or said["h7"] or half in ("h", "uhr")
    return hour is not None and 1 <= hour < 12 and not (part or is_of_24 or half.startswith(("a", "p")))


_HOURS_OF_24 = re.compile(r"\d (?:uhr|hrs|h)\b", re.IGNORECASE)


def _is_after_noon(said: dict[str, str | None], hour: int, half: str, text: str) -> bool:
    """Tell whether an hour that is not said to be one or the other is after noon: "at 5", "at 3:30", "dinner at 8"."""
    is_bare = (
        said["h5"]
        or said["h9"]
        or said["h10"]
        or said["hw2"]
        or said["rel"]
        or said["rel2"]
        or half.startswith(("o", "b"))
        or half.endswith("ish")
    )
    digits = f"{said['h1']}{said['sep']}{said['m1']}"
    is_digital = re.fullmatch(r"[1-9]:(?:00|15|30|45)", digits) and not _HOURS_OF_24.search(text)  # "6:12" is a train's
    if not (is_bare or is_digital) or not 1 <= hour < 12 or _MORNINGS.search(text):
        return False
    return hour <= (7 if is_bare else 6) or (hour >= 5 and _EVENINGS.search(text) is not None)


_DIGITS = (
    ("h1", "m1", "p1"), ("h2", "m2", "p2"), ("h3", "", "p3"), ("h5", "", ""), ("h6", "m6", ""), ("h7", "m7", ""), ("h8", "m8", ""), ("h9", "", ""), ("h10", "", ""),
)  # fmt: skip


def _digits(said: dict[str, str | None]) -> tuple[int | None, int, str]:
    for hour, minute, half in _DIGITS:
        if said[hour]:
            return (
                int(said[hour] or 0),
                int(said[minute] or 0) if minute else 0,
                (said[half] or "").lower() if half else "",
            )
    if abroad := said["spanish"] or said["german"] or said["german2"] or said["french"] or said["urdu"]:
        return _digits_abroad(abroad, key(said["quarter"] or said["fraction"] or ""))
    if word := said["hw"] or said["hw2"]:
        minutes = _MINUTES.get(key(said["mw"] or said["mw2"] or ""), 0)
        return _HOURS[word.lower()], minutes, (said["pw"] or "o'clock").lower()
    if spoken := said["h4"]:
        number = int(spoken) if spoken.isdigit() else _HOURS[spoken.lower()]
        minutes = 30 if key(said["rel"] or said["rel2"] or "") == "half" else 15
        if said["side"] and said["side"].lower() in ("to", "before"):
            return (number - 1) or 12, 60 - minutes, (said["p4"] or "").lower()
        return number, minutes, (said["p4"] or "").lower()
    return None, 0, ""


def _digits_abroad(hour: str, fraction: str) -> tuple[int, int, str]:
    """Read "halb drei", "ocho y media" and "huit heures moins le quart"."""
    number = int(hour) if hour.isdigit() else _HOURS_ABROAD[hour.lower()]
    if fraction == "halb" or fraction.endswith("vor") or fraction.startswith(("menos", "moins")):
        return (number - 1) or 12, 30 if fraction == "halb" else 45, "o'clock"
    return number, {"": 0, "y media": 30, "et demie": 30}.get(fraction, 15), "o'clock"


def span_of(text: str, today: date) -> tuple[date, date, date]:
    """Return the day that a todo for "next week" is due, and the first and last day of that span."""
    if ahead := re.fullmatch(_AHEAD, text, re.IGNORECASE):
        number = int(ahead["count"]) if ahead["count"].isdigit() else _HOURS.get(ahead["count"].lower(), 2)
        last = today + timedelta(days=number * (7 if ahead["unit"].lower() == "week" else 1))
        return last, today, last
    name = next(name for name, pattern in _SPANS.items() if re.fullmatch(pattern, text, re.IGNORECASE))
    monday = today - timedelta(days=today.weekday())
    next_month = month_end(today) + timedelta(days=1)
    week = timedelta(days=7)

    def days(first: date, length: int) -> tuple[date, date]:
        return first, first + timedelta(days=length - 1)

    friday = monday + timedelta(days=4)
    saturday = monday + timedelta(days=5)
    year_end = date(today.year, 12, 31)
    single = {
        "end of day": today,
        "before the weekend": friday if friday >= today else friday + week,
        "end of week": friday if friday >= today else friday + week,
        "end of next week": friday + week,
        "end of month": month_end(today),
        "end of next month": month_end(next_month),
        "end of year": year_end,
        "start of next week": monday + week,
        "start of next month": next_month,
        "week from today": today + week,
        "week from tomorrow": today + week + timedelta(days=1),
    }
    if name in single:
        return single[name], single[name], single[name]
    spans = {
        "this week": (max(friday, today), *days(monday, 7)),
        "rest of the week": (max(friday, today), today, monday + timedelta(days=6)),
        "next week": (monday + week, *days(monday + week, 7)),
        "weekend": (max(saturday, today), *days(saturday, 2)),
        "next weekend": (saturday + week, *days(saturday + week, 2)),
        "week after next": (monday + 2 * week, *days(monday + 2 * week, 7)),
        "month after next": (
            month_end(next_month) + timedelta(days=1),
            *_whole_month(month_end(next_month) + timedelta(days=1)),
        ),
        "this month": (month_end(today), today.replace(day=1), month_end(today)),
        "next month": (next_month, next_month, month_end(next_month)),
        "this year": (year_end, date(today.year, 1, 1), year_end),
        "next year": (date(today.year + 1, 1, 1), date(today.year + 1, 1, 1), date(today.year + 1, 12, 31)),
    }
    return spans[name]
