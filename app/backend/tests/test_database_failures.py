"""What the database's errors are called, and which of them waiting does not heal."""

from __future__ import annotations

import asyncpg
import pytest

from todo_backend.database import _is_lasting, describe_failure


@pytest.mark.parametrize(
    ("error", "reason", "lasting"),
    [
        (
            asyncpg.DataCorruptedError("invalid page in block 0 of relation base/1/2"),
            "a file of the database is damaged",
            True,
        ),
        (
            asyncpg.IndexCorruptedError('index "x" contains unexpected zero page'),
            "a file of the database is damaged",
            True,
        ),
        (asyncpg.InternalServerError("cache lookup failed"), "the database has an internal error", False),
        (asyncpg.TooManyConnectionsError("too many clients"), "too many connections", False),
        (
            asyncpg.UndefinedTableError('relation "todos" does not exist'),
            "the tables do not exist: the migrations have not run",
            True,
        ),
    ],
)
def test_an_error_is_called_by_what_can_be_done_about_it(error: Exception, reason: str, lasting: bool) -> None:
    found = describe_failure(error)
    assert found
    assert (found[1], _is_lasting(error)) == (reason, lasting)
