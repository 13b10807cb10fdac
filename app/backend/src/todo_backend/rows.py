"""The rows of todos: reading one, moving it to the deleted ones and back, putting it back as it was."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todo_backend.schemas import Todo
from todo_backend.tables import deleted_todos, todos

# How long a deletion, or any change by chat, can be taken back.
KEEP = timedelta(days=30)

COLUMNS = [todos.c[name] for name in Todo.model_fields]
_ALL = [column.name for column in todos.columns]


def todo_of(row: Row[Any]) -> Todo:
    """Make a todo from a row that begins with COLUMNS."""
    return Todo.model_validate(dict(zip(Todo.model_fields, row, strict=False)))  # a row of a page ends with the total


async def find(connection: AsyncConnection, todo_id: uuid.UUID) -> Todo | None:
    """Read a todo and lock it for this transaction; None when there is none."""
    statement = select(*COLUMNS).where(todos.c.id == todo_id).with_for_update()
    row = (await connection.execute(statement)).first()
    return None if row is None else todo_of(row)


async def read_all(connection: AsyncConnection, ids: Sequence[uuid.UUID]) -> list[Todo]:
    """Read the todos with these ids, in the order of the list."""
    statement = select(*COLUMNS).where(todos.c.id.in_(ids)).order_by(todos.c.position)
    return [todo_of(row) for row in await connection.execute(statement)]


async def deleted_titles(connection: AsyncConnection, ids: Sequence[uuid.UUID]) -> list[str]:
    """Read the titles of those of these todos that were deleted, in the order that the list had."""
    statement = select(deleted_todos.c.title).where(deleted_todos.c.id.in_(ids)).order_by(deleted_todos.c.position)
    return list((await connection.execute(statement)).scalars())


async def deleted_lately(connection: AsyncConnection, limit: int) -> list[Todo]:
    """Read the todos that can be brought back, the one that was deleted last first."""
    kept = [deleted_todos.c[name] for name in Todo.model_fields]
    statement = select(*kept).where(deleted_todos.c.deleted_at >= func.now() - KEEP).limit(limit)
    latest = statement.order_by(deleted_todos.c.deleted_at.desc(), deleted_todos.c.position.desc())
    return [todo_of(row) for row in await connection.execute(latest)]


async def move_away(connection: AsyncConnection, todo_id: uuid.UUID) -> Todo | None:
    """Move a todo to the deleted ones, and clear away those that are too old; None when there is none."""
    gone = delete(todos).where(todos.c.id == todo_id).returning(*todos.columns).cte("gone")
    moved = insert(deleted_todos).from_select(_ALL, select(*(gone.c[name] for name in _ALL)))
    kept = [deleted_todos.c[name] for name in Todo.model_fields]
    await connection.execute(delete(deleted_todos).where(deleted_todos.c.deleted_at < func.now() - KEEP))
    row = (await connection.execute(moved.returning(*kept))).first()
    return None if row is None else todo_of(row)


async def restore(connection: AsyncConnection, todo_id: uuid.UUID) -> Todo | None:
    """Move a deleted todo back, the same row in the same place; None when there is none."""
    row = (await connection.execute(text(_RESTORE), {"id": todo_id, "keep": KEEP})).first()
    return None if row is None else (await read_all(connection, [todo_id]))[0]


# The place in the order is the database's to give, so giving it back needs these words, which SQLAlchemy has not.
# A key that was used again meanwhile stays with its new todo.
_RESTORE = f"""
WITH back AS (
    DELETE FROM deleted_todos WHERE id = :id AND deleted_at >= now() - CAST(:keep AS interval) RETURNING *
)
INSERT INTO todos ({", ".join(_ALL)}) OVERRIDING SYSTEM VALUE
SELECT {
    ", ".join(
        "NULLIF(idempotency_key, (SELECT t.idempotency_key FROM todos t"
        " WHERE t.idempotency_key = back.idempotency_key))"
        if name == "idempotency_key"
        else name
        for name in _ALL
    )
} FROM back
RETURNING id
"""  # noqa: S608 - names of our own columns


async def overwrite(connection: AsyncConnection, before: Todo, version: int) -> Todo:
    """Make a todo what it was, times included, and return it.

    The version grows: who saw the state between is behind.
    """
    values = {name: getattr(before, name) for name in Todo.model_fields if name not in ("id", "version")}
    await connection.execute(update(todos).where(todos.c.id == before.id).values(**values, version=version))
    return before.model_copy(update={"version": version})
