"""Let an undo be taken back.

Additive: the version before this one serves with this column; a second "undo" of its takes back the first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add which change an undo took back."""
    op.add_column("changes", sa.Column("undoes", sa.Uuid))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("changes", "undoes")
