"""Give todos notes.

Additive: the version before this one serves with these columns, and keeps the notes of what it changes. Those of a todo
that it deletes are lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column to both tables of todos."""
    op.add_column("todos", sa.Column("notes", sa.Text, nullable=False, server_default=""))
    op.add_column("deleted_todos", sa.Column("notes", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it, and all notes."""
    op.drop_column("deleted_todos", "notes")
    op.drop_column("todos", "notes")
