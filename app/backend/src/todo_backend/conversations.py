"""The conversation service: what was said, in the order in which it was said."""

import uuid
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todo_backend.database import Database
from todo_backend.tables import conversations, messages


class ConversationNotFoundError(Exception):
    """No conversation has this id."""


class Conversations:
    """Every operation on conversations. All raise DatabaseUnavailableError when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, text: str, conversation_id: uuid.UUID | None, history: int) -> list[Row[Any]]:
        """Store what the user says; return the last `history` messages, with this one at the end.

        Without an id a new conversation begins.

        Raises:
            ConversationNotFoundError: there is none with this id.
        """
        new_id, message_id = uuid.uuid4(), uuid.uuid4()

        async def work(connection: AsyncConnection) -> list[Row[Any]]:
            if conversation_id is None:
                await connection.execute(insert(conversations).values(id=new_id))
            else:
                await _require(connection, conversation_id)
            owner = conversation_id or new_id
            said = {"id": message_id, "conversation_id": owner, "role": "user", "text": text}
            await connection.execute(insert(messages).values(said))
            last = select(messages).where(messages.c.conversation_id == owner).order_by(messages.c.position.desc())
            return list((await connection.execute(last.limit(history))).all())[::-1]

        return await self._database.run("store_question", work)

    async def reply(
        self, text: str, conversation_id: uuid.UUID, listed: list[uuid.UUID] | None, context: dict[str, Any]
    ) -> uuid.UUID:
        """Store what the assistant said, which todos it numbered, and what the next answer needs; return the id."""
        message_id = uuid.uuid4()
        said = {"id": message_id, "conversation_id": conversation_id, "role": "assistant", "text": text}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(messages).values(said | {"listed": listed, "context": context or None}))

        await self._database.run("store_answer", work)
        return message_id

    async def messages(self, conversation_id: uuid.UUID) -> list[Row[Any]]:
        """Return every message, oldest first.

        Raises:
            ConversationNotFoundError: there is none with this id.
        """

        async def work(connection: AsyncConnection) -> list[Row[Any]]:
            await _require(connection, conversation_id)
            said = select(messages).where(messages.c.conversation_id == conversation_id).order_by(messages.c.position)
            return list((await connection.execute(said)).all())

        return await self._database.run("list_messages", work)


async def _require(connection: AsyncConnection, conversation_id: uuid.UUID) -> None:
    found = await connection.execute(select(conversations.c.id).where(conversations.c.id == conversation_id))
    if found.first() is None:
        raise ConversationNotFoundError
