"""The todo service: the one way to read or change todos, for REST and MCP alike."""

import uuid
from collections.abc import Sequence
from typing import Any, get_args

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from todo_backend import models
from todo_backend.database import Database
from todo_backend.schemas import Priority, Todo, TodoChange, TodoDraft, TodoFilter, TodoPage

_Sortable = ColumnElement[Any] | InstrumentedAttribute[Any]
_PRIORITIES: tuple[Priority, ...] = get_args(Priority)


class TodoNotFoundError(Exception):
    """No todo has this id."""


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
            condition &= models.Todo.id.in_(ids)

        async def work(session: AsyncSession) -> TodoPage:
            rows = (await session.execute(_page(wanted, condition))).all()
            # The count comes with each row; a page past the end has no row to carry it.
            total = rows[0].total if rows else await _count(session, condition) if wanted.offset else 0
            return TodoPage(items=[_todo(row) for row in rows], total=total)

        return await self._database.run("find_todos", work)

    async def get(self, todo_id: uuid.UUID) -> Todo:
        """Return one todo.

        Raises:
            TodoNotFoundError: there is none with this id.
        """
        return await self._database.run("get_todo", lambda session: _read(session, todo_id))

    async def create(self, draft: TodoDraft, idempotency_key: str | None = None) -> tuple[Todo, bool]:
        """Add a todo; return it and whether it is new.

        A key that was used before returns the todo that it made then, also when two calls race.
        """
        new_id = uuid.uuid4()  # made here, so that a repeated attempt cannot add the todo twice

        async def work(session: AsyncSession) -> tuple[Todo, bool]:
            statement = insert(models.Todo).values(
                id=new_id, **_columns(draft.model_dump()), idempotency_key=idempotency_key
            )
            row = (await session.execute(statement.on_conflict_do_nothing().returning(*_COLUMNS))).first()
            if row is not None:
                return _todo(row), True
            first = models.Todo.idempotency_key == idempotency_key if idempotency_key else models.Todo.id == new_id
            return _todo((await session.execute(select(*_COLUMNS).where(first))).one()), False

        return await self._database.run("create_todo", work)

    async def update(self, todo_id: uuid.UUID, change: TodoChange) -> Todo:
        """Change a todo that is still at the version which the change is based on.

        Raises:
            TodoNotFoundError: there is none with this id.
            StaleTodoError: it has another version by now; nothing was changed.
        """

        async def work(session: AsyncSession) -> Todo:
            current = await _read(session, todo_id, for_update=True)
            if current.version != change.version:
                raise StaleTodoError(current)
            values = {name: value for name, value in change.values().items() if value != getattr(current, name)}
            return await _write(session, todo_id, values) if values else current

        return await self._database.run("update_todo", work)

    async def complete(self, todo_id: uuid.UUID) -> Todo:
        """Complete a todo; a completed one stays as it is.

        Raises:
            TodoNotFoundError: there is none with this id.
        """

        async def work(session: AsyncSession) -> Todo:
            current = await _read(session, todo_id, for_update=True)
            return current if current.done else await _write(session, todo_id, {"done": True})

        return await self._database.run("complete_todo", work)

    async def delete(self, todo_id: uuid.UUID) -> None:
        """Delete a todo for good.

        Raises:
            TodoNotFoundError: there is none with this id.
        """

        async def work(session: AsyncSession) -> None:
            statement = delete(models.Todo).where(models.Todo.id == todo_id).returning(models.Todo.id)
            if (await session.execute(statement)).first() is None:
                raise TodoNotFoundError

        await self._database.run("delete_todo", work)


_COLUMNS = [getattr(models.Todo, name) for name in Todo.model_fields]


def _todo(row: Any) -> Todo:
    # The row comes from our own table: its constraints have been checked, so it is not validated again.
    values = row._asdict()
    values.pop("total", None)
    return Todo.model_construct(**values | {"priority": _PRIORITIES[row.priority - 1]})


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """Turn values of the API into values of the table's columns."""
    columns = dict(values)
    if "priority" in columns:
        columns["priority"] = _PRIORITIES.index(columns["priority"]) + 1
    if "done" in columns:
        columns["completed_at"] = func.now() if columns["done"] else None
    return columns


async def _read(session: AsyncSession, todo_id: uuid.UUID, *, for_update: bool = False) -> Todo:
    statement = select(*_COLUMNS).where(models.Todo.id == todo_id)
    row = (await session.execute(statement.with_for_update() if for_update else statement)).first()
    if row is None:
        raise TodoNotFoundError
    return _todo(row)


async def _write(session: AsyncSession, todo_id: uuid.UUID, values: dict[str, Any]) -> Todo:
    statement = (
        update(models.Todo)
        .where(models.Todo.id == todo_id)
        .values(**_columns(values), version=models.Todo.version + 1, updated_at=func.now())
        .returning(*_COLUMNS)
    )
    return _todo((await session.execute(statement)).one())


def _condition(wanted: TodoFilter) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = true()
    if wanted.state != "all":
        condition &= models.Todo.done.is_(wanted.state == "done")
    if wanted.q:
        tags = func.array_to_string(models.Todo.tags, " ")
        condition &= or_(*(column.icontains(wanted.q, autoescape=True) for column in (models.Todo.title, tags)))
    return condition


def _page(wanted: TodoFilter, condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*_COLUMNS, func.count().over().label("total"))
        .where(condition)
        .order_by(*_order(wanted))
        .limit(wanted.limit)
        .offset(wanted.offset)
    )


def _order(wanted: TodoFilter) -> Sequence[_Sortable]:
    position = models.Todo.position
    keys: dict[str, _Sortable] = {
        "created": position,
        "due": models.Todo.due_date,
        "priority": models.Todo.priority,
        "title": func.lower(models.Todo.title),
    }
    key = keys[wanted.sort]
    directed = key.desc() if wanted.order == "desc" else key.asc()
    return [directed.nulls_last(), position]


async def _count(session: AsyncSession, condition: ColumnElement[bool]) -> int:
    return (await session.execute(select(func.count()).select_from(models.Todo).where(condition))).scalar_one()
