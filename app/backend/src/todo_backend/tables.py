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
    TypeDecorator,
    Uuid,
    func,
    text,
)

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
    Column("priority", _PriorityRank, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
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

# `listed` holds the ids of the todos that an answer numbered.
messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("position", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("listed", ARRAY(Uuid)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("role IN ('user', 'assistant')", name="messages_role_known"),
    Index("messages_conversation_position", "conversation_id", "position"),
)
