"""Answers in progress: each is a task of its own, whose events a client may follow."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from todo_backend.chat import Chat, EventName, Question
from todo_backend.schemas import ChatAnswer

# Below the idle timeouts of common proxies.
_KEEPALIVE_SECONDS = 15


class Answers:
    """The answers being given. None ends early, and each is stored, when its client goes."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[ChatAnswer | None]] = set()

    def start(self, chat: Chat, question: Question) -> "Answer":
        """Begin to answer."""
        answer = Answer(chat, question)
        self._running.add(answer.task)
        answer.task.add_done_callback(self._running.discard)
        return answer

    async def finish(self) -> None:
        """Wait for the answers whose clients have gone; each ends by itself within the chat's timeout."""
        if self._running:
            await asyncio.wait(self._running)


class Answer:
    """One answer being given, and its events."""

    def __init__(self, chat: Chat, question: Question) -> None:
        self._events: asyncio.Queue[tuple[EventName, dict[str, object]] | None] = asyncio.Queue()
        self.task = asyncio.create_task(chat.answer(question, self._emit))
        self.task.add_done_callback(lambda _: self._events.put_nowait(None))

    async def _emit(self, name: EventName, data: dict[str, object]) -> None:
        self._events.put_nowait((name, data))

    async def stream(self) -> AsyncIterator[bytes]:
        """Return the events as they happen, in the wire format of server-sent events."""
        while True:
            try:
                async with asyncio.timeout(_KEEPALIVE_SECONDS):
                    event = await self._events.get()
            except TimeoutError:
                yield KEEPALIVE_COMMENT
                continue
            if event is None:
                return
            yield format_sse_event(event=event[0], data_str=json.dumps(event[1]))
