"""What is said to an assistant that asks it for nothing on the list."""

import re

_TALK = frozenset(
    """
    a again ah all alright am amazing and are awesome awful bad be best better bored bot boring brilliant busy
    bye can care clever cool crazy cute day dear do does doing don't didn't doesn't isn't wasn't listen listening dude dumb enough excellent exactly
    fantastic feel feeling fine for friend fun funny get glad go going good got great guess had haha happy hate
    have hehe hello helpful helping here hero hey hi hmm how how's i i'd i'll i'm i've idea idiot in interesting
    is it it's job joke joking just kidding know legend life like lmao lol look lot love lovely made make makes
    man mate maybe me meh mind mine much my nah name neat nice no nope not now later oh ok okay omg on one
    perfect please pretty quite r really right robot rock rocks sad saver lifesaver saved see sense sick silly
    sleepy smart so some sorry star stressed stuff stupid sucks sup super sure sweet thank thanks that that's
    the there thing think this tired to today too true u ugh understand understood up useless very was weather
    well what what's whatever why with wonderful work works worst wow wrong yay yeah yep yes you you'd you'll
    you're you've your yours yo ya gut toll klasse prima danke bitte du bist wie geht's dir ja nein bien merci
    gracias genial eres muy de nada tu es trop ça va comment cómo estás qué tal acha theek hai shukriya aap
    kaise ho kya haal
    """.split()  # noqa: SIM905 - a literal would take a line for each word
)


def is_talk(words: str) -> bool:
    """Tell whether a message is small talk: each of its words is one of those that ask for nothing."""
    said = re.findall(r"[\w']+", re.sub(r"\b(?:(?:ha|he|lo){2,}\w*|a*ha+h\w*)\b", "haha", words.casefold()))
    return all(word in _TALK for word in said)


_ABILITY = re.compile(
    r"(?:hey,? |hi,? |so,? |and )*(?:(?:can|could|will|would) (?:this|it|the app)|(?:can|could|will|would|do|are) (?:you|i|we))"
    r"(?: able to| also| even)?\b",
    re.IGNORECASE,
)


_WHERE_DATA = re.compile(
    r"\b(?:where|who|how safe|private|privacy|cloud|online|internet|google|server|save|saved|store|stored|share|shared|sell|track)\b",
    re.IGNORECASE,
)
_OF_MY_DATA = re.compile(
    r"(?:where|do|does|is|are|who|what|how|can|will)\b.*(?:\bmy (?:data|information|info)\b|\bprivacy\b)", re.IGNORECASE
)


def asks_where_data_is(question: str) -> bool:
    """Tell whether a message asks what becomes of what is stored: "do you save my data in the cloud?"."""
    return bool(_OF_MY_DATA.match(question.strip()) and _WHERE_DATA.search(question))


def asks_for_an_ability(question: str) -> bool:
    """Tell whether a message that was not understood asks what the assistant can do: "can you order pizza?"."""
    return _ABILITY.match(question.strip()) is not None
