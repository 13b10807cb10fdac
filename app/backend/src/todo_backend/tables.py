"""The tables. Their history is in `migrations/`."""

from typing import get_args

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Time,
    TypeDecorator,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from todo_backend.schemas import Priority

_PRIORITIES: tuple[Priority, ...] = get_args(Priority)


class _PriorityRank(TypeDecorator[Priority]):
    """A priority, stored as its rank from 1 on, so that the database can sort by it."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Priority | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else _PRIORITIES.index(value) + 1

    def process_result_value(self, value: int | None, dialect: Dialect) -> Priority | None:  # noqa: ARG002
        return None if value is None else _PRIORITIES[value - 1]


metadata = MetaData()

# `position` is the order of insertion; no clock is trusted with that.
todos = Table(
    "todos",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("position", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("due_date", Date),
    Column("due_time", Time),
    Column("priority", _PriorityRank, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("notes", Text, nullable=False, server_default=text("''")),
    Column("done", Boolean, nullable=False, server_default=text("false")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("completed_at", DateTime(timezone=True)),
    Column("idempotency_key", Text, unique=True),
    CheckConstraint("priority BETWEEN 1 AND 3", name="todos_priority_range"),
    CheckConstraint("done = (completed_at IS NOT NULL)", name="todos_completed_when_done"),
    Index("todos_done_position", "done", "position"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# Where deleted todos wait to be restored or cleared away: a table of its own, so that no query on `todos`, an older
# version's among them, can show one. Its columns are those of `todos`, and when the todo was deleted.
deleted_todos = Table(
    "deleted_todos",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("due_date", Date),
    Column("due_time", Time),
    Column("priority", _PriorityRank, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("notes", Text, nullable=False, server_default=text("''")),
    Column("done", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("completed_at", DateTime(timezone=True)),
    Column("idempotency_key", Text),
    Column("deleted_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("deleted_todos_deleted_at", "deleted_at"),
)

# `listed` holds the ids of the todos that an answer numbered; `context` what else the next answer needs to know.
messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("position", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("listed", ARRAY(Uuid)),
    Column("context", JSONB(none_as_null=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("role IN ('user', 'assistant')", name="messages_role_known"),
    Index("messages_conversation_position", "conversation_id", "position"),
)

# What one answer of the chat changed, to be undone as one. `undoes` is what was taken back, where it is an undo.
changes = Table(
    "changes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("position", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("undone_at", DateTime(timezone=True)),
    Column("undoes", Uuid),
    Index("changes_conversation_position", "conversation_id", "position"),
)

# `before` is the todo as it was, null when the answer added it; `version` the one that the answer left, null when it
# deleted the todo.
changed_todos = Table(
    "changed_todos",
    metadata,
    Column("change_id", ForeignKey("changes.id", ondelete="CASCADE"), primary_key=True),
    Column("todo_id", Uuid, primary_key=True),
    Column("before", JSONB(none_as_null=True)),
    Column("version", Integer),
)
