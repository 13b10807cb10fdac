import ast
import asyncio
import socket
import uuid
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, pool

from todo_backend.database import parse_database_url
from todo_backend.migrate import MigrationError, migrate
from todo_backend.tables import metadata

from .conftest import SOURCE, run_sql, running_app
from .postgres import PgBouncer, Postgres, free_port


@pytest.fixture
async def empty(postgres: Postgres):
    name = f"empty_{uuid.uuid4().hex}"
    await run_sql(postgres, f"CREATE DATABASE {name}")
    yield name
    await run_sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")


MIGRATIONS = sorted((SOURCE / "todo_backend/migrations/versions").glob("[0-9]*.py"))
NEWEST = MIGRATIONS[-1].name[:4]


async def migrate_at(url: str, patience: float = 30) -> str:
    engine = parse_database_url(url).engine(poolclass=pool.NullPool)
    try:
        return await migrate(engine, patience)
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
        (NEWEST,)
    ]


async def test_several_at_once_work_behind_a_transaction_pooler(pgbouncer: PgBouncer, postgres: Postgres, empty: str):
    url = postgres.url(empty, "sslmode=disable&pgbouncer=true", port=pgbouncer.port)
    await asyncio.gather(*(migrate_at(url) for _ in range(3)))
    assert len(await run_sql(postgres, "SELECT * FROM alembic_version", database=empty)) == 1


async def test_a_migration_that_fails_changes_nothing(postgres: Postgres, empty: str):
    await run_sql(postgres, "CREATE TYPE messages AS (x int)", database=empty)  # takes the name of a table's row type
    with pytest.raises(MigrationError, match=r"^migration failed: .*messages"):
        await migrate_at(postgres.url(empty))
    assert await tables(postgres, empty) == []


@pytest.mark.parametrize(
    ("statements", "names"),
    [
        (["CREATE TABLE messages (id int)"], ": messages\\."),
        (["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('3f1c0a9b77de')"], "'3f1c0a9b77de'"),
        (["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('0001')"], "'0001'"),
        (["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('0042')"], "'0042'"),
        (["CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('0042')", "CREATE TABLE todos (id int)"], "'0042'"),
    ],
)  # fmt: skip
async def test_the_database_of_another_application_is_named_and_left_alone(
    postgres: Postgres, empty: str, statements, names
):
    for statement in statements:
        await run_sql(postgres, statement, database=empty)
    before = await tables(postgres, empty)
    with pytest.raises(MigrationError, match=f"another application.*{names}|{names}.*another application"):
        await migrate_at(postgres.url(empty))
    assert await tables(postgres, empty) == before


async def tables(postgres: Postgres, database: str) -> list[str]:
    found = await run_sql(postgres, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=database)
    return [row["tablename"] for row in found]


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("0999", "0999, newer than this version's"),
        ("0005_add_owner", "which this version, at 0"),
        ("3f1c0a9b77de", "does not know"),
    ],
)
async def test_this_version_serves_with_the_schema_of_a_later_one_or_another_branch_and_the_way_back_keeps_all(
    postgres: Postgres, empty: str, revision: str, said: str
):
    url = postgres.url(empty)
    await migrate_at(url)
    async with running_app(url) as client:
        await client.post("/api/todos", json={"title": "kept"})
    # As a later version would: only additions.
    for statement in (
        "ALTER TABLE todos ADD COLUMN hint text",
        "ALTER TABLE todos ADD COLUMN colour text NOT NULL DEFAULT 'none'",
        "CREATE TABLE shares (id int)",
        f"UPDATE alembic_version SET version_num = '{revision}'",
        "UPDATE todos SET hint = 'later'",
    ):
        await run_sql(postgres, statement, database=empty)
    assert said in await migrate_at(url)
    async with running_app(url) as client:
        made = (await client.post("/api/todos", json={"title": "by the older"})).json()
        changed = await client.patch(f"/api/todos/{made['id']}", json={"version": 1, "done": True})
        assert changed.status_code == 200
        listed = (await client.get("/api/todos")).json()["items"]
        assert [todo["title"] for todo in listed] == ["kept", "by the older"]
    rows = await run_sql(postgres, "SELECT title, hint, colour FROM todos ORDER BY position", database=empty)
    assert [tuple(row) for row in rows] == [("kept", "later", "none"), ("by the older", None, "none")]


@pytest.mark.parametrize(
    ("statement", "lacks", "revision"),
    [
        ("ALTER TABLE todos DROP COLUMN due_time", "column todos.due_time", "0999"),
        ("DROP TABLE changed_todos", "table changed_todos", "0999"),
        ("ALTER TABLE todos ADD COLUMN owner text NOT NULL", "a default for column todos.owner", "0005_add_owner"),
    ],
)
async def test_a_newer_schema_that_lacks_something_is_refused_with_what_to_do(
    postgres: Postgres, empty: str, statement, lacks, revision
):
    url = postgres.url(empty)
    await migrate_at(url)
    await run_sql(postgres, statement, database=empty)
    await run_sql(postgres, f"UPDATE alembic_version SET version_num = '{revision}'", database=empty)
    with pytest.raises(
        MigrationError, match=rf"lacks what it needs: {lacks}\. Run a version that knows revision {revision},"
    ):
        await migrate_at(url)


async def test_the_version_before_the_last_migration_serves_beside_it(postgres: Postgres, empty: str):
    """What the code of 0001 and 0002 does: name its own columns, and nothing of what came later."""
    await migrate_at(postgres.url(empty))
    for statement in (
        "INSERT INTO conversations (id) VALUES (gen_random_uuid())",
        "INSERT INTO messages (id, conversation_id, role, text) SELECT gen_random_uuid(), id, 'user', 'hi' FROM conversations",
        "INSERT INTO todos (id, title, due_date, priority, tags) VALUES (gen_random_uuid(), 'x', '2026-12-01', 2, '{}')",
        "UPDATE todos SET due_time = '17:00'",
        "UPDATE todos SET due_date = NULL, version = version + 1",
        (
            "INSERT INTO deleted_todos (id, position, title, priority, tags, done, version, created_at, updated_at)"
            " SELECT id, position, title, priority, tags, done, version, created_at, updated_at FROM todos"
        ),
        "DELETE FROM todos",
    ):
        await run_sql(postgres, statement, database=empty)


# What a migration may do beside the version before it, which goes on serving and may come back.
ADDITIONS = {"add_column", "create_table", "create_index"}


@pytest.mark.parametrize(
    "path", [path for path in MIGRATIONS if not path.name.startswith("0001")], ids=lambda path: path.stem
)
def test_migrations_only_add(path: Path):
    """Expand now, contract in a later release: nothing is dropped, renamed or narrowed, and a new column can be left out."""
    (upgrade,) = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    operations = [call for call in calls if isinstance(call.func.value, ast.Name) and call.func.value.id == "op"]
    assert {call.func.attr for call in operations} <= ADDITIONS
    for call in operations:
        if call.func.attr != "add_column":
            continue
        (column,) = [argument for argument in call.args if isinstance(argument, ast.Call)]
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in column.keywords}
        assert options.get("nullable", "True") == "True" or "server_default" in options, ast.unparse(column)
        assert "unique" not in options, "a unique column can refuse what the version before writes"


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


async def test_a_role_that_may_not_log_in_is_told_from_a_wrong_password(postgres: Postgres):
    await run_sql(postgres, "CREATE ROLE locked_out NOLOGIN PASSWORD 'canary'")
    url = f"postgresql://locked_out:canary@127.0.0.1:{postgres.port}/postgres?sslmode=disable"
    try:
        with pytest.raises(MigrationError, match=r"^login refused: pg_hba\.conf has no line for it, or the role"):
            await migrate_at(url, patience=30)
    finally:
        await run_sql(postgres, "DROP ROLE locked_out")


async def test_a_lock_that_is_held_is_named_as_that(postgres: Postgres, empty: str, monkeypatch: pytest.MonkeyPatch):
    await migrate_at(postgres.url(empty))
    monkeypatch.setattr("todo_backend.database.STATEMENT_TIMEOUT", 0.5)
    holder = await asyncpg.connect(postgres.url(empty, "sslmode=disable"))
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(MigrationError, match=r"^a query timed out \(is a lock held\?\)"):
                await migrate_at(postgres.url(empty), patience=0.5)
    finally:
        await holder.close()


async def test_our_own_database_without_its_todos_is_not_called_anothers(postgres: Postgres, empty: str):
    await migrate_at(postgres.url(empty))
    await run_sql(postgres, "DROP TABLE todos CASCADE", database=empty)
    with pytest.raises(MigrationError, match="the table todos is gone from this database"):
        await migrate_at(postgres.url(empty))


async def test_an_address_that_swallows_packets_times_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("todo_backend.database.CONNECT_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and says nothing
        port = silent.getsockname()[1]
        with pytest.raises(MigrationError, match=r"^timed out \(egress blocked\?\)"):
            await migrate_at(f"postgresql://u:p@127.0.0.1:{port}/d?sslmode=disable", patience=0.5)
