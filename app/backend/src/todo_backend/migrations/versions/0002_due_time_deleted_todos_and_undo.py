"""Give todos a due time, keep deleted todos for a while, and remember what each answer changed.

Additive: the version before this one serves with these tables, and sees no todo that was deleted.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns and tables."""
    op.add_column("todos", sa.Column("due_time", sa.Time))
    op.add_column("messages", sa.Column("context", JSONB))
    op.create_table(
        "deleted_todos",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("due_date", sa.Date),
        sa.Column("due_time", sa.Time),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("deleted_todos_deleted_at", "deleted_todos", ["deleted_at"])
    op.create_table(
        "changes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("conversation_id", sa.Uuid, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
    )
    op.create_index("changes_conversation_position", "changes", ["conversation_id", "position"])
    op.create_table(
        "changed_todos",
        sa.Column("change_id", sa.Uuid, sa.ForeignKey("changes.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("todo_id", sa.Uuid, primary_key=True),
        sa.Column("before", JSONB),
        sa.Column("version", sa.Integer),
    )


def downgrade() -> None:
    """Drop them, and everything in them."""
    op.drop_table("changed_todos")
    op.drop_table("changes")
    op.drop_table("deleted_todos")
    op.drop_column("messages", "context")
    op.drop_column("todos", "due_time")
