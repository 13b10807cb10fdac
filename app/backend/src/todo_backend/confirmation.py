"""What every assistant answers the same way, without thinking: yes and no to a question of its own, and "undo"."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from todo_backend.assistant import Closing, Dialogue, Pending, Say, Toolbox, Utterance
from todo_backend.intents import understand
from todo_backend.plain_words import clean
from todo_backend.replies import quoted_titles
from todo_backend.schemas import Choice, ToolName, Undone
from todo_backend.undo import Change, ChangedSinceError, Undo

_YES = re.compile(
    r"(?:y|yes|yep|yeah|yup|sure|ok|okay|certainly|absolutely|right|correct|confirm(?:ed)?|go ahead|go on|go for it|of course|definitely|exactly|sounds good|fine|alright|do it|please do|do"
    r"|ja|jawohl|gerne|s[ií]|claro|vale|oui|d'accord|ہاں|جی|جی ہاں)"
    r"(?:[,.! ]+(?:yes|please|do it|do that|go ahead|go on|go for it|sure|all|all of them|them|these|thanks|bitte|por favor"
    r"|(?:i'm|i am) sure|(?:delete|remove|clear|complete|finish|mark|reopen|move|change|set|tag)\b"
    r"(?! (?:only|just|except))(?: (?:them|all|these|those|the|of|it|both|everything|as|done|todos?|to do|\d+))*))*[.! ]*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(?:n|no|nope|nah|never ?mind|cancel|stop|don'?t|do not|no,? keep them|keep them|leave (?:it|them)|forget it|nein"
    r"|lieber nicht|non|نہیں)(?:[,.! ]+(?:thanks|thank you|keep (?:it|them|all|everything)|don'?t|please|do that|stop|danke"
    r"|gracias|merci|leave (?:it|them)(?: as they are)?))*[.! ]*",
    re.IGNORECASE,
)
_STAYS = re.compile(
    r"(?:(?:hmm+|um+|uh+|oh|wait)[,. ]+)*no\b(?!.*\b(?:but|only|except|just|move|change|make|instead)\b)"
    r".*\b(?:stays?|keeps?|remains?|leave (?:it|them))\b.*",
    re.IGNORECASE,
)
_UNDO = re.compile(
    r"(?:(?:oh (?:dear|no)|oops|sorry|no|wait|that was (?:a mistake|wrong|not what i (?:meant|wanted))|my mistake|i made a mistake|wrong one|not that(?: one)?)[,.!]* )*(?:please |i want to )*(?:undo|revert|take (?:that|it) back|roll (?:that|it) back"
    r"|(?:bring|get|give me|i want|add) (?:it|that|them) back|put (?:it|that|them) back|restore (?:it|them|that)"
    r"|r[üu]ckg[äa]ngig(?: machen)?|mach das r[üu]ckg[äa]ngig|deshacer|deshaz(?:lo)?|deshaz eso|annule[rz]?(?: [cç]a)?"
    r"|واپس(?: کرو| لو| لاؤ)?)(?: (?:that|it|this|please|the last (?:one|change|action|thing)|last (?:change|action)|my last change"
    r"|the (?:deletion|delete|completion)|delete|deletion|what you (?:just )?did|everything you just did))*[.! ]*",
    re.IGNORECASE,
)
_REDO = re.compile(
    r"(?:(?:no|oops|wait|sorry|please),? )*(?:redo|undo (?:the|that|your) undo|un-?undo)(?: (?:it|that|please))*",
    re.IGNORECASE,
)
_KEEP = re.compile(
    r"(?:(?:no|wait),? )*(?:(?:keep|leave) (?:it|that|them|this)(?: one)?|i (?:(?:still|do|actually) )*(?:need|want) (?:it|that|them|this)(?: one)?)(?: (?:after all|please|there|back|still))*",
    re.IGNORECASE,
)
_RETRACTED = re.compile(
    r"(?:(?:no|wait|actually),? )*(?:scratch|cancel|strike|forget|never ?mind) (?:that|it|this)(?: one)?", re.IGNORECASE
)
_NO_MORE = Choice(label="No, leave them", message="no")
_TAKE_BACK = Choice(label="Undo the last change", message="undo")


_OFFER = re.compile(r"\b(?:Shall I|Do you mean)\b")


def accept_offer(dialogue: Dialogue) -> Dialogue:
    """Take a yes to "Shall I add “buy milk”?" as the first of the choices that were offered."""
    before = dialogue.utterances[-2] if len(dialogue.utterances) > 1 else None
    if before is None or before.pending or not before.choices or not _OFFER.search(before.text):
        return dialogue
    if not _YES.fullmatch(" ".join(dialogue.question.replace("\u2019", "'").split())):
        return dialogue
    accepted = replace(dialogue.utterances[-1], text=before.choices[0].message)
    return replace(dialogue, utterances=[*dialogue.utterances[:-1], accepted])


INSTEAD = "instead: "  # begins the message of a button that takes back the last change, and makes another


async def take_back_first(dialogue: Dialogue, toolbox: Toolbox, undo: Undo, say: Say) -> Dialogue:
    """Take back the last change where a button asks for another in its place, which is what is left to be answered."""
    if not dialogue.question.startswith(INSTEAD):
        return dialogue
    try:
        undone = await undo.undo_last(Change(uuid.uuid4(), toolbox.change.conversation_id))
        await say(f"Undone: {_told(undone, redo=False)}.\n" if undone else "")
    except ChangedSinceError as error:
        await say(f"{error}\n")
    rest = replace(dialogue.utterances[-1], text=dialogue.question.removeprefix(INSTEAD))
    return replace(dialogue, utterances=[*dialogue.utterances[:-1], rest])


async def answer_directly(dialogue: Dialogue, toolbox: Toolbox, undo: Undo, say: Say) -> Closing | None:
    """Answer a yes or no to what was asked to be confirmed, or an "undo"; None when the message is neither."""
    words = " ".join(dialogue.question.replace("\u2019", "'").split())
    before = dialogue.utterances[-2] if len(dialogue.utterances) > 1 else None
    if (wanted := _takes_back(clean(words), before)) is not None:
        is_all_said = _UNDO.fullmatch(clean(words)) is not None
        return await _take_back(wanted, before, toolbox, undo, say, is_all_said=is_all_said)
    if before is None or before.pending is None:
        return None
    if _YES.fullmatch(words):
        return await _carry_out(before.pending, toolbox, say)
    if _NO.fullmatch(words) or _STAYS.fullmatch(words):
        await say("All right, I changed nothing.")
        return Closing()
    return None


def _takes_back(words: str, before: Utterance | None) -> Literal["undo", "redo"] | None:
    """Tell whether all that is asked is to take something back."""
    keeps = before is not None and before.text.startswith("Deleted ") and _KEEP.fullmatch(words)
    retracts = before is not None and before.changed and _RETRACTED.fullmatch(words)
    if keeps or retracts or _asks_to_undo(words):
        return "undo"
    return "redo" if _REDO.fullmatch(words) else None


def _was_only_a_question(before: Utterance) -> bool:
    """Tell whether an answer only asked, and asked for something else than an undo."""
    asked = before.pending is not None or (bool(before.choices) and before.text.partition("\n")[0].endswith("?"))
    return asked and all(choice.message != _TAKE_BACK.message for choice in before.choices)


def _asks_to_undo(words: str) -> bool:
    """Tell whether all that is asked is to undo: "not yet, undo" too, but not "add milk, undo"."""
    *before, last = re.split(r"[,.!;]\s+", words)
    if before and _UNDO.fullmatch(before[0]) and understand(", ".join([*before[1:], last])).kind in _REASONS:
        return True  # "bring it back, she booked the wrong date"
    corrected = _CORRECTS.sub("", last)
    is_talk = not before or corrected != last or understand(", ".join(before)).kind in _TALK
    return _UNDO.fullmatch(words) is not None or (is_talk and _UNDO.fullmatch(corrected) is not None)


_CORRECTS = re.compile(r"^(?:i (?:mean|meant)|or rather|no wait|wait no|actually)[, ]+", re.IGNORECASE)


_REASONS = frozenset({"unknown", "did", "wrong", "meant"})
_TALK = frozenset({"unknown", "keep", "wrong", "meant", "reopen", "thanks"})


async def _take_back(
    wanted: Literal["undo", "redo"],
    before: Utterance | None,
    toolbox: Toolbox,
    undo: Undo,
    say: Say,
    *,
    is_all_said: bool,
) -> Closing | None:
    """Undo or redo; None where nothing can be undone and the message says more: "she did not come, put it back"."""
    if wanted == "undo" and before and _was_only_a_question(before):
        await say("That was only a question: I changed nothing. Shall I take back what I changed before it?")
        return Closing(choices=[_TAKE_BACK, _NO_MORE])
    redo = wanted == "redo"
    try:
        undone = await undo.undo_last(toolbox.change, redo=redo)
    except ChangedSinceError as error:
        await say(str(error))
        return Closing()
    if undone is None and wanted == "undo" and not is_all_said:
        return None
    if undone is None:
        await say(f"There is nothing to {wanted} in this conversation.")
        return Closing()
    toolbox.changed = bool(undone.items or undone.removed)
    await say(f"{'Redone' if redo else 'Undone'}: {_told(undone, redo=redo)}.")
    return Closing(mentioned=[todo.id for todo in undone.items])


def _told(undone: Undone, *, redo: bool) -> str:
    """Name what an undo put back: who asked for it may have meant another change."""
    parts = []
    if undone.removed:
        whose = "" if redo else ", which I had added,"
        parts.append(f"{quoted_titles(undone.removed)}{whose} {'is' if len(undone.removed) == 1 else 'are'} gone again")
    if undone.items:
        titles, one = quoted_titles([todo.title for todo in undone.items]), len(undone.items) == 1
        was = "as before the undo" if redo else f"as {'it was' if one else 'they were'}"
        parts.append(f"{titles} {'is' if one else 'are'} {was}")
    return " and ".join(parts) or "nothing of it was left"


async def _carry_out(pending: Pending, toolbox: Toolbox, say: Say) -> Closing:
    """Change the todos that were named, and no others."""
    toolbox.allow(len(pending.calls))
    replies = [await toolbox.call(pending.tool, **arguments) for arguments in pending.calls]
    failed = [reply for reply in replies if reply.outcome != "ok"]
    if not failed:
        await say(pending.done)
    else:
        done = len(replies) - len(failed)
        await say(f"{done} of {len(replies)} are done; the others were changed or deleted since: {failed[0].problem}.")
    return Closing(mentioned=[uuid.UUID(call["todo_id"]) for call in pending.calls])


def ask_to_confirm(
    tool: ToolName, calls: Sequence[dict[str, Any]], *, do: str, done: str
) -> tuple[Pending, list[Choice]]:
    """Make the question's memory and its two buttons; `do` is said in the button: "Delete 3 todos"."""
    yes = Choice(label=f"Yes, {do[0].lower()}{do[1:]}", message="yes")
    return Pending(tool, list(calls), done), [yes, _NO_MORE]


class SetGuard:
    """Keeps a model from completing or deleting more than one todo in an answer without the user's yes.

    Of a round that asks for several, none is done. They are remembered, and the user's yes does exactly these.
    """

    _PAST = {"delete_todo": "Deleted", "complete_todo": "Completed"}  # noqa: RUF012 - a constant

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox
        self._touched: set[str] = set()
        self._wanted: dict[ToolName, list[str]] = {"delete_todo": [], "complete_todo": []}

    def refuses(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
        """Return for each call of a round why it is not made; empty when it may be."""
        guarded = [self._guarded(name, arguments) for name, arguments in calls]
        ids = {todo_id for tool, todo_id in filter(None, guarded)}
        if len(self._touched | ids) <= 1:
            self._touched |= ids
            return [""] * len(calls)
        for tool, todo_id in filter(None, guarded):
            if todo_id not in self._wanted[tool]:
                self._wanted[tool].append(todo_id)
        return [_ASK_FIRST if each else "" for each in guarded]

    def _guarded(self, name: str, arguments: dict[str, Any]) -> tuple[ToolName, str] | None:
        if name not in {tool.name for tool in self._toolbox.offered}:
            return None  # refused by the toolbox, for a better reason
        todo_id = str(arguments.get("todo_id", ""))
        if not _is_id(todo_id):
            return None  # refused by the tool
        if name == "delete_todo":
            return ("delete_todo", todo_id)
        if name == "complete_todo" or (name == "update_todo" and arguments.get("done") is True):
            return ("complete_todo", todo_id)
        return None

    async def closing(self) -> Closing:
        """Return the question that the answer ends with, when something was kept back."""
        tool: ToolName = "delete_todo" if self._wanted["delete_todo"] else "complete_todo"
        ids = self._wanted[tool]
        if not ids:
            return Closing()
        many = f"{len(ids)} todo{'s' if len(ids) > 1 else ''}"
        verb = "Delete" if tool == "delete_todo" else "Complete"
        calls = [{"todo_id": todo_id} for todo_id in ids]
        pending, choices = ask_to_confirm(tool, calls, do=f"{verb} {many}", done=f"{self._PAST[tool]} {many}.")
        return Closing(mentioned=[uuid.UUID(todo_id) for todo_id in ids], pending=pending, choices=choices)


_ASK_FIRST = (
    "not done: more than one todo needs the user's yes first. Name these todos with their count and ask; when the user"
    " says yes, they are changed without you"
)


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
