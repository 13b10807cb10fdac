"""One answer, from the user's message to the stored reply."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import httpx2
from mcp import Client
from mcp_types import Tool
from sqlalchemy import Row

from todo_backend.assistant import Assistant, AssistantError, Closing, Dialogue, Pending, Toolbox, Utterance
from todo_backend.clock import Clock
from todo_backend.confirmation import accept_offer, answer_directly, take_back_first
from todo_backend.conversations import ConversationNotFoundError, Conversations
from todo_backend.database import DatabaseUnavailableError
from todo_backend.metrics import ChatOutcome, Metrics
from todo_backend.schemas import ChatAnswer, ChatRequest, Choice, DateFormat, HourCycle, ToolCall, ToolOutcome
from todo_backend.undo import Change, Undo

logger = logging.getLogger(__name__)

# What goes on until somebody does something; a question that was refused is the user's.
_BROKEN = frozenset({"bad_key", "error", "timeout"})

HISTORY = 20  # messages

EventName = Literal["start", "delta", "tool", "done", "error"]
Emit = Callable[[EventName, dict[str, object]], Awaitable[None]]

_NOT_STORED = "The answer could not be saved: the database does not answer, or this conversation was deleted."


@dataclass(frozen=True)
class Question:
    """A stored message of the user, and what was said before."""

    conversation_id: uuid.UUID
    utterances: Sequence[Utterance]
    time_zone: str | None = None
    shown: Sequence[uuid.UUID] = ()
    hour_cycle: HourCycle = "h23"
    date_format: DateFormat = "EEE d MMM"


class Chat:
    """The conversation between user, assistant and tools."""

    def __init__(
        self,
        conversations: Conversations,
        assistant: Assistant,
        tools: Client,
        undo: Undo,
        clock: Clock,
        metrics: Metrics,
        *,
        timeout_seconds: float,
    ) -> None:
        self.assistant = assistant
        self._conversations = conversations
        self._tools = tools
        self._undo = undo
        self._clock = clock
        self._metrics = metrics
        self._timeout = timeout_seconds

    async def ask(self, request: ChatRequest) -> Question:
        """Store the user's message.

        Raises:
            ConversationNotFoundError: there is no such conversation.
            DatabaseUnavailableError: nothing was stored.
        """
        stored = await self._conversations.ask(request.message, request.conversation_id, HISTORY)
        utterances = [_utterance(message) for message in stored]
        return Question(
            stored[-1].conversation_id,
            utterances,
            request.time_zone,
            request.shown,
            request.hour_cycle,
            request.date_format,
        )

    async def answer(self, question: Question, emit: Emit) -> ChatAnswer | None:
        """Answer, telling each event as it happens, and store the answer; None when it could not be stored."""
        started = time.monotonic()
        text: list[str] = []
        calls: list[ToolCall] = []

        async def say(part: str) -> None:
            text.append(part)
            await emit("delta", {"text": part})

        async def on_tool_call(name: str, outcome: ToolOutcome) -> None:
            calls.append(ToolCall(name=name, outcome=outcome))
            await emit("tool", {"name": name, "outcome": outcome})

        await emit("start", {"conversation_id": str(question.conversation_id), "assistant": self.assistant.name})
        dialogue = Dialogue(
            question.utterances,
            self._clock.now(question.time_zone),
            question.shown,
            question.hour_cycle,
            question.date_format,
        )
        change = Change(uuid.uuid4(), question.conversation_id)
        toolbox = Toolbox(
            self._tools, await self._offer(dialogue), change, self._metrics, on_tool_call, self._undo.deleted_lately
        )
        outcome, closing, problem = await self._run(dialogue, toolbox, say)
        undo = change.id if toolbox.changed else None
        if problem:
            text.append(f"\n\n{problem}" if text else problem)
            await emit("error", {"message": problem})
        message_id = await self._store("".join(text), question, closing, undo)
        if message_id is None:
            outcome = "error"
            await emit("error", {"message": _NOT_STORED})
        choices = [choice.model_dump() for choice in closing.choices]
        ends = {"message_id": message_id and str(message_id), "todos_changed": toolbox.changed}
        await emit("done", ends | {"undo": undo and str(undo), "choices": choices})
        self._metrics.chat_requests.labels(self.assistant.name, outcome).inc()
        self._metrics.chat_duration.labels(self.assistant.name).observe(time.monotonic() - started)
        if message_id is None:
            return None
        return ChatAnswer(
            conversation_id=question.conversation_id,
            message_id=message_id,
            text="".join(text),
            assistant=self.assistant.name,
            tools=calls,
            todos_changed=toolbox.changed,
            undo=undo,
            choices=list(closing.choices),
        )

    async def _offer(self, dialogue: Dialogue) -> list[Tool]:
        tools = (await self._tools.list_tools()).tools
        may_delete = (
            self.assistant.name == "rules" or dialogue.asks_to_delete()
        )  # the rules delete on no one else's word
        return [tool for tool in tools if tool.name != "delete_todo" or may_delete]

    async def _run(
        self, dialogue: Dialogue, toolbox: Toolbox, say: Callable[[str], Awaitable[None]]
    ) -> tuple[ChatOutcome, Closing, str]:
        """Let the assistant answer; return the outcome, what the answer leaves, and what went wrong, if anything."""
        try:
            async with asyncio.timeout(self._timeout):
                dialogue = await take_back_first(accept_offer(dialogue), toolbox, self._undo, say)
                closing = await answer_directly(dialogue, toolbox, self._undo, say)
                if closing is None:
                    closing = await self.assistant.answer(dialogue, toolbox, say)
        except AssistantError as error:
            level = logging.ERROR if error.outcome in _BROKEN else logging.WARNING
            logger.log(level, "the assistant did not answer", extra={"reason": _reason(error)})
            return error.outcome, Closing(), error.sentence
        except TimeoutError:
            return "timeout", Closing(), "The answer took too long, so I stopped. Please try again."
        except DatabaseUnavailableError:
            return "error", Closing(), "The todo list cannot be reached right now. Please try again."
        except Exception:
            logger.exception("the assistant failed")
            return "error", Closing(), "Something went wrong on our side. Please try again."
        return "ok", closing, ""

    async def _store(self, text: str, question: Question, closing: Closing, undo: uuid.UUID | None) -> uuid.UUID | None:
        listed = None if closing.listed is None else list(closing.listed)
        try:
            return await self._conversations.reply(text, question.conversation_id, listed, _context(closing, undo))
        except (DatabaseUnavailableError, ConversationNotFoundError):
            return None


def _reason(error: AssistantError) -> str:
    """Return what the user is told, and what the network said, which holds no key."""
    cause = f": {error.__cause__}" if isinstance(error.__cause__, OSError | httpx2.TransportError) else ""
    return f"{error.sentence}{cause}"


def _context(closing: Closing, undo: uuid.UUID | None) -> dict[str, Any]:
    """Turn what an answer leaves into JSON, without what is empty."""
    context = {
        "mentioned": [str(todo_id) for todo_id in closing.mentioned],
        "pending": closing.pending and asdict(closing.pending),
        "choices": [choice.model_dump() for choice in closing.choices],
        "undo": undo and str(undo),
    }
    return {name: value for name, value in context.items() if value}


def _utterance(message: Row[Any]) -> Utterance:
    context = message.context or {}
    return Utterance(
        message.role,
        message.text,
        message.listed,
        [uuid.UUID(todo_id) for todo_id in context.get("mentioned", ())],
        Pending(**context["pending"]) if "pending" in context else None,
        [Choice(**each) for each in context.get("choices", ())],
        "undo" in context,
    )
