"""The todo service: the one way to read or change todos, for REST and MCP alike."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, any_, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from todo_backend import rows
from todo_backend.database import Database
from todo_backend.rows import COLUMNS, todo_of
from todo_backend.schemas import TIME_WITHOUT_DATE, Todo, TodoChange, TodoDraft, TodoFilter, TodoPage
from todo_backend.tables import todos as table
from todo_backend.undo import record


class TodoNotFoundError(Exception):
    """No todo has this id."""


class RefusedChangeError(Exception):
    """The change does not fit the todo as it is, which is `current`."""

    def __init__(self, reason: str, current: Todo) -> None:
        super().__init__(reason)
        self.current = current


class StaleTodoError(Exception):
    """The change was based on an old version; `current` is the todo as it is now."""

    def __init__(self, current: Todo) -> None:
        super().__init__("the todo was changed in the meantime")
        self.current = current


class Todos:
    """Every operation on todos. All raise DatabaseUnavailableError when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, wanted: TodoFilter, ids: Sequence[uuid.UUID] | None = None) -> TodoPage:
        """Return the todos that the filter selects, and how many there are on all pages together.

        With `ids`, only todos among them.
        """
        condition = _condition(wanted)
        if ids is not None:
            condition &= table.c.id.in_(ids)

        async def work(connection: AsyncConnection) -> TodoPage:
            page = (await connection.execute(_page(wanted, condition))).all()
            # The count comes with each row; a page past the end has no row to carry it.
            total = page[0].total if page else await _count(connection, condition) if wanted.offset else 0
            return TodoPage(items=[todo_of(row) for row in page], total=total)

        return await self._database.run("find_todos", work, reads=True)

    async def get(self, todo_id: uuid.UUID) -> Todo:
        """Return one todo.

        Raises:
            TodoNotFoundError: there is none with this id.
        """
        return await self._database.run("get_todo", lambda connection: _read(connection, todo_id), reads=True)

    async def create(self, draft: TodoDraft, idempotency_key: str | None = None) -> tuple[Todo, bool]:
        """Add a todo; return it and whether it is new.

        A key that was used before returns the todo that it made then, also when two calls race.
        """
        new_id = uuid.uuid4()  # made here, so that a repeated attempt cannot add the todo twice

        async def work(connection: AsyncConnection) -> tuple[Todo, bool]:
            statement = insert(table).values(
                id=new_id,
                **_columns({name: getattr(draft, name) for name in TodoDraft.model_fields}),
                idempotency_key=idempotency_key,
            )
            row = (await connection.execute(statement.on_conflict_do_nothing().returning(*COLUMNS))).first()
            if row is None:
                first = table.c.idempotency_key == idempotency_key if idempotency_key else table.c.id == new_id
                if there := (await connection.execute(select(*COLUMNS).where(first))).first():
                    return todo_of(there), False
                row = (
                    await connection.execute(statement.returning(*COLUMNS))
                ).one()  # or the database says what else it conflicts with
            await record(connection, None, todo_of(row))
            return todo_of(row), True

        return await self._database.run("create_todo", work)

    async def update(self, todo_id: uuid.UUID, change: TodoChange) -> Todo:
        """Change a todo that is still at the version which the change is based on.

        Raises:
            TodoNotFoundError: there is none with this id.
            StaleTodoError: it has another version by now; nothing was changed.
            RefusedChangeError: it would get a time without a date.
        """

        async def work(connection: AsyncConnection) -> Todo:
            current = await _read(connection, todo_id, for_update=True)
            if current.version != change.version:
                raise StaleTodoError(current)
            values = {name: value for name, value in change.values().items() if value != getattr(current, name)}
            if values.get("due_time") and not values.get("due_date", current.due_date):
                raise RefusedChangeError(TIME_WITHOUT_DATE, current)
            return await _write(connection, current, values) if values else current

        return await self._database.run("update_todo", work)

    async def complete(self, todo_id: uuid.UUID) -> Todo:
        """Complete a todo; a completed one stays as it is.

        Raises:
            TodoNotFoundError: there is none with this id.
        """

        async def work(connection: AsyncConnection) -> Todo:
            current = await _read(connection, todo_id, for_update=True)
            return current if current.done else await _write(connection, current, {"done": True})

        return await self._database.run("complete_todo", work)

    async def delete(self, todo_id: uuid.UUID) -> None:
        """Delete a todo; for 30 days it can be restored.

        Raises:
            TodoNotFoundError: there is none with this id.
        """

        async def work(connection: AsyncConnection) -> None:
            todo = await rows.move_away(connection, todo_id)
            if todo is None:
                raise TodoNotFoundError
            await record(connection, todo, None)

        await self._database.run("delete_todo", work)

    async def restore(self, todo_id: uuid.UUID) -> Todo:
        """Bring a deleted todo back as it was; one that is not deleted stays as it is.

        Raises:
            TodoNotFoundError: there is none with this id, or it was deleted too long ago.
        """

        async def work(connection: AsyncConnection) -> Todo:
            restored = await rows.restore(connection, todo_id)
            if restored is None:
                return await _read(connection, todo_id)
            await record(connection, None, restored)
            return restored

        return await self._database.run("restore_todo", work)


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """Turn values of the API into values of the table's columns."""
    columns = dict(values)
    if "done" in columns:
        columns["completed_at"] = func.now() if columns["done"] else None
    return columns


async def _read(connection: AsyncConnection, todo_id: uuid.UUID, *, for_update: bool = False) -> Todo:
    statement = select(*COLUMNS).where(table.c.id == todo_id)
    row = (await connection.execute(statement.with_for_update() if for_update else statement)).first()
    if row is None:
        raise TodoNotFoundError
    return todo_of(row)


async def _write(connection: AsyncConnection, before: Todo, values: dict[str, Any]) -> Todo:
    statement = (
        update(table)
        .where(table.c.id == before.id)
        .values(**_columns(values), version=table.c.version + 1, updated_at=func.now())
        .returning(*COLUMNS)
    )
    after = todo_of((await connection.execute(statement)).one())
    await record(connection, before, after)
    return after


def _condition(wanted: TodoFilter) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = true()
    if wanted.state != "all":
        condition &= table.c.done.is_(wanted.state == "done")
    if wanted.due_from:
        condition &= table.c.due_date >= wanted.due_from
    if wanted.due_until:
        condition &= table.c.due_date <= wanted.due_until
    for word in wanted.q.split():
        condition &= _has(word)
    return condition


def _has(word: str) -> ColumnElement[bool]:
    if word.startswith("#") and len(word) > 1:
        return or_(any_(table.c.tags) == word[1:].lower(), table.c.title.icontains(word, autoescape=True))
    tags = func.array_to_string(table.c.tags, " ")
    return or_(*(column.icontains(word, autoescape=True) for column in (table.c.title, tags, table.c.notes)))


def _page(wanted: TodoFilter, condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*COLUMNS, func.count().over().label("total"))
        .where(condition)
        .order_by(*_order(wanted))
        .limit(wanted.limit)
        .offset(wanted.offset)
    )


def _order(wanted: TodoFilter) -> Sequence[ColumnElement[Any]]:
    position = table.c.position
    keys: dict[str, ColumnElement[Any]] = {
        "created": position,
        "due": table.c.due_date,
        "priority": table.c.priority,
        "title": func.lower(table.c.title),
    }
    key = keys[wanted.sort]
    directed = key.desc() if wanted.order == "desc" else key.asc()
    of_day = [table.c.due_time.asc().nulls_last()] if wanted.sort == "due" else []
    return [directed.nulls_last(), *of_day, position]


async def _count(connection: AsyncConnection, condition: ColumnElement[bool]) -> int:
    return (await connection.execute(select(func.count()).select_from(table).where(condition))).scalar_one()
