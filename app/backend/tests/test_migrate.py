import asyncio
import socket
import uuid

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, pool

from todo_backend.database import parse_database_url
from todo_backend.migrate import MigrationError, migrate
from todo_backend.tables import metadata

from .conftest import run_sql
from .postgres import PgBouncer, Postgres, free_port


@pytest.fixture
async def empty(postgres: Postgres):
    name = f"empty_{uuid.uuid4().hex}"
    await run_sql(postgres, f"CREATE DATABASE {name}")
    yield name
    await run_sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")


async def migrate_at(url: str, patience: float = 30) -> None:
    engine = parse_database_url(url).engine(poolclass=pool.NullPool)
    try:
        await migrate(engine, patience)
    finally:
        await engine.dispose()


async def test_the_migrations_make_exactly_the_declared_tables(postgres: Postgres, empty: str):
    url = postgres.url(empty)
    await migrate_at(url)

    def differences(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    engine = parse_database_url(url).engine(poolclass=pool.NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_several_at_once_and_again_do_it_once(postgres: Postgres, empty: str):
    url = postgres.url(empty)
    await asyncio.gather(*(migrate_at(url) for _ in range(4)))
    await migrate_at(url)
    assert [tuple(row) for row in await run_sql(postgres, "SELECT * FROM alembic_version", database=empty)] == [
        ("0001",)
    ]


async def test_several_at_once_work_behind_a_transaction_pooler(pgbouncer: PgBouncer, postgres: Postgres, empty: str):
    url = postgres.url(empty, "sslmode=disable&pgbouncer=true", port=pgbouncer.port)
    await asyncio.gather(*(migrate_at(url) for _ in range(3)))
    assert len(await run_sql(postgres, "SELECT * FROM alembic_version", database=empty)) == 1


async def test_a_migration_that_fails_changes_nothing(postgres: Postgres, empty: str):
    await run_sql(postgres, "CREATE TABLE messages (id int)", database=empty)
    with pytest.raises(MigrationError, match=r'^migration failed: .*relation "messages" already exists'):
        await migrate_at(postgres.url(empty))
    tables = await run_sql(postgres, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=empty)
    assert [row["tablename"] for row in tables] == ["messages"]


@pytest.mark.parametrize(
    ("make_url", "cause"),
    [
        (lambda _: "postgresql://u:canary@no-such-host.invalid/d", "DNS name not found"),
        (lambda _: f"postgresql://u:canary@127.0.0.1:{free_port()}/d", "connection refused"),
        (lambda server: f"postgresql://todo:canary@127.0.0.1:{server.port}/postgres", "authentication failed"),
        (lambda server: server.url("no_such_database"), "the database does not exist"),
        (lambda server: server.url("postgres", "sslmode=verify-full"), "TLS failed"),
    ],
)
async def test_a_database_that_cannot_be_used_is_named_with_its_cause(postgres: Postgres, make_url, cause):
    with pytest.raises(MigrationError, match=f"^{cause}"):
        await migrate_at(make_url(postgres), patience=0.5)


async def test_an_address_that_swallows_packets_times_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("todo_backend.database.CONNECT_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and says nothing
        port = silent.getsockname()[1]
        with pytest.raises(MigrationError, match=r"^timed out \(egress blocked\?\)"):
            await migrate_at(f"postgresql://u:p@127.0.0.1:{port}/d?sslmode=disable", patience=0.5)
