"""Alembic's entry point: use the connection that `migrate` gives, in the transaction that it began."""

from alembic import context

from todo_backend.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
