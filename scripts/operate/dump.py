"""A dump of Postgres as a file: SQL in plain text, compressed or not, and whether it is whole."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from scripts.core.errors import InputError

CHUNK = 1 << 20
GZIP = b"\x1f\x8b"
BEGINS, ENDS = b"-- PostgreSQL database dump", b"-- PostgreSQL database dump complete"
TAIL = 2048
EMPTY = rb"""
BEGIN;
SET LOCAL lock_timeout = '30s';
SELECT lo_unlink(oid) FROM pg_largeobject_metadata;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
END $$;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA public IS 'standard public schema';
"""
RESTORED = "all of it is restored"
COMMIT = f"\nCOMMIT;\n\\echo {RESTORED}\n".encode()
"""Nothing is kept of a transfer that breaks off before this: the transaction ends with the connection."""


def whole(path: Path) -> int:
    """Read a dump to its end; return the bytes of SQL in it. Raises InputError where it is none, or not whole."""
    size, head, tail = 0, b"", b""
    for chunk in _chunks(path):
        size += len(chunk)
        head = head or chunk[:TAIL]
        tail = (tail + chunk)[-TAIL:]
    if BEGINS not in head:
        raise InputError(f"{path} is not an SQL dump of Postgres", "name a file that `invoke backup` wrote", code="backup-invalid")
    if ENDS not in tail:
        raise _not_whole(path)
    return size


def replacing(path: Path) -> Iterator[bytes]:
    """Yield the SQL that replaces all that a database holds by a dump: all of it happens, or nothing."""
    yield EMPTY
    yield from _chunks(path)
    yield COMMIT


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            compressed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            source = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if compressed else file
            while chunk := source.read(CHUNK):
                yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise _not_whole(path) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "name a backup", code="file-unreadable") from None


def _not_whole(path: Path) -> InputError:
    return InputError(f"{path} is incomplete: it ends in the middle", "take another backup", code="backup-invalid")
