"""The assistant that needs no model: it understands a fixed set of requests, the same way every time."""

import asyncio
import re
from dataclasses import replace

from todo_backend import dates, rules_change, rules_done, rules_notes, rules_tag, taken_back
from todo_backend.asides import without_asides
from todo_backend.asked import answer_to_what, answer_to_which, narrowed
from todo_backend.assistant import MAX_TOOL_CALLS, Closing, Dialogue, Say, Toolbox
from todo_backend.corrections import correction, instead_of_the_last
from todo_backend.counted_dates import with_day_of_todo
from todo_backend.dates import without_dates
from todo_backend.each_its_own import each_its_own
from todo_backend.follow_ups import said_of_the_last
from todo_backend.guesses import guess
from todo_backend.intents import DO_EACH, Request, understand
from todo_backend.new_with_fields import new_with_fields
from todo_backend.newest import newest
from todo_backend.offered_before import with_what_was_offered
from todo_backend.other_topics import asked_of_the_world
from todo_backend.phrases import parse_phrase
from todo_backend.plain_words import clean
from todo_backend.proposals import instead_of, propose, said_of
from todo_backend.references import IT, Turn, by_ids, find, with_name_quoted
from todo_backend.replies import HELP, WHATS_LEFT, Reply, UnclearError, choice, page, together
from todo_backend.rules_add import add, add_each, add_several
from todo_backend.rules_read import list_todos, question, search
from todo_backend.said_due import Act
from todo_backend.scheduled import scheduled
from todo_backend.schemas import AssistantName, Choice
from todo_backend.several_sentences import in_sentences
from todo_backend.small_talk import asks_for_an_ability, asks_where_data_is, is_talk
from todo_backend.told_fields import told_fields

_HELP = (
    "I keep your todo list. You can say, for example:\n"
    "“add buy milk tomorrow at 5pm, high”\n"
    "“what's left today?” or “find milk”\n"
    "“done with milk” or “delete the second”\n"
    "“move milk to friday” or “rename milk to oat milk”\n"
    "“make milk low priority” or “tag milk with shop”\n"
    "“clear completed” or “undo”"
)


_CALLS_BESIDE = 24  # of the tools, while a request is understood


class RulesAssistant:
    """Answers by what `understand` makes of the message."""

    name: AssistantName = "rules"
    model: str | None = None

    async def answer(self, dialogue: Dialogue, toolbox: Toolbox, say: Say) -> Closing:
        """Do what the message asks, and say what was done."""
        await asyncio.to_thread(dates.load)
        toolbox.allow(MAX_TOOL_CALLS + _CALLS_BESIDE)
        turn = Turn(toolbox, dialogue)
        try:
            turn = turn.saying(without_asides(dialogue.question, turn.now))
            turn = turn.saying(await with_day_of_todo(turn, turn.dialogue.question))
            reply = await _answer(turn)
        except UnclearError as unclear:
            reply = unclear.reply(dialogue.wording)
        await say(reply.text)
        return reply.closing()


async def _answer(turn: Turn) -> Reply:
    meant = await _meaning(turn, clean(turn.dialogue.question))
    return meant if isinstance(meant, Reply) else await _act(turn, meant)


async def _meaning(turn: Turn, words: str) -> Request | Reply:
    """Return what a message asks for; where no request is to be made of it, its answer."""
    return (
        await narrowed(turn, " ".join(turn.dialogue.question.split()).strip(" .!"))
        or await answer_to_which(turn, words)
        or answer_to_what(turn, words)
        or said_of_the_last(turn, words)
        or correction(turn, words)
        or await told_fields(turn, words)
        or await _told(turn, words)
        or await _added_by_line(turn)
        or each_its_own(turn, words)
        or await rules_tag.put_on_list(turn, words)
        or await _understood(turn)
    )


async def _understood(turn: Turn) -> Request | Reply:
    request = understand(await with_name_quoted(turn, turn.dialogue.question))
    return await in_sentences(turn, request) or with_what_was_offered(turn, request)


async def _added_by_line(turn: Turn) -> Reply | None:
    lines = _lines(turn.dialogue.question)
    return None if lines is None else await add_several(turn, [parse_phrase(line, turn.now) for line in lines])


async def _told(turn: Turn, words: str) -> Reply | None:
    """Answer what asks for no change: what is not about the list, puts the last change right, or is new."""
    if asks_where_data_is(words):
        return _where_data()
    return (
        await newest(turn, words)
        or await instead_of_the_last(turn)
        or await asked_of_the_world(turn, words)
        or await new_with_fields(turn, words)
    )


async def _act(turn: Turn, request: Request) -> Reply:
    try:
        return await _ACTS[request.kind](turn, request)
    except UnclearError as unclear:
        raise await instead_of(turn, request, unclear) from None


_ADD_LINES = re.compile(
    r"(?:please )?(?:add|todos?|new|list)(?: (?:these|the following|todos?|tasks?|items?|to my list))*:?(?P<rest> .+)?",
    re.IGNORECASE,
)


def _lines(text: str) -> list[str] | None:
    """Return the todos of a message that adds one a line; None when it is another message."""
    lines = [re.sub(r"^\s*(?:[-*•+]|\d+[.)])\s*", "", line).strip() for line in text.splitlines() if line.strip()]
    found = _ADD_LINES.fullmatch(lines[0]) if len(lines) > 1 else None
    return None if found is None else [line for line in (found["rest"], *lines[1:]) if line]


async def _help(_turn: Turn, _request: Request) -> Reply:
    return Reply(_HELP, choices=[WHATS_LEFT, choice("What is due today?", "what is due today?")])


async def _thanks(_turn: Turn, _request: Request) -> Reply:
    return Reply("You are welcome.")


async def _bye(_turn: Turn, _request: Request) -> Reply:
    return Reply("Goodbye.")


async def _keep(turn: Turn, request: Request) -> Reply:
    """Change nothing; "no seeds this year" may ask for a deletion, when it answers no question."""
    last = turn.dialogue.utterances[-2] if len(turn.dialogue.utterances) > 1 else None
    what = re.sub(
        r"\s+(?:after all|any ?more|then|for now|this time)$", "", request.said.get("what", ""), flags=re.IGNORECASE
    )
    name = without_dates(what, turn.now) if request.words.lower().startswith("no ") else ""
    if name and not (last and (last.pending or last.choices)):
        todos, how = await find(turn, name, "open")
        if len(todos) == 1 and how in ("exact", "words"):
            return await rules_done.drop(turn, Request("drop", {"which": f'"{todos[0]["title"]}"'}, request.words))
    return Reply("All right, I changed nothing.")


async def _yes(_turn: Turn, _request: Request) -> Reply:
    return Reply("There is nothing that I asked. What shall I do?", choices=[WHATS_LEFT, HELP])


async def _who(_turn: Turn, _request: Request) -> Reply:
    return Reply(
        "I am the built-in assistant: no AI, I follow fixed rules. I understand English best, and the commonest"
        " requests in German, Spanish, French and Urdu.",
        choices=[HELP, WHATS_LEFT],
    )


async def _clock(turn: Turn, _request: Request) -> Reply:
    return Reply(f"It is {turn.now:%A, %-d %B %Y}, {turn.wording.clock(turn.now.time())}.")


async def _which(turn: Turn, request: Request) -> Reply:
    """Name the todos that the answer before counted or spoke of."""
    said = turn.dialogue.utterances
    counted = len(said) > 1 and re.match(r"\d", said[-2].text)
    ids = turn.mentioned()
    if not ids or (request.words.startswith(("show", "list", "name")) and not counted):
        return await list_todos(turn, request)
    todos = await by_ids(turn, ids)
    return page(todos, len(todos), "todo", turn.wording)


async def _condition(_turn: Turn, request: Request) -> Reply:
    then = request.said["then"]
    return Reply(
        f"I cannot wait for that. Shall I do it now: {then}?", choices=[choice(f"Yes, {then}", then), WHATS_LEFT]
    )


async def _each(turn: Turn, request: Request) -> Reply:
    """Do what a message asks for, one request after the other; where a deletion is among them, ask first."""
    parts = request.said["parts"].split("\n")
    requests = [understand(await with_name_quoted(turn, part)) for part in parts]
    if "sure" not in request.said and any(each.kind == "delete" for each in requests):
        both = "both" if len(parts) == 2 else "all of it"
        question = f"Shall I do {both}: {'; '.join(parts)}?"
        return Reply(question, choices=[choice(f"Yes, do {both}", f"{DO_EACH}{'; '.join(parts)}"), *map(_alone, parts)])
    turn.toolbox.allow((MAX_TOOL_CALLS + _CALLS_BESIDE) * len(requests))
    replies: list[Reply] = []
    for part, each in zip(parts, requests, strict=True):
        if replies and not replies[-1].mentioned and IT.fullmatch(each.said.get("which", "")):
            # "it" is what was not clear, and no todo of before.
            replies.append(Reply(f"“{part}” I have left until then."))
            continue
        if (reply := await _one_of_several(turn.saying(part), each)) is None:
            continue
        replies.append(reply)
        turn = turn.after(each.words, reply.text, reply.closing())
    return together(replies)


def _alone(part: str) -> Choice:
    return choice(part, part)


async def _one_of_several(turn: Turn, request: Request) -> Reply | None:
    """Do one of several requests; None for what only tells why the others are made."""
    try:
        if request.kind == "unknown":
            return await guess(turn, request, _act)
        return await _act(turn, request)
    except UnclearError as unclear:
        named = [choice(todo["title"], said_of(todo, request)) for todo in unclear.candidates[:3]]
        return replace(unclear, choices=named or unclear.choices).reply(turn.wording)


async def _unknown(turn: Turn, request: Request) -> Reply:
    """Guess what is meant; else say that it is not clear, with ways on."""
    question = turn.dialogue.question
    if is_talk(clean(question)):
        return Reply("All right. Tell me what to add, or ask what is left.", choices=[HELP, WHATS_LEFT])
    if request.words.startswith("schedule") and (new := await scheduled(turn, request)):
        return new
    if guessed := await guess(turn, request, _act):
        return guessed
    if asks_for_an_ability(question):
        return Reply(f"I cannot do that. {_HELP}", choices=[WHATS_LEFT])
    return await propose(turn, request)


def _where_data() -> Reply:
    return Reply(
        "Your todos and this chat are in this app's own database. I send nothing of them anywhere.",
        choices=[WHATS_LEFT],
    )


async def _how(_turn: Turn, _request: Request) -> Reply:
    return Reply(_HELP, choices=[WHATS_LEFT])


async def _meant(turn: Turn, request: Request) -> Reply:
    """Answer "no, I meant the plants": the change that was made is not taken back without being asked."""
    users = [said.text for said in turn.dialogue.utterances if said.role == "user"]
    earlier = understand(users[-2]) if len(users) > 1 else None
    if earlier is None or "which" not in earlier.said:
        return await _unknown(turn, request)
    which = request.said["which"]
    again = earlier.words.replace(earlier.said["which"], which, 1)
    return Reply(
        "Shall I take back my last change first?",
        choices=[choice("Undo the last change", "undo"), choice(again.capitalize(), again)],
    )


async def _wrong(_turn: Turn, _request: Request) -> Reply:
    return Reply("Shall I take back my last change?", choices=[choice("Undo the last change", "undo"), WHATS_LEFT])


_ACTS: dict[str, Act] = {
    "help": _help,
    "thanks": _thanks,
    "bye": _bye,
    "keep": _keep,
    "meant": _meant,
    "wrong": _wrong,
    "who": _who,
    "yes": _yes,
    "clock": _clock,
    "which": _which,
    "how": _how,
    "each": _each,
    "condition": _condition,
    "unknown": _unknown,
    "restore": taken_back.restore,
    "add": add,
    "add_each": add_each,
    "list": list_todos,
    "search": search,
    "question": question,
    "complete": rules_done.complete,
    "did": rules_done.did,
    "delete": rules_done.delete,
    "reopen": taken_back.reopen,
    "may_reopen": rules_done.may_reopen,
    "may_reschedule": rules_change.may_reschedule,
    "rename": rules_change.rename,
    "change": rules_change.change,
    "set_to": rules_change.change,
    "reschedule": rules_change.reschedule,
    "reschedule_at_end": rules_change.reschedule_at_end,
    "unschedule": rules_change.unschedule,
    "prioritise": rules_change.prioritise,
    "lower_to_normal": rules_change.lower_to_normal,
    "may_prioritise": rules_change.may_prioritise,
    "drop": rules_done.drop,
    "note": rules_notes.note,
    "read_note": rules_notes.read_note,
    "clear_note": rules_notes.clear_note,
    "tag": rules_tag.tag,
    "untag": rules_tag.untag,
}
