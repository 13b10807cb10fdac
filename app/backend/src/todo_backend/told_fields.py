"""A sentence that tells how important a todo is and when it is due: "the visa is really urgent and due friday"."""

import re

from todo_backend.dates import parse_when
from todo_backend.intents import DO_EACH, Request
from todo_backend.phrases import parse_phrase, parse_priority
from todo_backend.proposals import propose
from todo_backend.references import IT, LONGEST, Turn, find
from todo_backend.replies import Reply, choice
from todo_backend.schemas import Priority

_VERY = r"(?:\s+(?:now|really|very|super|so|quite|pretty|extremely|also|just|of|an?))*"
_LEVEL = r"(?P<level{n}>not (?:that |so |very |really )?(?:urgent|important)|(?:high|low|normal|medium|top)(?:[\s-]prio(?:rity)?)?|urgent|important|critical)"
_DUE = (
    r"(?:(?:it|that|they)(?:'s)?\s+)?(?:(?:is|are|must|has to|have to|should|needs to|need to|can|to)\s+)*(?:be\s+)?"
    r"(?:(?:done|finished|due|ready|completed|paid|sent|happen)\s+)?(?P<when{n}>(?:by|before|on|until|till|for|in|next|this|today|tomorrow|tonight|\w+day|at)\b.*)"
)
_AND = r"(?:\s*,\s*|\s+)(?:(?:and|but|so|also)\s+)*"
_IT_IS = rf"(?:(?:it|that|they)(?:'s|\s+is|\s+are)?\s*)?{_VERY}\s*"
_TOLD = (
    re.compile(
        rf"(?P<name>.+?)\s+(?P<is>(?:is|are)(?:n't|nt)?){_VERY}\s+{_LEVEL.format(n='')}{_AND}{_DUE.format(n='')}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?P<name>.+?)\s+(?P<is>(?:is|are)(?:n't|nt)?)\s+{_DUE.format(n='').replace('.*)', '.*?)')}{_AND}{_IT_IS}{_LEVEL.format(n='')}",
        re.IGNORECASE,
    ),
)


def _level(verb: str, said: str) -> Priority | None:
    """Return the level that is said: what is not urgent is low, what is not of high priority may be either."""
    is_not = verb.lower().endswith("t")
    if said.lower().startswith("not ") or (is_not and said.lower() in ("urgent", "important", "critical")):
        return "low"
    return None if is_not else parse_priority(said)


async def told_fields(turn: Turn, words: str) -> Request | Reply | None:
    """Return the changes of the open todo that is told of; offer a new one where none is called so."""
    if len(words) > LONGEST:
        return None
    for pattern in _TOLD:
        if not (found := pattern.fullmatch(words)):
            continue
        name = re.sub(r"^(?:the|my|our)\s+", "", found["name"], flags=re.IGNORECASE)
        level = _level(found["is"], found["level"])
        when = parse_when(found["when"], turn.now)
        if not level or not when or not when.exists or when.repeats or IT.fullmatch(name):
            continue
        todos, how = await find(turn, name, "open")
        ways = [
            [f'set the priority of "{todo["title"]}" to {level}', f'move "{todo["title"]}" to {found["when"]}']
            for todo in todos
        ]
        if len(todos) == 1 and how in ("exact", "words"):
            return Request("each", {"parts": "\n".join(ways[0])}, words)
        if len(todos) > 1:
            named = zip(todos, ways, strict=True)
            choices = [choice(todo["title"], f"{DO_EACH}{'; '.join(parts)}") for todo, parts in named]
            return Reply("Which todo do you mean?", todos, choices=choices[:3])
        if not todos and parse_phrase(name, turn.now).title == name:
            return await propose(turn, Request("unknown", {}, f"{name} {found['when']} !{level}"))
    return None
