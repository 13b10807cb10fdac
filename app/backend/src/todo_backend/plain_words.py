"""What a message says, without its politeness, in the order of a command: what `intents.py` understands."""

import re

from todo_backend import short_forms, slips

_POLITE = re.compile(
    r"^(?:(?:(?:nvm|never ?mind)(?=[,.!]| (?:delete|remove|undo|cancel|keep)\b)|no(?=,? the (?:first|second|third|fourth|fifth|last|top|bottom)\b)|ple?a?se?(?: to)?|pls|plz|hey|hi|hello|wait|just kidding|thx|ty|kk?|good (?:morning|afternoon|evening|day)|(?:morning|afternoon|evening)(?=[,.!])|hallo|guten (?:morgen|tag|abend)|hola|bonjour|salut|salam|dear|thank you|thanks|ok|okay|so|oh|well|yo|actually|and|also|now|just|then|alright|all right|right|i (?:made|did) a mistake(?=[,.])|hm+|um+|uh+|ugh|argh|ah|aw|damn|dude|bro|man|guys|oops|whoops|sorry|kindly|btw|by the way|quick one|(?:to-?do|bot|assistant)(?=,? (?:add|delete|remove|show|list|mark|complete|remind)\b)|bitte|por favor|s'il te pla[iî]t|s'il vous pla[iî]t|stp|svp|براہ کرم|"
    r"(?:can|could|would|will) (?:you|u|ya)(?: please| just| kindly| also| maybe)*|be so (?:kind|good|nice) (?:as )?to|(?:would|could) you be so (?:kind|good|nice) (?:as )?to|i(?:'d| would) be (?:grateful|glad|happy) if you (?:could|would)|i wonder if you could|do me a favou?r and|(?:remind|tell) me(?= (?:what|which|when|how many|how much|if i have|whether)\b)|(?:do you know|i wonder|i(?:'d| would) like to know|let me know)(?= (?:what|which|when|how|if|whether)\b)|is it possible to|i(?:'d| would| should) like (?:you )?to|i want you to|i (?:want|wish|would like) that you|i need you to|i want(?: to)?(?= add\b)|to(?= (?:add|delete|remove|show|mark|list)\b)|you can|you (?:should|may)|let'?s|let me|i(?:'d| would) like you to|go ahead and|"
    r"(?:i(?:'d| would) (?:like|love)|i want|i need|i have) to(?= (?:(?:see|view) (?:(?:all|the|my|what|everything|overdue|open|done) )*(?:list|to-?dos?|tasks?|items?|overdue|what|everything|done|open|all)\b|list|add|mark|rename|reschedule|postpone|check off)\b)|"
    r"(?:could|can|may|shall) (?:i|we)(?: please| just| also)*(?= (?:see|view|have|get|push|move|add|make|set|change|rename|put|mark|reschedule|postpone|delay|tag|list|sort)\b)|kannst du|könntest du|könnten sie|puedes|podr[ií]as|puede|peux-tu|tu peux|pourrais-tu|pouvez-vous|pourriez-vous)[\s,.!]+)+(?=\S)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,]+(?:please|pls|plz|ta|cheers|if (?:it's )?possible|when you can|sir|madam|ma'am|dear|mate|buddy|bro|thanks|thank you|thx|btw|by the way|fyi|fr|ngl|tbh|rn|(?<=,) finally|omg|lo+l|lmao|x+d|(?:ha){2,}h?|yay|:[-)(D]+|for me|right away|right now|ok|okay|will you|would you|if you can|if you (?:would|could) be so kind|if you don't mind|asap please|at last|(?<=,) (?:so |please )?(?:tick|check|cross|mark) (?:it|that) (?:off|(?:as )?done)|(?<=,) (?:we|i) (?:don't|do not|no longer) need (?:it|that)(?: any ?more)?|(?<=,) remind me|(?<=,) (?:please )?(?:change|update|correct|adjust) (?:it|that)|(?<=,) (?:bitte )?(?:abhaken|als erledigt markieren)|(?<=,) (?:por favor )?m[áa]rcal[oa](?: como hech[oa])?|(?<=,) coche-l[ae]|bitte|danke|por favor|gracias|s'il te pla[iî]t|s'il vous pla[iî]t|stp|svp|merci"
    r"|(?:from|off|out of|of) (?:my|the|this) (?:to-?do |todo |task |shopping |grocery )?list|von (?:meiner|der) liste|de (?:mi|la) lista|de (?:ma|la) liste))+$",
    re.IGNORECASE,
)
_WOULD_YOU_MIND = re.compile(r"^(?:please |hey |hello )*(?:would|do) you mind (?P<gerund>\w+ing)\b", re.IGNORECASE)
# "Could everything due today be moved to friday?", "I'd like the call moved to 5": the verb comes last.
_PASSIVE = re.compile(
    r"^(?:(?:can|could) (?P<which>.+?) be|(?:i(?:'d| would) like(?: to have)?|please have) (?P<which2>(?!to\b).+?))"
    r" (?P<verb>move|postpone|push|reschedule|rename|tag|mark|change)(?:g?e?d)(?= )",
    re.IGNORECASE,
)
_PLEASE = re.compile(r"^(get rid|\w+) (?:bitte|por favor|please|kindly) ", re.IGNORECASE)
_HESITATION = re.compile(r"(?<!\S)(?:uh+|umm+|erm+)\b[\s,.]*", re.IGNORECASE)
_DOTTED_AT_END = re.compile(r"(?<!\d)\d{1,2}\.\d{1,2}\.$")  # the last dot of "20.12." is a part of it
# "I also need", "we still have to": what stands between says nothing about what is to be done.
_ADVERB = re.compile(
    r"^(?:(i|we),? )?(?:(?:also|really|still|just|definitely|actually|probably|urgently|totally|desperately|kinda|kind of|then|maybe|do|now|too),? )+(?=(?:need|have to|want|must|should|gotta|got to|ought)\b)",
    re.IGNORECASE,
)
_REMIND_2 = re.compile(
    r"^(remind me|i (?:need|want|have)) 2 (?=[a-z])(?!(?:min|hour|day|week|month|year)\w*\b)", re.IGNORECASE
)
_GLUED = re.compile(r"^(remind|tell|show|give)(me)\b", re.IGNORECASE)
_TAKE_OFF = re.compile(
    r"\btake (?:(.+?) (?:off|out)|(?:off|out) (.+?)) (?:of )?(?:from )?(?:my|the|this) (?:[\w-]+ )?list\b",
    re.IGNORECASE,
)
_SET_UP = re.compile(r"^set up (?=(?:me )?(?:an?|the) (?:\w+ )?(?:reminder|alarm|todo|task|item)\b)", re.IGNORECASE)
_SET_UP_EVENT = re.compile(
    r"^set up (?=(?:an? )?(?:\w+ )?(?:call|meeting|appointment|lunch|dinner|coffee|drinks|brunch|breakfast|party|demo|review|catch-?up|interview|viewing|visit|session|date)\b)",
    re.IGNORECASE,
)
_SHORT_LEVEL = re.compile(r"\bhi(?=[\s-]prio)", re.IGNORECASE)


_SO = re.compile(
    r"^not (?:yet|really)[,.!]+\s+(?=\w+ (?:it|that|this)\b)|^(?:(?:so|and|but|hm+)[\s,]+)+(?=(?:did|have|has|is|are|was|were) (?:i|we|the|my|our)\b)",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Return the words of a message without politeness, and with a mistyped first word corrected."""
    words = " ".join(text.replace("\u2019", "'").replace("\u2018", "'").split()).lstrip("¿¡ ")
    words = short_forms.spelt(slips.spelt_out(_HESITATION.sub("", words)))
    words = _SO.sub("", words)
    words = _WOULD_YOU_MIND.sub(lambda found: slips.infinitive(found["gerund"]), words)
    words = _PASSIVE.sub(lambda found: f"{found['verb']} {found['which'] or found['which2']}", words)
    words = _PLEASE.sub(r"\1 ", words)
    words = _TAKE_OFF.sub(r"remove \1\2", words)
    before = None
    while before != words:
        before = words
        words = _POLITE.sub("", words)
        ends_in_date = _DOTTED_AT_END.search(words)
        words = _TAIL.sub("", words.rstrip(" ?.!,؟۔")) + ("." if ends_in_date else "")
    words = _ADVERB.sub(lambda found: f"{found[1]} " if found[1] else "", words)
    words = _SET_UP_EVENT.sub("schedule ", words)
    words = _SET_UP.sub("set ", _GLUED.sub(r"\1 \2", _SHORT_LEVEL.sub(r"high", _REMIND_2.sub(r"\1 to ", words))))
    first, _, rest = slips.spelt_out(words).partition(" ")
    return f"{slips.verb(first)} {rest}".rstrip()
