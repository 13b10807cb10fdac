"""What an assistant is: it reads a conversation, acts through a toolbox, and says something."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from mcp import Client
from mcp_types import TextContent, Tool

from todo_backend.metrics import ChatOutcome, Metrics
from todo_backend.schemas import AssistantName, Choice, DateFormat, HourCycle, ToolName, ToolOutcome
from todo_backend.tools import CHANGE_KEY, OUTCOME_KEY, tool_label
from todo_backend.undo import Change
from todo_backend.wording import Wording

MAX_TOOL_CALLS = 12
_CHANGING = frozenset({"add_todo", "complete_todo", "update_todo", "delete_todo", "restore_todo"})

Say = Callable[[str], Awaitable[None]]
DeletedLately = Callable[[], Awaitable[list[dict[str, Any]]]]
OnToolCall = Callable[[str, ToolOutcome], Awaitable[None]]


class AssistantError(Exception):
    """The assistant cannot answer; the message is a plain sentence for the user."""

    def __init__(self, outcome: ChatOutcome, sentence: str) -> None:
        super().__init__(sentence)
        self.outcome: ChatOutcome = outcome
        self.sentence = sentence


@dataclass(frozen=True)
class Utterance:
    """One message.

    Of an assistant's: `listed` are the todos that it numbered, `mentioned` those that it spoke of, `pending` is what
    it asked to confirm, `choices` are the ways to go on that it offered, and `changed` tells that it changed a todo.
    """

    role: Literal["user", "assistant"]
    text: str
    listed: Sequence[uuid.UUID] | None = None
    mentioned: Sequence[uuid.UUID] = ()
    pending: "Pending | None" = None
    choices: Sequence[Choice] = ()
    changed: bool = False


@dataclass(frozen=True)
class Pending:
    """A change of several todos that waits for the user's yes: a tool, and the arguments of each of its calls."""

    tool: ToolName
    calls: Sequence[dict[str, Any]]
    done: str  # what to say when it is done: "Deleted 3 todos."


@dataclass(frozen=True)
class Closing:
    """What an answer leaves for the next one, and the ways to go on that it offers."""

    listed: Sequence[uuid.UUID] | None = None
    mentioned: Sequence[uuid.UUID] = ()
    pending: Pending | None = None
    choices: Sequence[Choice] = ()


@dataclass(frozen=True)
class Dialogue:
    """The last messages, the newest of them the user's; the time where the user is; the todos that the page shows."""

    utterances: Sequence[Utterance]
    now: datetime
    shown: Sequence[uuid.UUID] = ()
    hour_cycle: HourCycle = "h23"
    date_format: DateFormat = "EEE d MMM"

    @property
    def wording(self) -> Wording:
        """How days and times are written for the user."""
        return Wording(self.now.date(), self.hour_cycle, self.date_format)

    @property
    def question(self) -> str:
        """What the user says now."""
        return self.utterances[-1].text

    def asks_to_delete(self) -> bool:
        """Tell whether the user's own words, now or in the message before, ask to delete something."""
        own = [utterance.text for utterance in self.utterances if utterance.role == "user"]
        return any(_DELETION.search(text) for text in own[-2:])


@dataclass(frozen=True)
class ToolReply:
    """What a tool answered: `data` when it worked, else `problem`, a sentence."""

    outcome: ToolOutcome
    data: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


class Toolbox:
    """The tools that one answer may use, called through an MCP client, bounded in number.

    A call of a tool that is not offered, or one too many, is refused here and never reaches the server: the model
    reads text that anyone may have put into a todo, so what it asks for is not trusted.
    """

    def __init__(
        self,
        client: Client,
        offered: Sequence[Tool],
        change: Change,
        metrics: Metrics,
        on_call: OnToolCall,
        deleted_lately: DeletedLately,
    ) -> None:
        self.deleted_lately = deleted_lately
        self.offered = offered
        self.change = change
        self.changed = False
        self._client = client
        self._metrics = metrics
        self._on_call = on_call
        self._calls = 0
        self._limit = MAX_TOOL_CALLS

    def allow(self, calls: int) -> None:
        """Raise the number of calls for a set that the user has confirmed."""
        self._limit = max(self._limit, calls)

    async def call(self, name: str, /, **arguments: Any) -> ToolReply:
        """Call one tool and return its answer; failures are answers too."""
        self._calls += 1
        if self._calls > self._limit:
            reply = self._refuse(name, "too many tool calls in one answer")
        elif name not in {tool.name for tool in self.offered}:
            reply = self._refuse(name, "this tool is not available: the user's message does not ask for it")
        else:
            reply = await self._pass_on(name, arguments)
        self.changed |= reply.outcome == "ok" and name in _CHANGING
        await self._on_call(tool_label(name), reply.outcome)
        return reply

    async def refuse(self, name: str, problem: str) -> ToolReply:
        """Refuse a call that should not be made, as if the tool had."""
        self._calls += 1
        reply = self._refuse(name, problem)
        await self._on_call(tool_label(name), reply.outcome)
        return reply

    def _refuse(self, name: str, problem: str) -> ToolReply:
        self._metrics.tool_calls.labels(tool_label(name), "refused").inc()
        return ToolReply("refused", problem=problem)

    async def _pass_on(self, name: str, arguments: dict[str, Any]) -> ToolReply:
        change = {"id": str(self.change.id), "conversation_id": str(self.change.conversation_id)}
        meta: Any = {CHANGE_KEY: change}
        result = await self._client.call_tool(name, arguments, meta=meta)
        if not result.is_error:
            return ToolReply("ok", data=result.structured_content or {})
        problem = " ".join(part.text for part in result.content if isinstance(part, TextContent))
        outcome: ToolOutcome = "refused" if (result.meta or {}).get(OUTCOME_KEY) == "refused" else "error"
        return ToolReply(outcome, problem=problem)


class Assistant(Protocol):
    """Whoever answers."""

    name: AssistantName
    model: str | None

    async def answer(self, dialogue: Dialogue, toolbox: Toolbox, say: Say) -> Closing:
        """Answer the dialogue's question, in parts, through `say`; return what the next answer needs to know.

        Raises:
            AssistantError: it cannot; what was said so far stands.
        """
        ...


class LazyAssistant:
    """An assistant that is loaded, in a thread, when it is first asked."""

    def __init__(self, name: AssistantName, model: str | None, load: Callable[[], Assistant]) -> None:
        self.name = name
        self.model = model
        self._load = load
        self._loading: asyncio.Task[Assistant] | None = None

    async def answer(self, dialogue: Dialogue, toolbox: Toolbox, say: Say) -> Closing:
        """Answer as the assistant behind does.

        Raises:
            AssistantError: it cannot; what was said so far stands.
        """
        if self._loading is None or (self._loading.done() and self._loading.exception()):  # a failure is not for good
            self._loading = asyncio.create_task(asyncio.to_thread(self._load))
        assistant = await asyncio.shield(self._loading)  # others may be waiting for it too
        return await assistant.answer(dialogue, toolbox, say)


# Stems of "delete" in the languages that we know it in; who writes another one is asked to say "delete".
_DELETION = re.compile(
    r"delet|remov|discard|eras|trash|cancel|\bdrop\b|\bclear\b|get rid|throw (?:it |them )?(?:away|out)"
    r"|lösch|entfern|supprim|efface|enlev|borra|elimin|quita|apag|exclu|rimuov|verwijder|slett|ta bort|radera|poista"
    r"|usuń|usun|smaž|smaz|удал|убер|видал|διαγρα|διάγρα|מחק|احذف|حذف|हटा|मिटा|删|刪|移除|削除|消して|삭제|지워|xóa|hapus|ลบ",  # noqa: RUF001
    re.IGNORECASE,
)
