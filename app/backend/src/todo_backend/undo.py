"""What each answer of the chat changed, and putting all of it back."""

import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from todo_backend import rows
from todo_backend.database import Database
from todo_backend.schemas import Todo, Undone
from todo_backend.tables import changed_todos, changes

_MOST = 200  # deleted todos that are looked through


@dataclass(frozen=True)
class Change:
    """What one answer of a conversation does; it becomes an entry of `changes` with the first todo that it changes."""

    id: uuid.UUID
    conversation_id: uuid.UUID
    undoes: uuid.UUID | None = None
    """The change that it takes back, where it is an undo."""


# The change that a tool call of an answer belongs to. The in-memory MCP server sets it around each call.
current_change: ContextVar[Change | None] = ContextVar("current_change", default=None)


class ChangeNotFoundError(Exception):
    """No change has this id, or it is too old."""


class ChangedSinceError(Exception):
    """A todo was changed after the change that is to be undone; the message is a sentence for the user."""


async def record(connection: AsyncConnection, before: Todo | None, after: Todo | None) -> None:
    """Keep a todo as it was, in the transaction that changes it, when an answer of the chat is at work."""
    change = current_change.get()
    if change is None:
        return
    statement = insert(changes).values(id=change.id, conversation_id=change.conversation_id, undoes=change.undoes)
    if (await connection.execute(statement.on_conflict_do_nothing().returning(changes.c.id))).first():
        await connection.execute(delete(changes).where(changes.c.created_at < func.now() - rows.KEEP))
    todo = after or before
    assert todo is not None  # noqa: S101 - one of them is there
    entry = insert(changed_todos).values(
        change_id=change.id,
        todo_id=todo.id,
        before=before and before.model_dump(mode="json"),
        version=after and after.version,
    )
    # Several changes of one todo in an answer are one: from what it was at first to what it is at last.
    again = entry.on_conflict_do_update(
        index_elements=[changed_todos.c.change_id, changed_todos.c.todo_id], set_={"version": entry.excluded.version}
    )
    await connection.execute(again)


class Undo:
    """Every operation on changes. All raise DatabaseUnavailableError when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deleted_lately(self) -> list[dict[str, Any]]:
        """Return the todos that were deleted and can be brought back, as the tools return todos, the latest first."""
        found = await self._database.run("deleted_lately", lambda connection: rows.deleted_lately(connection, _MOST))
        return [todo.model_dump(mode="json") for todo in found]

    async def undo(self, change_id: uuid.UUID) -> Undone:
        """Put back all that a change did; once undone it stays so, and the answer is the same.

        Raises:
            ChangeNotFoundError: there is none with this id.
            ChangedSinceError: a todo was changed since; nothing was put back.
        """
        return await self._database.run("undo", lambda connection: _undo(connection, change_id, uuid.uuid4()))

    async def undo_last(self, change: Change, *, redo: bool = False) -> Undone | None:
        """Undo the last change of this one's conversation that is not undone yet; None when there is none.

        What was put back is this change, which can be undone in turn. redo: take back the last undo instead.

        Raises:
            ChangedSinceError: a todo was changed since; nothing was put back.
        """
        last = (
            select(changes.c.id)
            .where(changes.c.conversation_id == change.conversation_id, changes.c.undone_at.is_(None))
            .where(changes.c.created_at >= func.now() - rows.KEEP)
            .where(changes.c.undoes.is_not(None) if redo else changes.c.undoes.is_(None))
            .order_by(changes.c.position.desc())
            .limit(1)
        )

        async def work(connection: AsyncConnection) -> Undone | None:
            change_id = (await connection.execute(last)).scalar_one_or_none()
            return None if change_id is None else await _undo(connection, change_id, change.id)

        return await self._database.run("undo", work)


async def _undo(connection: AsyncConnection, change_id: uuid.UUID, as_change: uuid.UUID) -> Undone:
    """Put a change back, as a change of its own: an undo of an undo is a change like any other."""
    wanted = select(changes.c.undone_at, changes.c.undoes, changes.c.conversation_id).where(
        changes.c.id == change_id, changes.c.created_at >= func.now() - rows.KEEP
    )
    change = (await connection.execute(wanted.with_for_update())).first()
    if change is None:
        raise ChangeNotFoundError
    # In the order of their ids, as every writer of several todos locks them, so that two cannot wait for each other.
    entries = (
        await connection.execute(
            select(changed_todos).where(changed_todos.c.change_id == change_id).order_by(changed_todos.c.todo_id)
        )
    ).all()
    if change.undone_at is None:
        undoes = None if change.undoes else change_id
        outer = current_change.set(Change(as_change, change.conversation_id, undoes))
        try:
            for entry in entries:
                await _put_back(connection, entry)
        finally:
            current_change.reset(outer)
        await connection.execute(update(changes).where(changes.c.id == change_id).values(undone_at=func.now()))
    ids = [entry.todo_id for entry in entries if entry.before is not None]
    added = [entry.todo_id for entry in entries if entry.before is None and entry.version is not None]
    return Undone(
        restored=len(ids) + len(added),
        items=await rows.read_all(connection, ids),
        removed=await rows.deleted_titles(connection, added),
    )


async def _put_back(connection: AsyncConnection, entry: Row[Any]) -> None:
    before = Todo.model_validate(entry.before) if entry.before else None
    current = await rows.find(connection, entry.todo_id)
    if before is None:  # the answer added it
        if current is None or entry.version is None:  # and it is gone already: since, or by the same answer
            return
        if current.version != entry.version:
            raise _changed(current)
        await rows.move_away(connection, current.id)
        await record(connection, current, None)
        return
    if entry.version is None:  # the answer deleted it
        if current is None:
            restored = await rows.restore(connection, entry.todo_id)
            if restored is None:
                raise ChangedSinceError(f"“{before.title}” was deleted too long ago to bring it back.")
            await record(connection, None, restored)
        if current is not None and current.version != before.version:
            raise _changed(current)
        return
    if current is None:
        raise ChangedSinceError(f"“{before.title}” was deleted since, so I left everything as it is.")
    if current.version != entry.version:
        raise _changed(current)
    await record(connection, current, await rows.overwrite(connection, before, current.version + 1))


def _changed(current: Todo) -> ChangedSinceError:
    return ChangedSinceError(f"“{current.title}” was changed since, so I left everything as it is.")
