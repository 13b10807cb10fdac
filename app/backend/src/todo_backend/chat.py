"""One answer, from the user's message to the stored reply."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

from mcp import Client
from mcp_types import Tool

from todo_backend.assistant import Assistant, AssistantError, Dialogue, Toolbox, Utterance
from todo_backend.conversations import Conversations
from todo_backend.database import DatabaseUnavailableError
from todo_backend.metrics import ChatOutcome, Metrics
from todo_backend.schemas import ChatAnswer, ChatRequest, ToolCall, ToolOutcome

logger = logging.getLogger(__name__)

HISTORY = 20  # messages

EventName = Literal["start", "delta", "tool", "done", "error"]
Emit = Callable[[EventName, dict[str, object]], Awaitable[None]]

_NOT_STORED = "The answer could not be saved: the database does not answer right now."


@dataclass(frozen=True)
class Question:
    """A stored message of the user, and what was said before."""

    conversation_id: uuid.UUID
    utterances: Sequence[Utterance]


class Chat:
    """The conversation between user, assistant and tools."""

    def __init__(
        self,
        conversations: Conversations,
        assistant: Assistant,
        tools: Client,
        metrics: Metrics,
        *,
        timeout_seconds: float,
    ) -> None:
        self.assistant = assistant
        self._conversations = conversations
        self._tools = tools
        self._metrics = metrics
        self._timeout = timeout_seconds

    async def ask(self, request: ChatRequest) -> Question:
        """Store the user's message.

        Raises:
            ConversationNotFoundError: there is no such conversation.
            DatabaseUnavailableError: nothing was stored.
        """
        stored = await self._conversations.ask(request.message, request.conversation_id, HISTORY)
        utterances = [
            Utterance(cast(Literal["user", "assistant"], message.role), message.text, message.listed)
            for message in stored
        ]
        return Question(stored[-1].conversation_id, utterances)

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
        dialogue = Dialogue(question.utterances, date.today())  # noqa: DTZ011 - the server's day, as specified
        toolbox = Toolbox(self._tools, await self._offer(dialogue), self._metrics, on_tool_call)
        outcome, listed, problem = await self._run(dialogue, toolbox, say)
        if problem:
            text.append(f"\n\n{problem}" if text else problem)
            await emit("error", {"message": problem})
        message_id = await self._store("".join(text), question, listed)
        if message_id is None:
            outcome = "error"
            await emit("error", {"message": _NOT_STORED})
        await emit("done", {"message_id": message_id and str(message_id), "todos_changed": toolbox.changed})
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
        )

    async def _offer(self, dialogue: Dialogue) -> list[Tool]:
        tools = (await self._tools.list_tools()).tools
        return [tool for tool in tools if tool.name != "delete_todo" or dialogue.asks_to_delete()]

    async def _run(
        self, dialogue: Dialogue, toolbox: Toolbox, say: Callable[[str], Awaitable[None]]
    ) -> tuple[ChatOutcome, list[uuid.UUID] | None, str]:
        """Let the assistant answer; return the outcome, the todos that it numbered, and what went wrong, if any."""
        try:
            async with asyncio.timeout(self._timeout):
                listed = await self.assistant.answer(dialogue, toolbox, say)
        except AssistantError as error:
            return error.outcome, None, error.sentence
        except TimeoutError:
            return "timeout", None, "The answer took too long, so I stopped. Please try again."
        except Exception:
            logger.exception("the assistant failed")
            return "error", None, "Something went wrong on our side. Please try again."
        return "ok", None if listed is None else list(listed), ""

    async def _store(self, text: str, question: Question, listed: list[uuid.UUID] | None) -> uuid.UUID | None:
        try:
            return await self._conversations.reply(text, question.conversation_id, listed)
        except DatabaseUnavailableError:
            return None
