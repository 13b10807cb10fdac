"""The conversation service: what was said, in the order in which it was said."""

import uuid
from typing import Any

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todo_backend.database import Database
from todo_backend.schemas import Conversation, ConversationPage
from todo_backend.tables import conversations, messages

TITLE_LENGTH = 120


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
        """Store what the assistant said, which todos it numbered, and what the next answer needs; return the id.

        Raises:
            ConversationNotFoundError: it was deleted meanwhile.
        """
        message_id = uuid.uuid4()
        said = {"id": message_id, "conversation_id": conversation_id, "role": "assistant", "text": text}

        async def work(connection: AsyncConnection) -> None:
            await _require(connection, conversation_id, key_share=True)
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

        return await self._database.run("list_messages", work, reads=True)

    async def latest(self, limit: int, offset: int) -> ConversationPage:
        """Return conversations by what was said first in them, the latest ones first, and how many there are."""
        owner = messages.c.conversation_id
        opening = (
            select(func.left(messages.c.text, TITLE_LENGTH))
            .where(owner == conversations.c.id)
            .order_by(messages.c.position)
            .limit(1)
        )
        last = (
            select(owner, func.max(messages.c.position).label("position"), func.max(messages.c.created_at).label("at"))
            .group_by(owner)
            .subquery()
        )
        page = (
            select(conversations.c.id, opening.scalar_subquery().label("title"), last.c.at.label("updated_at"))
            .join(last, last.c.conversation_id == conversations.c.id)
            .order_by(last.c.position.desc())
            .limit(limit)
            .offset(offset)
        )

        async def work(connection: AsyncConnection) -> ConversationPage:
            found = (await connection.execute(page)).all()
            total = await connection.execute(select(func.count(owner.distinct())))
            items = [Conversation(id=row.id, title=row.title, updated_at=row.updated_at) for row in found]
            return ConversationPage(items=items, total=total.scalar_one())

        return await self._database.run("list_conversations", work, reads=True)

    async def delete(self, conversation_id: uuid.UUID) -> None:
        """Delete a conversation with all that was said in it; the todos stay.

        Raises:
            ConversationNotFoundError: there is none with this id.
        """

        async def work(connection: AsyncConnection) -> None:
            gone = delete(conversations).where(conversations.c.id == conversation_id).returning(conversations.c.id)
            if (await connection.execute(gone)).first() is None:
                raise ConversationNotFoundError

        await self._database.run("delete_conversation", work)


async def _require(connection: AsyncConnection, conversation_id: uuid.UUID, *, key_share: bool = False) -> None:
    wanted = select(conversations.c.id).where(conversations.c.id == conversation_id)
    found = await connection.execute(wanted.with_for_update(read=True, key_share=True) if key_share else wanted)
    if found.first() is None:
        raise ConversationNotFoundError
