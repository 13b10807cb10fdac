"""The conversation service: what was said, in the order in which it was said."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.database import Database
from todo_backend.models import Conversation, Message


class ConversationNotFoundError(Exception):
    """No conversation has this id."""


class Conversations:
    """Every operation on conversations. All raise DatabaseUnavailableError when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, text: str, conversation_id: uuid.UUID | None, history: int) -> list[Message]:
        """Store what the user says; return the last `history` messages, with this one at the end.

        Without an id a new conversation begins.

        Raises:
            ConversationNotFoundError: there is none with this id.
        """
        new_id, message_id = uuid.uuid4(), uuid.uuid4()

        async def work(session: AsyncSession) -> list[Message]:
            if conversation_id is None:
                session.add(Conversation(id=new_id))
                await session.flush()
            else:
                await _require(session, conversation_id)
            owner = conversation_id or new_id
            session.add(Message(id=message_id, conversation_id=owner, role="user", text=text))
            await session.flush()
            last = select(Message).where(Message.conversation_id == owner).order_by(Message.position.desc())
            return list((await session.scalars(last.limit(history))).all())[::-1]

        return await self._database.run("store_question", work)

    async def reply(self, text: str, conversation_id: uuid.UUID, listed: list[uuid.UUID] | None) -> uuid.UUID:
        """Store what the assistant said and which todos it numbered; return the message's id."""
        message_id = uuid.uuid4()

        async def work(session: AsyncSession) -> None:
            session.add(
                Message(id=message_id, conversation_id=conversation_id, role="assistant", text=text, listed=listed)
            )

        await self._database.run("store_answer", work)
        return message_id

    async def messages(self, conversation_id: uuid.UUID) -> list[Message]:
        """Return every message, oldest first.

        Raises:
            ConversationNotFoundError: there is none with this id.
        """

        async def work(session: AsyncSession) -> list[Message]:
            await _require(session, conversation_id)
            said = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.position)
            return list((await session.scalars(said)).all())

        return await self._database.run("list_messages", work)


async def _require(session: AsyncSession, conversation_id: uuid.UUID) -> None:
    if await session.get(Conversation, conversation_id) is None:
        raise ConversationNotFoundError
