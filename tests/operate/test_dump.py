"""A backup is whole or refused, and what is sent of it happens as a whole or not at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scripts.core.errors import InputError
from scripts.operate import dump

pytestmark = pytest.mark.unit

SQL = dump.BEGINS + b"\n" + b"".join(b"insert into t values (%d);\n" % number for number in range(5000)) + dump.ENDS + b"\n"


@pytest.mark.parametrize("content", [SQL, gzip.compress(SQL)], ids=["plain", "compressed"])
def test_a_whole_dump_is_sent_within_one_transaction(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(content)
    assert dump.whole(path) == len(SQL)
    sent = b"".join(dump.replacing(path))
    assert sent == dump.EMPTY + SQL + dump.COMMIT
    assert sent.count(b"COMMIT;") == sent.count(b"BEGIN;") == 1


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (SQL[:-200], "is incomplete"),
        (gzip.compress(SQL)[:-200], "is incomplete"),
        (gzip.compress(SQL)[:200] + b"x" + gzip.compress(SQL)[201:], "is incomplete"),
        (gzip.compress(SQL[:-200]), "is incomplete"),
        (b"todo,done\n", "is not an SQL dump of Postgres"),
        (b"", "is not an SQL dump of Postgres"),
    ],
)
def test_what_is_not_whole_is_refused(content: bytes, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(content)
    with pytest.raises(InputError, match=cause):
        dump.whole(path)


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        dump.whole(tmp_path / "nothing")
